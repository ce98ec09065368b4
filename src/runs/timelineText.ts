import type { TranslationBundle } from '@jupyterlab/translation';

import type { TaskRun } from '../_api';
import { formatDuration, formatLogTime, stateName } from '../format';
import type { ITaskGroup } from './tasks';
import type { BarKind, IBar } from './timelineRows';
import type { ITimelineTarget } from './timelineScene';

/** Return the state of a task run as text. */
export function stateText(run: TaskRun, trans: TranslationBundle): string {
  return stateName(run.interrupted ? 'Interrupted' : run.state_name, trans);
}

/** Return the name of a kind of bar. */
export function kindName(kind: BarKind, trans: TranslationBundle): string {
  const names: Record<BarKind, string> = {
    waiting: trans.__('Waiting'),
    running: trans.__('Running'),
    completed: trans.__('Completed'),
    cached: trans.__('Cached'),
    failed: trans.__('Failed'),
    crashed: trans.__('Crashed or interrupted'),
    cancelled: trans.__('Cancelled')
  };
  return names[kind];
}

/** Describe what the user points at: its name, and a few facts. */
export function describeTarget(
  { row, bar, time }: ITimelineTarget,
  workers: ReadonlyMap<string, string>,
  trans: TranslationBundle
): string[] {
  if (bar) {
    return describeBar(bar, workers.get(bar.run.id) ?? null, trans);
  }
  if (!row.group || row.kind !== 'group') {
    return [row.label, trans.__('Not started')];
  }
  return [row.label, ...describeGroup(row.group, row.bars, time, trans)];
}

/** Describe a task run: its name, state, times, attempts and Dask worker. */
export function describeBar(
  { run, to }: Pick<IBar, 'run' | 'to'>,
  worker: string | null,
  trans: TranslationBundle
): string[] {
  const took =
    run.start && run.end
      ? formatDuration(
          Math.max(0, Date.parse(run.end) - Date.parse(run.start)) / 1000
        )
      : null;
  return [
    run.name,
    stateText(run, trans) + (took ? `, ${took}` : ''),
    ...(run.start
      ? [trans.__('started %1', formatLogTime(run.start))]
      : to === null
        ? []
        : [trans.__('not started')]),
    ...(run.attempts > 1
      ? [trans._n('%1 attempt', '%1 attempts', run.attempts)]
      : []),
    ...(worker ? [trans.__('Dask worker %1', worker)] : [])
  ];
}

function describeGroup(
  { runs, counts }: ITaskGroup,
  bars: readonly IBar[],
  time: number | null,
  trans: TranslationBundle
): string[] {
  const at = bars.filter(
    bar => time !== null && bar.from <= time && (bar.to ?? Infinity) > time
  ).length;
  return [
    trans._n('%1 task run', '%1 task runs', runs.length),
    counts
      .map(({ name, count }) => `${count} ${name ?? trans.__('Interrupted')}`)
      .join(', '),
    ...(time === null
      ? []
      : [
          trans.__(
            '%1 at the same time at %2',
            at,
            formatLogTime(new Date(time).toISOString())
          )
        ])
  ];
}

/** Describe a timeline in one sentence. */
export function describeTimeline(
  groups: readonly ITaskGroup[],
  count: number,
  trans: TranslationBundle
): string {
  return trans.__(
    'Timeline of %1 of %2. The table below has the same as text.',
    trans._n('%1 task run', '%1 task runs', count),
    trans._n('%1 task', '%1 tasks', groups.length)
  );
}
