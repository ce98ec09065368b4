import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useMemo } from 'react';

import { useTrans } from '../components/translation';
import type { ITaskRuns } from './taskRuns';
import { groupTasks, type IProgress, measureProgress } from './tasks';

export interface IRunProgressProps {
  tasks: ITaskRuns;
  hasEnded: boolean;
  /** The time in milliseconds, by the browser's clock. */
  now: number;
}

/** The number of finished task runs; with an estimate of the remaining time, if there is a basis for one. */
export function RunProgress(props: IRunProgressProps): JSX.Element | null {
  const trans = useTrans();
  const { tasks, hasEnded, now } = props;
  const groups = useMemo(() => groupTasks(tasks.items), [tasks.items]);
  if (tasks.items.length === 0) {
    return null;
  }
  const progress = measureProgress(groups, now + tasks.clockOffset);
  return (
    <span data-testid="satflow-progress">
      {hasEnded
        ? trans._n('%1 task run', '%1 task runs', tasks.total)
        : describeProgress(progress, trans)}
    </span>
  );
}

/**
 * Describe the progress. Prefect has a task run only from its start, except those that wait for a retry or for a
 * concurrency limit: without any of these, the number of all task runs is unknown.
 */
function describeProgress(
  { finished, running, waiting, remaining }: IProgress,
  trans: TranslationBundle
): string {
  if (waiting === 0) {
    return trans.__('%1 task runs finished, %2 running', finished, running);
  }
  const count = trans.__(
    '%1 of %2 task runs',
    finished,
    finished + running + waiting
  );
  return remaining === null
    ? count
    : trans.__('%1, about %2 left', count, roundDuration(remaining, trans));
}

function roundDuration(seconds: number, trans: TranslationBundle): string {
  const minutes = Math.round(seconds / 60);
  if (seconds < 90) {
    return trans.__('%1 s', Math.max(5, Math.round(seconds / 5) * 5));
  }
  return minutes < 90
    ? trans.__('%1 min', minutes)
    : trans.__('%1 h', Math.round(minutes / 60));
}
