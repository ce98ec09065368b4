import { Button } from '@jupyterlab/ui-components';
import React from 'react';

import type { Run } from '../_api';
import { useTrans } from '../components/translation';
import {
  formatTimeOfDay,
  formatDuration,
  elapsedSeconds,
  hasEnded
} from '../format';
import type { IRunActions } from './runPanels';
import { StateMark } from './StateMark';
import { useNow } from './useNow';

export interface IRunHeaderProps {
  run: Run;
  version: number | null;
  actions: IRunActions;
}

/** The name and state of a run, with its actions. */
export function RunHeader(props: IRunHeaderProps): JSX.Element {
  const trans = useTrans();
  const { run, version } = props;
  const now = useNow(!hasEnded(run.state_type));
  return (
    <header className="jp-Satflow-runHeader">
      <div className="jp-Satflow-rowHead">
        <h2>{run.deployment_name ?? run.flow_name}</h2>
        {version !== null && (
          <span
            className="jp-Satflow-badge"
            title={trans.__('Version of the deployment')}
          >
            {trans.__('v%1', version)}
          </span>
        )}
        <StateMark type={run.state_type} name={run.state_name} />
        <RunButtons {...props} />
      </div>
      <div className="jp-Satflow-facts">
        <span>{run.name}</span>
        {run.start && (
          <span>{trans.__('started %1', formatTimeOfDay(run.start))}</span>
        )}
        {run.start && (
          <span data-testid="satflow-duration">
            {formatDuration(elapsedSeconds(run, now))}
          </span>
        )}
        {run.scheduled && <span>{trans.__('scheduled')}</span>}
      </div>
      {run.why_waiting && (
        <p className="jp-Satflow-note jp-mod-warning" data-testid="satflow-why">
          {run.why_waiting}
        </p>
      )}
    </header>
  );
}

function RunButtons({ run, actions }: IRunHeaderProps): JSX.Element {
  const trans = useTrans();
  return (
    <span className="jp-Satflow-rowEnd">
      {hasEnded(run.state_type) ? (
        run.deployment_id && (
          <>
            {run.state_type !== 'COMPLETED' && (
              <Button
                className="jp-mod-styled jp-Satflow-button"
                title={trans.__(
                  'Execute this run again, with its parameters and the version that is live now'
                )}
                onClick={() => actions.onRetry(run)}
                data-testid="satflow-retry-run"
              >
                {trans.__('Retry')}
              </Button>
            )}
            <Button
              className="jp-mod-styled jp-Satflow-button"
              title={trans.__(
                'Start a new run, with other parameters if needed'
              )}
              onClick={() => actions.onRunAgain(run)}
              data-testid="satflow-run-again"
            >
              {trans.__('Run again…')}
            </Button>
          </>
        )
      ) : (
        <Button
          className="jp-mod-styled jp-mod-warn jp-Satflow-button"
          disabled={run.state_type === 'CANCELLING'}
          onClick={() => actions.onCancel(run)}
          data-testid="satflow-cancel-run"
        >
          {trans.__('Cancel')}
        </Button>
      )}
    </span>
  );
}
