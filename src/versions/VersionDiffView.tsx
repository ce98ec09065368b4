import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { Change, CodeChange, TaskChange, VersionDiff } from '../_api';
import { ChangeList } from '../components/ChangeList';
import { nameInvisible } from '../components/terminalText';
import { useTrans } from '../components/translation';

export interface IVersionDiffViewProps {
  diff: VersionDiff;
}

/** Number of changed packages that are listed at first; the user can show more. */
const INITIAL_COUNT = 8;

/** The differences between two versions: code first, then everything else. */
export function VersionDiffView(props: IVersionDiffViewProps): JSX.Element {
  const trans = useTrans();
  const { diff } = props;
  const lists: [string, Change[]][] = [
    [trans.__('Parameters'), diff.parameters],
    [trans.__('Executor'), diff.executor],
    [trans.__('Choices'), diff.choices],
    [trans.__('Interpreter'), diff.environment],
    [trans.__('Packages'), diff.packages]
  ];
  const shown = lists.filter(([, changes]) => changes.length > 0);
  return (
    <section
      className="jp-Satflow-diff"
      aria-label={trans.__('Changes')}
      data-testid="satflow-version-diff"
    >
      <h3>
        {trans.__('From version %1 to version %2', diff.before, diff.after)}
      </h3>
      {diff.unexplained && (
        <p className="jp-Satflow-note jp-mod-warning">{diff.unexplained}</p>
      )}
      {hasNoDifferences(diff) && <p>{trans.__('No differences.')}</p>}
      {diff.code.map(change => (
        <UnifiedDiff key={`${change.kind} ${change.name}`} change={change} />
      ))}
      {diff.tasks.map(change => (
        <TaskChanges key={change.flow} change={change} />
      ))}
      {shown.map(([title, changes]) => (
        <details key={title} open={changes.length <= INITIAL_COUNT}>
          <summary>{trans.__('%1 (%2)', title, changes.length)}</summary>
          <ChangeList changes={changes} />
        </details>
      ))}
    </section>
  );
}

function TaskChanges(props: { change: TaskChange }): JSX.Element {
  const trans = useTrans();
  const { change } = props;
  const lines: [string, string[]][] = [
    [trans.__('added'), change.added],
    [trans.__('removed'), change.removed],
    [trans.__('could not be determined'), change.unsaid]
  ];
  return (
    <details open>
      <summary>{trans.__('Tasks of %1', change.flow)}</summary>
      <ul className="jp-Satflow-changes">
        {lines
          .filter(([, names]) => names.length > 0)
          .map(([words, names]) => (
            <li key={words}>
              <span className="jp-Satflow-changeName">{words}</span>
              {names.join(', ')}
            </li>
          ))}
        {change.rewired && (
          <li>
            <span className="jp-Satflow-changeName">
              {trans.__('calls changed')}
            </span>
            {trans.__(
              'before: %1; now: %2',
              change.before.join(', '),
              change.after.join(', ')
            )}
          </li>
        )}
      </ul>
    </details>
  );
}

function hasNoDifferences(diff: VersionDiff): boolean {
  const { code, tasks, parameters, executor, choices } = diff;
  const parts = [code, tasks, parameters, executor, choices];
  const rest = [diff.environment, diff.packages];
  return (
    diff.unexplained === null &&
    [...parts, ...rest].every(part => part.length === 0)
  );
}

interface IUnifiedDiffProps {
  change: CodeChange;
}

/** A changed piece of code; each line keeps its + or -, so that color is never the only sign. */
function UnifiedDiff({ change }: IUnifiedDiffProps): JSX.Element {
  const trans = useTrans();
  const lines = change.diff.replace(/\n$/, '').split('\n');
  return (
    <details open>
      <summary>
        <code>{change.name}</code> {describeChange(change, trans)}
      </summary>
      <pre className="jp-Satflow-code jp-Satflow-diffText" tabIndex={0}>
        {lines.map((line, index) => (
          <span key={index} className={lineClassName(line)}>
            {nameInvisible(line) + '\n'}
          </span>
        ))}
      </pre>
    </details>
  );
}

/** Return the class of a line by its first characters, as in unified diffs. */
function lineClassName(line: string): string | undefined {
  if (/^(\+\+\+|---|@@)/.test(line)) {
    return 'jp-mod-place';
  }
  switch (line[0]) {
    case '+':
      return 'jp-mod-added';
    case '-':
      return 'jp-mod-removed';
    default:
      return undefined;
  }
}

function describeChange(
  { change, kind }: CodeChange,
  trans: TranslationBundle
): string {
  const kinds = {
    function: trans.__('function'),
    class: trans.__('class'),
    statements: trans.__('statements')
  };
  const changes = {
    added: trans.__('added'),
    removed: trans.__('removed'),
    changed: trans.__('changed')
  };
  return `${kinds[kind]}, ${changes[change]}`;
}
