import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import React, { useEffect, useState } from 'react';

import type { JsonObject, RunDetail, RunVersion } from '../_api';
import { useTrans } from '../components/translation';
import { localTimezone, formatDateTime } from '../format';
import type { IRunActions } from './runPanels';
import { StateList } from './StateMark';

export interface IRunDetailsProps extends Pick<
  IRunActions,
  'onReadVersion' | 'onShowVersions'
> {
  detail: RunDetail;
}

/** A run's parameters, times, states and job variables. */
export function RunDetails(props: IRunDetailsProps): JSX.Element {
  const trans = useTrans();
  const { detail } = props;
  const { run } = detail;
  const version = useVersion(props);
  const times: [string, string | null][] = [
    [trans.__('Created'), run.created],
    [trans.__('Expected start'), run.expected_start],
    [trans.__('Start'), run.start],
    [trans.__('End'), run.end]
  ];
  return (
    <div className="jp-Satflow-details" data-testid="satflow-details">
      <h3>{trans.__('Parameters')}</h3>
      <Values values={run.parameters} defaults={version?.defaults} />
      <h3>{trans.__('Times, %1', localTimezone())}</h3>
      <dl>
        {times.map(([name, time]) => (
          <React.Fragment key={name}>
            <dt>{name}</dt>
            <dd>{time ? formatDateTime(time) : '–'}</dd>
          </React.Fragment>
        ))}
        <dt>{trans.__('Started by')}</dt>
        <dd data-testid="satflow-origin">{describeOrigin(detail, trans)}</dd>
        {version && version.number !== null && (
          <>
            <dt>{trans.__('Version')}</dt>
            <dd>
              {trans.__('v%1', version.number)}
              {version.number > 1 && run.deployment_id && (
                <ChangesLink {...props} number={version.number} />
              )}
            </dd>
          </>
        )}
        <dt>{trans.__('Run id')}</dt>
        <dd>
          <code>{run.id}</code>
        </dd>
      </dl>
      <h3>{trans.__('States')}</h3>
      <StateList states={detail.states} />
      <h3>{trans.__('Job variables')}</h3>
      <Values values={detail.job_variables} />
    </div>
  );
}

/** A link to the differences between a version and the one before it. */
function ChangesLink(
  props: IRunDetailsProps & { number: number }
): JSX.Element {
  const trans = useTrans();
  const { detail, number, onShowVersions } = props;
  return (
    <>
      {' '}
      <Button
        minimal
        className="jp-Satflow-link"
        onClick={() => onShowVersions(detail.run, number)}
        data-testid="satflow-version-changes"
      >
        {trans.__('Changes since v%1', number - 1)}
      </Button>
    </>
  );
}

/** Read the version when the run has started. Without it, the other details are still complete. */
function useVersion({
  detail: { run },
  onReadVersion
}: IRunDetailsProps): RunVersion | null {
  const [version, setVersion] = useState<RunVersion | null>(null);
  useEffect(() => {
    let isCurrent = true;
    onReadVersion().then(
      found => isCurrent && setVersion(found),
      () => undefined
    );
    return () => {
      isCurrent = false;
    };
  }, [run.id, run.start]);
  return version;
}

/** Values by name, and those of the defaults that have no other value. */
function Values(props: {
  values: JsonObject;
  defaults?: JsonObject;
}): JSX.Element {
  const trans = useTrans();
  const { values, defaults = {} } = props;
  const unset = Object.keys(defaults).filter(name => !(name in values));
  const names = [...Object.keys(values), ...unset];
  if (names.length === 0) {
    return <p>{trans.__('None.')}</p>;
  }
  return (
    <dl>
      {names.map(name => (
        <React.Fragment key={name}>
          <dt>{name}</dt>
          <dd>
            <code>{JSON.stringify({ ...defaults, ...values }[name])}</code>
            {unset.includes(name) && (
              <span className="jp-Satflow-badge">{trans.__('default')}</span>
            )}
          </dd>
        </React.Fragment>
      ))}
    </dl>
  );
}

function describeOrigin(
  { origin, parents }: RunDetail,
  trans: TranslationBundle
): string {
  const parent = parents[parents.length - 1];
  switch (origin.kind) {
    case 'schedule':
      return origin.name
        ? trans.__('schedule %1', origin.name)
        : trans.__('a schedule');
    case 'automation':
      return trans.__('automation %1', origin.name ?? '');
    case 'flow':
      return parent
        ? trans.__('run %1 of %2', parent.name, parent.flow_name)
        : trans.__('another run');
    default:
      return trans.__('a user');
  }
}
