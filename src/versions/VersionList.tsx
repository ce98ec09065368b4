import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import React from 'react';

import type { Version, VersionRecord } from '../_api';
import { useTrans } from '../components/translation';
import { formatBytes, formatDateTime } from '../format';
import type { IVersionPair } from './versions';

/** Actions on versions. */
export interface IVersionActions {
  onCompare: (pair: IVersionPair) => void;
  onMore: () => void;
  onRollBack: (version: Version) => void;
}

export interface IVersionListProps {
  versions: Version[];
  hasMore: boolean;
  missingReason: string | null;
  isBusy: boolean;
  actions: IVersionActions;
}

/** The versions of a deployment, newest first, with their dates, authors and changes. */
export function VersionList(props: IVersionListProps): JSX.Element {
  const trans = useTrans();
  const { versions, hasMore, missingReason, isBusy, actions } = props;
  return (
    <>
      <ol
        className="jp-Satflow-list jp-Satflow-versions"
        aria-label={trans.__('Versions')}
        data-testid="satflow-versions"
      >
        {versions.map((version, index) => (
          <VersionRow
            key={version.number}
            {...props}
            version={version}
            earlier={versions[index + 1] ?? null}
          />
        ))}
      </ol>
      {missingReason && (
        <p className="jp-Satflow-note jp-mod-warning">{missingReason}</p>
      )}
      {hasMore && (
        <Button
          className="jp-mod-styled jp-Satflow-button"
          aria-disabled={isBusy}
          onClick={actions.onMore}
        >
          {trans.__('Show older versions')}
        </Button>
      )}
    </>
  );
}

interface IVersionRowProps extends IVersionListProps {
  version: Version;
  earlier: Version | null;
}

function VersionRow(props: IVersionRowProps): JSX.Element {
  const trans = useTrans();
  const { version } = props;
  const { number, live, record, problem } = version;
  return (
    <li
      className="jp-Satflow-row"
      data-testid="satflow-version"
      data-version={number}
    >
      <div className="jp-Satflow-rowHead">
        <span className="jp-Satflow-badge">{trans.__('v%1', number)}</span>
        {live && (
          <span className="jp-Satflow-badge jp-mod-registered">
            {trans.__('live')}
          </span>
        )}
        <span className="jp-Satflow-versionSummary">{record?.summary}</span>
        <VersionButtons {...props} />
      </div>
      {record && (
        <div className="jp-Satflow-facts">
          {describeRecord(record, trans).map(words => (
            <span key={words}>{words}</span>
          ))}
        </div>
      )}
      {problem && <p className="jp-Satflow-note jp-mod-warning">{problem}</p>}
    </li>
  );
}

function VersionButtons(props: IVersionRowProps): JSX.Element {
  const trans = useTrans();
  const { version, earlier, isBusy, actions } = props;
  const { number, live } = version;
  const obstacle = rollbackObstacle(version, trans);
  return (
    <span className="jp-Satflow-rowEnd jp-Satflow-actions">
      {earlier && (
        <Button
          className="jp-mod-styled jp-Satflow-button"
          aria-label={trans.__(
            'Compare version %1 with version %2',
            number,
            earlier.number
          )}
          onClick={() =>
            actions.onCompare({ before: earlier.number, after: number })
          }
        >
          {trans.__('Changes')}
        </Button>
      )}
      {!live && (
        <Button
          className="jp-mod-styled jp-Satflow-button"
          aria-label={trans.__('Roll back to version %1', number)}
          title={obstacle ?? undefined}
          disabled={isBusy || obstacle !== null}
          onClick={() => actions.onRollBack(version)}
          data-testid="satflow-roll-back"
        >
          {trans.__('Roll back…')}
        </Button>
      )}
    </span>
  );
}

function describeRecord(
  record: VersionRecord,
  trans: TranslationBundle
): string[] {
  const { registered_at, registered_by, notebook } = record;
  return [
    formatDateTime(registered_at),
    trans.__('by %1', registered_by),
    notebook ?? '',
    formatBytes(record.content_size),
    record.content_kept === false ? trans.__('content was deleted') : ''
  ].filter(words => words !== '');
}

/** Return the reason why a version cannot be restored, or null if it can. */
function rollbackObstacle(
  { problem, record }: Version,
  trans: TranslationBundle
): string | null {
  return record?.content_kept === false
    ? trans.__('The content of this version is no longer in the store.')
    : problem;
}
