import { Button, refreshIcon, stopIcon } from '@jupyterlab/ui-components';
import React from 'react';

import type { Run } from '../_api';
import { IconButton } from '../components/IconButton';
import { shortenText } from '../components/terminalText';
import { useTrans } from '../components/translation';
import {
  formatTimeOfDay,
  formatDuration,
  elapsedSeconds,
  hasEnded
} from '../format';
import { StateMark } from './StateMark';

export interface IRunRowProps {
  run: Run;
  /** Milliseconds since the epoch. */
  now: number;
  onOpen: (run: Run) => void;
  onCancel: (run: Run) => void;
  onRunAgain: (run: Run) => void;
}

/** A run with its name, its state and its last log line. */
export function RunRow(props: IRunRowProps): JSX.Element {
  const trans = useTrans();
  const { run, now, onOpen, onCancel, onRunAgain } = props;
  const ended = hasEnded(run.state_type);
  const name = run.deployment_name ?? run.flow_name;
  return (
    <li
      className="jp-Satflow-row"
      data-testid="satflow-run-row"
      data-run={run.id}
    >
      <div className="jp-Satflow-rowHead">
        <StateMark type={run.state_type} name={run.state_name} />
        <Button
          minimal
          className="jp-Satflow-link jp-Satflow-name"
          title={trans.__('Open run %1 of %2', run.name, name)}
          onClick={() => onOpen(run)}
          data-testid="satflow-open-run"
        >
          {name}
        </Button>
        <span className="jp-Satflow-rowEnd">
          {!ended && !run.in_kernel && (
            <IconButton
              icon={stopIcon}
              label={trans.__('Cancel run %1', run.name)}
              disabled={run.state_type === 'CANCELLING'}
              onClick={() => onCancel(run)}
              testId="satflow-cancel-run"
            />
          )}
          {run.deployment_id && (
            <IconButton
              icon={refreshIcon}
              label={trans.__('Run %1 again…', run.name)}
              onClick={() => onRunAgain(run)}
              testId="satflow-run-again"
            />
          )}
        </span>
      </div>
      <div className="jp-Satflow-facts">
        <span>{run.name}</span>
        <span>
          {formatTimeOfDay(run.start ?? run.expected_start ?? run.created)}
        </span>
        {run.start && <span>{formatDuration(elapsedSeconds(run, now))}</span>}
        {run.scheduled && <span>{trans.__('scheduled')}</span>}
        {run.in_kernel && <span>{trans.__('notebook')}</span>}
      </div>
      {run.why_waiting && (
        <p className="jp-Satflow-note jp-mod-warning" data-testid="satflow-why">
          {run.why_waiting}
        </p>
      )}
      {run.last_line && <LastLine text={run.last_line} />}
    </li>
  );
}

/** Maximum length of the last line in the row and its tooltip. */
const LAST_LINE_LIMIT = 400;

function LastLine({ text }: { text: string }): JSX.Element {
  const words = shortenText(text, LAST_LINE_LIMIT);
  return (
    <p className="jp-Satflow-lastLine" title={words}>
      <bdi>{words}</bdi>
    </p>
  );
}
