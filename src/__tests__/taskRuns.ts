import type { TaskRun } from '../_api';

/** A task run that has completed or is running. */
export function task(id: string, done: boolean): TaskRun {
  return {
    id,
    name: `square-${id}`,
    task: 'square',
    state_type: done ? 'COMPLETED' : 'RUNNING',
    state_name: done ? 'Completed' : 'Running',
    start: null,
    end: null,
    duration: 1.5,
    interrupted: false
  };
}
