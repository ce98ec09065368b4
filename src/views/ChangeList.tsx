import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { Change } from '../_api';

export interface IChangeListProps {
  changes: readonly Change[];
  trans: TranslationBundle;
}

/** What differs, each with what it was and what it is; in words, so that neither colour nor strike-through says it alone. */
export function ChangeList({ changes, trans }: IChangeListProps): JSX.Element {
  return (
    <ul className="jp-Satflow-changes">
      {changes.map(({ name, before, after }) => (
        <li key={name}>
          <span className="jp-Satflow-changeName">{name}</span>
          <del>{before ?? trans.__('not there')}</del>
          {' → '}
          <ins>{after ?? trans.__('not there')}</ins>
        </li>
      ))}
    </ul>
  );
}
