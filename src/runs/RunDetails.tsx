import React from 'react';

import type { RunDetail } from '../_api';
import { useTrans } from '../components/translation';
import { localTimezone, formatDateTime } from '../format';
import { ArtifactView } from './ArtifactView';

export interface IRunDetailsProps {
  detail: RunDetail;
}

/** A run's parameters, times and artifacts. */
export function RunDetails({ detail }: IRunDetailsProps): JSX.Element {
  const trans = useTrans();
  const { run, artifacts } = detail;
  const parameters = Object.entries(run.parameters);
  const times: [string, string | null][] = [
    [trans.__('Created'), run.created],
    [trans.__('Expected start'), run.expected_start],
    [trans.__('Start'), run.start],
    [trans.__('End'), run.end]
  ];
  return (
    <div className="jp-Satflow-details" data-testid="satflow-details">
      <h3>{trans.__('Parameters')}</h3>
      {parameters.length === 0 && <p>{trans.__('None.')}</p>}
      <dl>
        {parameters.map(([name, value]) => (
          <React.Fragment key={name}>
            <dt>{name}</dt>
            <dd>
              <code>{JSON.stringify(value)}</code>
            </dd>
          </React.Fragment>
        ))}
      </dl>
      <h3>{trans.__('Times, %1', localTimezone())}</h3>
      <dl>
        {times.map(([name, time]) => (
          <React.Fragment key={name}>
            <dt>{name}</dt>
            <dd>{time ? formatDateTime(time) : '–'}</dd>
          </React.Fragment>
        ))}
        <dt>{trans.__('Run id')}</dt>
        <dd>
          <code>{run.id}</code>
        </dd>
      </dl>
      <h3>{trans.__('Artifacts')}</h3>
      {artifacts.length === 0 && <p>{trans.__('None.')}</p>}
      {artifacts.map(artifact => (
        <ArtifactView key={artifact.id} artifact={artifact} />
      ))}
    </div>
  );
}
