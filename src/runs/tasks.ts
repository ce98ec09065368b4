import type { LogLine, TaskRun } from '../_api';
import { hasEnded } from '../format';

/** The runs of one task: one run, or many if the task was mapped. */
export interface ITaskGroup {
  task: string;
  runs: TaskRun[];
  /** Number of runs in each state, by Prefect's name for the state. */
  counts: { type: TaskRun['state_type']; name: string; count: number }[];
  /** Duration in seconds, summed over the runs. */
  duration: number;
}

/** Group task runs by task, in the order of the first run of each task. */
export function groupTasks(tasks: TaskRun[]): ITaskGroup[] {
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
    duration: runs.reduce((sum, run) => sum + run.duration, 0)
  }));
}

/** Return whether all tasks that wrote to the log of an ended run are known and have reached a final state. */
export function hasAllTasks(
  tasks: readonly TaskRun[],
  lines: readonly LogLine[]
): boolean {
  const ids = new Set(tasks.map(task => task.id));
  return (
    tasks.every(task => task.interrupted || hasEnded(task.state_type)) &&
    lines.every(({ task_run_id: id }) => id === null || ids.has(id))
  );
}

function countStates(runs: TaskRun[]): ITaskGroup['counts'] {
  const names = [...new Set(runs.map(run => run.state_name))];
  return names.map(name => {
    const same = runs.filter(run => run.state_name === name);
    return { type: same[0].state_type, name, count: same.length };
  });
}
