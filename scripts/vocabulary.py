"""Check that prose and docstrings keep to plain technical English, and that docstrings document parameters that exist.

Prose is comments, docstrings and texts in Python and TypeScript, and Markdown outside of code. The terms are in
docs/architecture.md; `AVOID` lists words that replaced them before, each with what to write instead.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("satflow_ext", "src", "docs", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "RELEASE.md", "SECURITY.md")

AVOID = {
    r"(?:told|tells?|telling)": "report, state, send, or name the mechanism",
    r"(?:said|says|saying)": "report, state, contain",
    r"(?:somebody|nobody|whoever|everybody|anybody)": "the user, another process, no client",
    r"(?:anew|beside|whereabouts|thereof|whence|for ever)": "again, next to, location, permanently",
    r"(?<!there )(?:is|are|was|were) no (?!longer|more|less|way|such)\w+": "is not a …",
    r"what (?:is|was|are|were) (?:told|asked|kept|wanted|seen|there|known|chosen|made|begun)": "a noun for it",
}
PATTERNS = {re.compile(rf"\b{words}\b", re.IGNORECASE): advice for words, advice in AVOID.items()}

QUESTION = re.compile(r"(?:What|Whether|Who|Where|How) ")
"""How a docstring must not begin: an imperative or a noun phrase reads faster."""

SECTIONS = re.compile(r"\n\s*(?:Returns|Raises|Yields|Examples?|Notes?):")


def find_problems(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each problem in a file."""
    text = path.read_text()
    if path.suffix == ".py":
        tree = ast.parse(text)
        yield from _check_docstrings(tree)
        prose = _python_prose(text, tree)
    elif path.suffix in (".ts", ".tsx"):
        prose = _typescript_prose(text)
    else:
        prose = _markdown_prose(text)
    for line, sentence in prose:
        for pattern, advice in PATTERNS.items():
            for match in pattern.finditer(sentence):
                yield line, f"{match[0]!r}: write instead {advice}"


def _python_prose(text: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield node.lineno, node.value


def _typescript_prose(text: str) -> Iterator[tuple[int, str]]:
    for match in re.finditer(r"//[^\n]*|/\*.*?\*/|'[^'\n]* [^'\n]*'", text, re.DOTALL):
        yield text[: match.start()].count("\n") + 1, match[0]


def _markdown_prose(text: str) -> Iterator[tuple[int, str]]:
    blank = re.sub(r"```.*?```", lambda match: "\n" * match[0].count("\n"), text, flags=re.DOTALL)
    for number, line in enumerate(blank.splitlines(), 1):
        yield number, re.sub(r"`[^`]*`", "", line)


def _check_docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        docstring = ast.get_docstring(node) or ""
        if QUESTION.match(docstring):
            yield node.lineno, f"the docstring of {node.name} begins {docstring.split()[0]!r}: write what it does or is"
        unknown = set(_documented(docstring)) - set(_parameters(node))
        if unknown:
            yield node.lineno, f"{node.name} has no parameter {', '.join(sorted(unknown))}"


def _documented(docstring: str) -> Iterator[str]:
    """Yield the names in the section `Args:` of a docstring."""
    section = SECTIONS.split(docstring.partition("Args:\n")[2])[0]
    lines = [line for line in section.split("\n") if line.strip()]
    indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())] if lines else ""
    for line in lines:
        if match := re.match(rf"{indent}(\w+(?:, \w+)*):", line):
            yield from match[1].split(", ")


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[str]:
    """Yield the parameters of a function, or the fields of a class and the parameters of its constructor."""
    if isinstance(node, ast.ClassDef):
        for each in node.body:
            if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
                yield each.target.id
            elif isinstance(each, ast.FunctionDef) and each.name in ("__init__", "__new__", "__call__"):
                yield from _parameters(each)
        return
    arguments = node.args
    named = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
    yield from (each.arg for each in named if each is not None)


def _files() -> Iterator[Path]:
    for name in FOLDERS:
        path = ROOT / name
        for each in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if each.suffix in (".py", ".ts", ".tsx", ".md") and "__tests__" not in each.parts:
                yield each


def main() -> int:
    """Print each problem with its file and line."""
    problems = [f"{path.relative_to(ROOT)}:{line}: {text}" for path in _files() for line, text in find_problems(path)]
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
