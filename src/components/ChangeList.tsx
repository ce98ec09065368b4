import React from 'react';

import type { Change } from '../_api';
import { useTrans } from './translation';

export interface IChangeListProps {
  changes: readonly Change[];
}

/** The differences with their old and new values, as text, so that neither color nor strike-through is the only sign. */
export function ChangeList({ changes }: IChangeListProps): JSX.Element {
  const trans = useTrans();
  return (
    <ul className="jp-Satflow-changes">
      {changes.map(({ name, before, after }) => (
        <li key={name}>
          <span className="jp-Satflow-changeName">{name}</span>
          <del>{before ?? trans.__('not set')}</del>
          {' → '}
          <ins>{after ?? trans.__('not set')}</ins>
        </li>
      ))}
    </ul>
  );
}
