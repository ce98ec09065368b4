import { HTMLSelect } from '@jupyterlab/ui-components';
import React from 'react';

import type { ErrorBody, Version, VersionDiff } from '../_api';
import { ErrorNote } from '../components/ErrorNote';
import { useTrans } from '../components/translation';
import { VersionDiffView } from './VersionDiffView';
import { type IVersionActions, VersionList } from './VersionList';
import type { IVersionPair } from './versions';

export interface IVersionsViewProps {
  /** The deployment's name. */
  name: string;
  /** The versions; null until they are loaded. */
  versions: Version[] | null;
  hasMore: boolean;
  missingReason: string | null;
  pair: IVersionPair | null;
  diff: VersionDiff | null;
  error: ErrorBody | null;
  isBusy: boolean;
  actions: IVersionActions;
}

/** The versions of a deployment, and a comparison of two of them. */
export function VersionsView(props: IVersionsViewProps): JSX.Element {
  const trans = useTrans();
  const { name, versions, error, isBusy, diff } = props;
  return (
    <div className="jp-Satflow-versionsView" aria-busy={isBusy}>
      <h2>{trans.__('Versions of %1', name)}</h2>
      {error && <ErrorNote error={error} />}
      {versions ? (
        <VersionList {...props} versions={versions} />
      ) : (
        !error && <p role="status">{trans.__('Loading…')}</p>
      )}
      {versions && <VersionPairSelect {...props} versions={versions} />}
      {diff && <VersionDiffView diff={diff} />}
    </div>
  );
}

function VersionPairSelect(
  props: IVersionsViewProps & { versions: Version[] }
): JSX.Element | null {
  const trans = useTrans();
  const { versions, pair, actions } = props;
  if (!pair) {
    return null;
  }
  const choose = (change: Partial<IVersionPair>) =>
    actions.onCompare({ ...pair, ...change });
  return (
    <div className="jp-Satflow-pair">
      <VersionSelect
        label={trans.__('Compare')}
        versions={versions}
        value={pair.before}
        onChange={before => choose({ before })}
      />
      <VersionSelect
        label={trans.__('with')}
        versions={versions}
        value={pair.after}
        onChange={after => choose({ after })}
      />
    </div>
  );
}

function VersionSelect(props: {
  label: string;
  versions: Version[];
  value: number;
  onChange: (number: number) => void;
}): JSX.Element {
  const trans = useTrans();
  const { label, versions, value, onChange } = props;
  const options = versions.map(({ number }) => ({
    value: String(number),
    label: trans.__('version %1', number)
  }));
  return (
    <label>
      {label}
      <HTMLSelect
        value={String(value)}
        options={options}
        onChange={event => onChange(Number(event.target.value))}
      />
    </label>
  );
}
