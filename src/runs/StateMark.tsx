import {
  checkIcon,
  circleEmptyIcon,
  closeIcon,
  errorIcon,
  historyIcon,
  type LabIcon,
  runIcon,
  stopIcon
} from '@jupyterlab/ui-components';
import React from 'react';

import type { Run, StateChange } from '../_api';
import { nameInvisible } from '../components/terminalText';
import { useTrans } from '../components/translation';
import { formatLogTime, stateName } from '../format';
import { pauseIcon } from '../icons';

const ICONS: Record<Run['state_type'], LabIcon> = {
  SCHEDULED: historyIcon,
  PENDING: circleEmptyIcon,
  RUNNING: runIcon,
  COMPLETED: checkIcon,
  FAILED: closeIcon,
  CANCELLED: stopIcon,
  CRASHED: errorIcon,
  PAUSED: pauseIcon,
  CANCELLING: stopIcon
};

/** Return the icon of a state. */
export const stateIcon = (type: Run['state_type']): LabIcon => ICONS[type];

export interface IStateMarkProps {
  type: Run['state_type'];
  /** Prefect's name for the state, such as "Late" for a SCHEDULED run, or one of ours, such as "Interrupted". */
  name: string;
  /** How many runs have this state, if it is that of several. */
  count?: number;
}

/** A state as icon and text, so that color is never the only sign. */
export function StateMark(props: IStateMarkProps): JSX.Element {
  const trans = useTrans();
  const { type, name, count } = props;
  const icon = ICONS[type];
  return (
    <span
      className={`jp-Satflow-state jp-mod-${type.toLowerCase()}`}
      data-testid="satflow-state"
      data-state={type}
    >
      <icon.react tag="span" width="12px" aria-hidden="true" />
      {count !== undefined && `${count} `}
      {stateName(name, trans)}
    </span>
  );
}

/** The states that a run or task run had. */
export function StateList(props: {
  states: readonly StateChange[];
}): JSX.Element {
  return (
    <ol className="jp-Satflow-stateList" data-testid="satflow-states">
      {props.states.map(({ time, type, name, message }) => (
        <li key={`${time} ${name}`}>
          <time dateTime={time}>{formatLogTime(time)}</time>
          <StateMark type={type} name={name} />
          {message && (
            <span className="jp-Satflow-hint">{nameInvisible(message)}</span>
          )}
        </li>
      ))}
    </ol>
  );
}
