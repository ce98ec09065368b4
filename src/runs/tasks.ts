import type { TaskRun } from '../_api';
import { hasEnded } from '../format';

/** The runs of one task: one run, or many if the task was mapped. */
export interface ITaskGroup {
  task: string;
  runs: TaskRun[];
  /** Number of runs in each state, by Prefect's name for the state. */
  counts: IStateCount[];
  /** Number of runs that will not change any more. */
  finished: number;
  /** Duration in seconds, summed over the runs. */
  duration: number;
}

/** The number of task runs in one state. An interrupted run counts as crashed, with a null name. */
export interface IStateCount {
  type: TaskRun['state_type'];
  name: string | null;
  count: number;
}

/** Group task runs by task, in the order of the first run of each task. */
export function groupTasks(tasks: readonly TaskRun[]): ITaskGroup[] {
  const byTask = new Map<string, TaskRun[]>();
  for (const run of tasks) {
    const runs = byTask.get(run.task);
    if (runs) {
      runs.push(run);
    } else {
      byTask.set(run.task, [run]);
    }
  }
  return [...byTask].map(([task, runs]) => ({
    task,
    runs,
    counts: countStates(runs),
    finished: runs.filter(isFinished).length,
    duration: runs.reduce((sum, run) => sum + run.duration, 0)
  }));
}

/** Return whether a task run will not change any more. */
export function isFinished(run: TaskRun): boolean {
  return run.interrupted || hasEnded(run.state_type);
}

/** Return whether a task run took the result of an earlier one from the cache. */
export function isCached(run: TaskRun): boolean {
  return run.state_name === 'Cached';
}

function countStates(runs: readonly TaskRun[]): IStateCount[] {
  const counts = new Map<string | null, IStateCount>();
  for (const run of runs) {
    const name = run.interrupted ? null : run.state_name;
    const known = counts.get(name);
    if (known) {
      known.count += 1;
    } else {
      const type = run.interrupted ? 'CRASHED' : run.state_type;
      counts.set(name, { type, name, count: 1 });
    }
  }
  return [...counts.values()];
}

/** The progress of a run's tasks, as far as it is known. */
export interface IProgress {
  finished: number;
  running: number;
  /** Number of task runs that Prefect has and that have not started. */
  waiting: number;
  /** Seconds until all known task runs have finished; null if there is no basis for an estimate. */
  remaining: number | null;
}

/** Number of finished runs of a task whose median is a basis for its other runs. */
const ENOUGH_RUNS = 3;

/**
 * Return the progress of a run's tasks.
 *
 * @param groups - the task runs by task
 * @param now - the time in milliseconds, by the server's clock
 */
export function measureProgress(
  groups: readonly ITaskGroup[],
  now: number
): IProgress {
  const sum = (count: (group: ITaskGroup) => number) =>
    groups.reduce((total, group) => total + count(group), 0);
  const finished = sum(group => group.finished);
  const running = sum(group => group.runs.filter(isRunning).length);
  const waiting = sum(group => group.runs.length) - finished - running;
  const work = sum(group => estimateWork(group, now));
  const isKnown = waiting > 0 && running > 0 && !Number.isNaN(work);
  const remaining = isKnown ? work / running : null;
  return { finished, running, waiting, remaining };
}

function isRunning(run: TaskRun): boolean {
  return !isFinished(run) && run.state_type === 'RUNNING';
}

/** Return the seconds that the unfinished runs of a task will take, one after another; NaN if that is unknown. */
function estimateWork({ runs }: ITaskGroup, now: number): number {
  const unfinished = runs.filter(run => !isFinished(run));
  const done = runs.filter(
    run => run.state_type === 'COMPLETED' && !isCached(run)
  );
  if (unfinished.length === 0) {
    return 0;
  }
  if (done.length < ENOUGH_RUNS) {
    return NaN;
  }
  const usual = median(done.map(run => run.duration));
  return unfinished.reduce((sum, run) => {
    const took = run.start ? (now - Date.parse(run.start)) / 1000 : 0;
    return sum + Math.max(0, usual - Math.max(0, took));
  }, 0);
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2
    ? sorted[middle]
    : (sorted[middle - 1] + sorted[middle]) / 2;
}
