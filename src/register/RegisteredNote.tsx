import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import React from 'react';

import type { CarriedFile, Registered } from '../_api';
import { ChangeList } from '../components/ChangeList';
import { useTrans } from '../components/translation';
import { ZonedTime } from '../components/ZonedTime';
import { formatBytes } from '../format';
import { FindingList } from './FindingList';

export interface IRegisteredNoteProps {
  registered: Registered;
  onRun: () => void;
}

/** The result of a registration, and the next steps. */
export function RegisteredNote(props: IRegisteredNoteProps): JSX.Element {
  const trans = useTrans();
  const { registered, onRun } = props;
  const { deployment, content_size, files, kept, warnings } = registered;
  const { schedules, next_runs } = deployment;
  return (
    <div
      className="jp-Satflow-registered"
      role="status"
      data-testid="satflow-registered"
      data-outcome={registered.outcome}
    >
      <strong>{describeOutcome(registered, trans)}</strong>
      <span>{trans.__('Flow content: %1', formatBytes(content_size))}</span>
      {files.length > 0 && <span>{describeFiles(files, trans)}</span>}
      {schedules.length > 0 && next_runs.length > 0 && (
        <span>
          {trans.__('Next run:')}{' '}
          <ZonedTime time={next_runs[0]} timezone={schedules[0].timezone} />
        </span>
      )}
      {warnings.length > 0 && <FindingList findings={warnings} />}
      {kept.length > 0 && (
        <details className="jp-Satflow-kept">
          <summary>
            {trans.__('Changes in Prefect that were kept (%1)', kept.length)}
          </summary>
          <ChangeList changes={kept} />
        </details>
      )}
      <Button
        type="button"
        className="jp-mod-styled jp-mod-accept"
        onClick={onRun}
        data-testid="satflow-run-now"
      >
        {trans.__('Run now')}
      </Button>
    </div>
  );
}

function describeFiles(files: CarriedFile[], trans: TranslationBundle): string {
  const size = files.reduce((sum, file) => sum + file.size, 0);
  return trans._n(
    '%1 data file, %2',
    '%1 data files, %2',
    files.length,
    formatBytes(size)
  );
}

function describeOutcome(
  { outcome, deployment }: Registered,
  trans: TranslationBundle
): string {
  const { name, version } = deployment;
  switch (outcome) {
    case 'created':
      return trans.__('%1 is registered, version %2.', name, version);
    case 'changed':
      return trans.__('%1 is now version %2.', name, version);
    case 'unchanged':
      return trans.__('%1 is unchanged: still version %2.', name, version);
    case 'restored':
      return trans.__('%1 is restored to version %2.', name, version);
  }
}
