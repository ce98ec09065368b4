import type { TaskRun } from '../_api';
import { hasEnded } from '../format';
import { type ITaskGroup, isCached } from './tasks';

/** The appearance of a bar: a color, and a pattern or shape of its own. */
export type BarKind =
  | 'waiting'
  | 'running'
  | 'completed'
  | 'cached'
  | 'failed'
  | 'crashed'
  | 'cancelled';

/** A task run on the time axis, in milliseconds. */
export interface IBar {
  run: TaskRun;
  kind: BarKind;
  /** The start, or the only known time of a task run that never started. */
  from: number;
  /** The end; null while the task run is running. */
  to: number | null;
}

/** A row of the timeline. All rows have the same height. */
export interface ITimelineRow {
  key: string;
  label: string;
  /** "group": a collapsed or expanded task; "run": a task run; "lane": task runs of a worker that do not overlap. */
  kind: 'group' | 'run' | 'lane';
  /** The task runs in the row by their start; those of a group may overlap. */
  bars: readonly IBar[];
  /** The task of a group or of one of its runs. */
  group: ITaskGroup | null;
  /** True if the rows of the group's runs follow. */
  isOpen: boolean;
  /** True if the row belongs to the group above it. */
  isChild: boolean;
}

/** The number of task runs that ran at the same time, as steps. */
export interface IProfile {
  times: number[];
  /** The number from each time to the next one; the last one holds until now. */
  counts: number[];
  peak: number;
}

/** A range of time in milliseconds. */
export interface ITimeRange {
  from: number;
  to: number;
}

/** Return the kind of bar that shows the state of a task run. */
export function barKind(run: TaskRun): BarKind {
  if (run.interrupted || run.state_type === 'CRASHED') {
    return 'crashed';
  }
  switch (run.state_type) {
    case 'COMPLETED':
      return isCached(run) ? 'cached' : 'completed';
    case 'FAILED':
      return 'failed';
    case 'CANCELLED':
      return 'cancelled';
    case 'RUNNING':
    case 'CANCELLING':
      return 'running';
    default:
      return 'waiting';
  }
}

/**
 * Place a task run on the time axis. Return null if none of its times is known. Clocks of machines differ, so that an
 * end may be before its start; the bar then has no length.
 *
 * @param run - the task run
 * @param end - the end of the flow run in milliseconds, or null; an interrupted task run ends with it
 */
export function placeBar(run: TaskRun, end: number | null): IBar | null {
  const kind = barKind(run);
  const ended = hasEnded(run.state_type);
  const from = parseTime(
    run.start ?? (ended ? run.end : null) ?? run.expected_start ?? run.end
  );
  if (from === null) {
    return null;
  }
  const isOpen = run.start !== null && !ended;
  const known = isOpen ? end : parseTime(run.end);
  const to =
    isOpen && !run.interrupted
      ? null
      : run.start === null
        ? from
        : Math.max(from, known ?? from);
  return { run, kind, from, to };
}

/** Place the task runs that have a time, in the order of their start. */
export function placeBars(
  runs: readonly TaskRun[],
  end: number | null
): IBar[] {
  return runs
    .flatMap(run => placeBar(run, end) ?? [])
    .sort((a, b) => a.from - b.from);
}

/**
 * Return one row for each task, and below an opened one a row for each of its runs.
 *
 * @param groups - the task runs by task
 * @param opened - the names of the tasks that the user opened
 * @param end - the end of the flow run in milliseconds, or null
 */
export function makeTaskRows(
  groups: readonly ITaskGroup[],
  opened: ReadonlySet<string>,
  end: number | null
): ITimelineRow[] {
  return groups.flatMap(group => {
    const isMapped = group.runs.length > 1;
    const isOpen = isMapped && opened.has(group.task);
    const rows = isMapped ? [makeGroupRow(group, isOpen, end)] : [];
    return isMapped && !isOpen
      ? rows
      : rows.concat(group.runs.map(run => makeRunRow(run, group, end)));
  });
}

function makeGroupRow(
  group: ITaskGroup,
  isOpen: boolean,
  end: number | null
): ITimelineRow {
  const { task, runs } = group;
  return {
    key: `task ${task}`,
    label: task,
    kind: 'group',
    bars: placeBars(runs, end),
    group,
    isOpen,
    isChild: false
  };
}

function makeRunRow(
  run: TaskRun,
  group: ITaskGroup,
  end: number | null
): ITimelineRow {
  return {
    key: `run ${run.id}`,
    label: run.name,
    kind: 'run',
    bars: placeBars([run], end),
    group,
    isOpen: false,
    isChild: group.runs.length > 1
  };
}

/**
 * Return rows for each Dask worker: as many as it ran tasks at the same time.
 *
 * @param runs - the task runs
 * @param workers - the names of workers by the ids of task runs
 * @param unknown - the label of the rows of task runs whose worker is not known
 * @param end - the end of the flow run in milliseconds, or null
 */
export function makeWorkerRows(
  runs: readonly TaskRun[],
  workers: ReadonlyMap<string, string>,
  unknown: string,
  end: number | null
): ITimelineRow[] {
  const byWorker = new Map<string | null, TaskRun[]>();
  for (const run of runs) {
    const worker = workers.get(run.id) ?? null;
    const own = byWorker.get(worker) ?? [];
    own.push(run);
    byWorker.set(worker, own);
  }
  return [...byWorker]
    .sort(([a], [b]) => compareWorkers(a, b))
    .flatMap(([worker, own]) =>
      packLanes(placeBars(own, end)).map((bars, index) => ({
        key: `worker ${worker ?? ''} ${index}`,
        label: index === 0 ? (worker ?? unknown) : '',
        kind: 'lane' as const,
        bars,
        group: null,
        isOpen: false,
        isChild: index > 0
      }))
    );
}

function compareWorkers(a: string | null, b: string | null): number {
  if (a === null || b === null) {
    return a === b ? 0 : a === null ? 1 : -1;
  }
  return a.localeCompare(b, undefined, { numeric: true });
}

/** Distribute bars over as few lanes as possible, so that the bars of a lane do not overlap. */
export function packLanes(bars: readonly IBar[]): IBar[][] {
  const lanes: IBar[][] = [];
  for (const bar of bars) {
    const lane = lanes.find(one => endOf(one[one.length - 1]) <= bar.from);
    if (lane) {
      lane.push(bar);
    } else {
      lanes.push([bar]);
    }
  }
  return lanes;
}

function endOf(bar: IBar): number {
  return bar.to ?? Infinity;
}

/** Count how many task runs were running at each time. */
export function measureProfile(bars: readonly IBar[]): IProfile {
  const steps = bars
    .filter(bar => bar.kind !== 'waiting')
    .filter(bar => bar.to === null || bar.to > bar.from)
    .flatMap(({ from, to }) => [
      { time: from, by: 1 },
      ...(to === null ? [] : [{ time: to, by: -1 }])
    ])
    .sort((a, b) => a.time - b.time || a.by - b.by);
  const times: number[] = [];
  const counts: number[] = [];
  let count = 0;
  for (const { time, by } of steps) {
    count += by;
    if (times[times.length - 1] === time) {
      counts[counts.length - 1] = count;
    } else {
      times.push(time);
      counts.push(count);
    }
  }
  return { times, counts, peak: counts.reduce((a, b) => Math.max(a, b), 0) };
}

/**
 * Return the range of time that contains all bars, or null if there are none.
 *
 * @param rows - the rows
 * @param now - the end of running bars, in milliseconds
 */
export function findBounds(
  rows: readonly ITimelineRow[],
  now: number
): ITimeRange | null {
  let from = Infinity;
  let to = -Infinity;
  for (const { bars } of rows) {
    for (const bar of bars) {
      from = Math.min(from, bar.from);
      to = Math.max(to, bar.to ?? now, bar.from);
    }
  }
  return from > to ? null : { from, to };
}

/** Return the position of the first bar that ends after a time; bars of a lane are sorted by both of their times. */
export function firstBarAfter(bars: readonly IBar[], time: number): number {
  let [low, high] = [0, bars.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (endOf(bars[middle]) < time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

function parseTime(time: string | null): number | null {
  return time === null ? null : Date.parse(time);
}
