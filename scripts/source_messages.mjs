// Print the messages of the browser part as JSON, for scripts/translations.py: each call of a translation function in a folder
// with its texts and place. An argument that is not a constant string is null, because no extraction can find its text.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv, stdout } from 'node:process';
import ts from 'typescript';

/** The arguments of each function of JupyterLab's `TranslationBundle` that are part of the message. */
const FUNCTIONS = {
  __: ['id'],
  _n: ['id', 'plural'],
  _p: ['context', 'id'],
  _np: ['context', 'id', 'plural'],
  gettext: ['id'],
  ngettext: ['id', 'plural'],
  pgettext: ['context', 'id'],
  npgettext: ['context', 'id', 'plural']
};

function listSources(folder) {
  return readdirSync(folder, { recursive: true })
    .filter(name => /\.tsx?$/.test(name) && !name.startsWith('__tests__'))
    .sort()
    .map(name => join(folder, name));
}

/** The value of a constant string, also of one that is joined with `+`, or null. */
function constantString(node) {
  if (node === undefined) {
    return null;
  }
  if (ts.isStringLiteralLike(node)) {
    return node.text;
  }
  if (ts.isParenthesizedExpression(node)) {
    return constantString(node.expression);
  }
  if (
    ts.isBinaryExpression(node) &&
    node.operatorToken.kind === ts.SyntaxKind.PlusToken
  ) {
    const left = constantString(node.left);
    const right = constantString(node.right);
    return left === null || right === null ? null : left + right;
  }
  return null;
}

function calledName(call) {
  const callee = call.expression;
  return ts.isPropertyAccessExpression(callee)
    ? callee.name.text
    : ts.isIdentifier(callee)
      ? callee.text
      : '';
}

function messageOf(call, parts, source) {
  const message = { context: null, id: null, plural: null };
  parts.forEach((part, index) => {
    message[part] = constantString(call.arguments[index]);
  });
  const { line } = source.getLineAndCharacterOfPosition(call.getStart(source));
  const constant = parts.every(part => message[part] !== null);
  return { ...message, file: source.fileName, line: line + 1, constant };
}

function findMessages(path) {
  const source = ts.createSourceFile(
    path,
    readFileSync(path, 'utf8'),
    ts.ScriptTarget.Latest
  );
  const found = [];
  const visit = node => {
    if (ts.isCallExpression(node)) {
      const parts = Object.hasOwn(FUNCTIONS, calledName(node))
        ? FUNCTIONS[calledName(node)]
        : null;
      if (parts) {
        found.push(messageOf(node, parts, source));
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

stdout.write(JSON.stringify(listSources(argv[2]).flatMap(findMessages)));
