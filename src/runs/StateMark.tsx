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

import type { Run } from '../_api';
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

export interface IStateMarkProps {
  type: Run['state_type'];
  /** Prefect's name for the state, such as "Late" for a SCHEDULED run. */
  name: string;
}

/** A state as icon and text, so that color is never the only sign. */
export function StateMark({ type, name }: IStateMarkProps): JSX.Element {
  const icon = ICONS[type];
  return (
    <span
      className={`jp-Satflow-state jp-mod-${type.toLowerCase()}`}
      data-testid="satflow-state"
      data-state={type}
    >
      <icon.react tag="span" width="12px" aria-hidden="true" />
      {name}
    </span>
  );
}
