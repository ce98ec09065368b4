import type { ResultPreview, RunDetail, TaskRun, TaskRunPage } from '../_api';
import type { IClient } from '../client';
import { TaskRunStore } from '../runs/taskRuns';
import { run } from './fakes';

/** The time from which task runs are counted. */
export const START = Date.UTC(2026, 0, 1);

/** Return a time some seconds after the start. */
export function at(seconds: number): string {
  return new Date(START + seconds * 1000).toISOString();
}

/** Return a function that yields the same numbers from 0 to 1 in each test run. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

export function runDetail(change: Partial<RunDetail> = {}): RunDetail {
  return {
    run: run(),
    parents: [],
    failure: null,
    artifacts: [],
    states: [],
    origin: { kind: 'user', name: null },
    job_variables: {},
    settled: false,
    ...change
  };
}

export function taskRun(id: string, change: Partial<TaskRun> = {}): TaskRun {
  return {
    id,
    name: `square-${id}`,
    task: 'square',
    state_type: 'COMPLETED',
    state_name: 'Completed',
    expected_start: null,
    start: null,
    end: null,
    duration: 1.5,
    attempts: 1,
    tags: [],
    interrupted: false,
    nested_run_id: null,
    inputs: [],
    input_count: change.inputs?.length ?? 0,
    caller: null,
    ...change
  };
}

export function resultPreview(
  change: Partial<ResultPreview> = {}
): ResultPreview {
  return {
    kind: 'none',
    format: null,
    size: 0,
    text: null,
    table: null,
    image: null,
    ...change
  };
}

/** A task run that has completed or is running. */
export function task(id: string, done: boolean): TaskRun {
  return done
    ? taskRun(id)
    : taskRun(id, { state_type: 'RUNNING', state_name: 'Running' });
}

export function taskRunPage(
  runs: TaskRun[],
  change: Partial<TaskRunPage> = {}
): TaskRunPage {
  return {
    reset: false,
    task_runs: runs,
    cursor: '0123456789abcdef:1',
    more: false,
    total: runs.length,
    time: new Date().toISOString(),
    ...change
  };
}

/** Task runs as the views receive them. */
export function storeOf(...runs: TaskRun[]): TaskRunStore {
  const store = new TaskRunStore();
  store.addPage(taskRunPage(runs));
  return store;
}

/** A client of a server whose run has these task runs. */
export function taskRunClient(
  ...runs: TaskRun[]
): Pick<IClient, 'runVersion' | 'runResult' | 'taskRuns' | 'taskRun'> {
  return {
    runVersion: async () => ({ number: null, defaults: {} }),
    runResult: async () => resultPreview(),
    taskRuns: async () => taskRunPage(runs),
    taskRun: async (_, id) => ({ id, states: [], inputs: [] })
  };
}
