import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { CodeChange } from '../_api';
import { nameInvisible } from '../models/terminalText';
import { useTrans } from './translation';

export interface IUnifiedDiffProps {
  change: CodeChange;
}

/** A changed piece of code; each line keeps its + or -, so that color is never the only sign. */
export function UnifiedDiff({ change }: IUnifiedDiffProps): JSX.Element {
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
