import { Button } from '@jupyterlab/ui-components';
import React from 'react';

import type { Run, RunLink } from '../_api';
import { nameInvisible } from '../components/terminalText';
import { useTrans } from '../components/translation';
import {
  formatTimeOfDay,
  formatDuration,
  elapsedSeconds,
  hasEnded,
  stateName
} from '../format';
import type { IRunActions } from './runPanels';
import { RunProgress } from './RunProgress';
import { StateMark } from './StateMark';
import type { ITaskRuns } from './taskRuns';
import { useNow } from './useNow';

export interface IRunHeaderProps {
  run: Run;
  /** The runs that contain this one, the outermost first. */
  parents: readonly RunLink[];
  tasks: ITaskRuns;
  version: number | null;
  actions: IRunActions;
}

/** The name and state of a run, with its actions. */
export function RunHeader(props: IRunHeaderProps): JSX.Element {
  const trans = useTrans();
  const { run, version } = props;
  const now = useNow(!hasEnded(run.state_type));
  return (
    <div className="jp-Satflow-runHeader">
      {props.parents.length > 0 && <Breadcrumbs {...props} />}
      <span className="jp-Satflow-srOnly" role="status">
        {trans.__('Run %1: %2', run.name, stateName(run.state_name, trans))}
      </span>
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
        <RunProgress
          tasks={props.tasks}
          hasEnded={hasEnded(run.state_type)}
          now={now}
        />
        {run.scheduled && <span>{trans.__('scheduled')}</span>}
        {run.in_kernel && <span>{trans.__('notebook')}</span>}
      </div>
      {run.why_waiting && (
        <p className="jp-Satflow-note jp-mod-warning" data-testid="satflow-why">
          {run.why_waiting}
        </p>
      )}
    </div>
  );
}

/** The runs that contain this one, as links. */
function Breadcrumbs(props: IRunHeaderProps): JSX.Element {
  const trans = useTrans();
  const { run, parents, actions } = props;
  return (
    <nav
      className="jp-Satflow-breadcrumbs"
      aria-label={trans.__('Parent runs')}
      data-testid="satflow-parents"
    >
      <ol>
        {parents.map(parent => (
          <li key={parent.id}>
            <Button
              minimal
              className="jp-Satflow-link"
              onClick={() => actions.onOpen(parent)}
            >
              {nameInvisible(`${parent.flow_name} / ${parent.name}`)}
            </Button>
          </li>
        ))}
        <li aria-current="page">
          {nameInvisible(`${run.flow_name} / ${run.name}`)}
        </li>
      </ol>
    </nav>
  );
}

function RunButtons(props: IRunHeaderProps): JSX.Element {
  const { run, parents } = props;
  // A nested run without a deployment ends with the process of its parent, which can be canceled.
  // A kernel stops its run when the user interrupts it.
  const canCancel =
    !run.in_kernel && (parents.length === 0 || run.deployment_id !== null);
  return (
    <span className="jp-Satflow-rowEnd">
      {hasEnded(run.state_type)
        ? run.deployment_id && <StartButtons {...props} />
        : canCancel && <CancelButton {...props} />}
    </span>
  );
}

function StartButtons({ run, actions }: IRunHeaderProps): JSX.Element {
  const trans = useTrans();
  return (
    <>
      <HeaderButton
        label={trans.__('Compare…')}
        title={trans.__('Compare this run with another one of its deployment')}
        onClick={() => actions.onCompare(run)}
        testId="satflow-compare-run"
      />
      {run.state_type !== 'COMPLETED' && (
        <HeaderButton
          label={trans.__('Retry')}
          title={trans.__(
            'Execute this run again, with its parameters and the version that is live now'
          )}
          onClick={() => actions.onRetry(run)}
          testId="satflow-retry-run"
        />
      )}
      <HeaderButton
        label={trans.__('Run again…')}
        title={trans.__('Start a new run, with other parameters if needed')}
        onClick={() => actions.onRunAgain(run)}
        testId="satflow-run-again"
      />
    </>
  );
}

function HeaderButton(props: {
  label: string;
  title: string;
  onClick: () => void;
  testId: string;
}): JSX.Element {
  return (
    <Button
      className="jp-mod-styled jp-Satflow-button"
      title={props.title}
      onClick={props.onClick}
      data-testid={props.testId}
    >
      {props.label}
    </Button>
  );
}

function CancelButton({ run, actions }: IRunHeaderProps): JSX.Element {
  const trans = useTrans();
  return (
    <Button
      className="jp-mod-styled jp-mod-warn jp-Satflow-button"
      disabled={run.state_type === 'CANCELLING'}
      onClick={() => actions.onCancel(run)}
      data-testid="satflow-cancel-run"
    >
      {trans.__('Cancel')}
    </Button>
  );
}
