import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { useTrans } from '../components/translation';

/** The task states of distributed, in the order in which a task passes through them. */
const STATE_ORDER = [
  'no-worker',
  'queued',
  'waiting',
  'processing',
  'memory',
  'erred'
];

export interface ITaskCountsProps {
  tasks: { [state: string]: number };
}

/** Number of Dask tasks in each state. */
export function TaskCounts({ tasks }: ITaskCountsProps): JSX.Element {
  const trans = useTrans();
  const shown = STATE_ORDER.filter(state => (tasks[state] ?? 0) > 0);
  return (
    <div className="jp-Satflow-facts" data-testid="satflow-task-counts">
      {shown.length === 0 && <span>{trans.__('no tasks')}</span>}
      {shown.map(state => (
        <span key={state} className={`jp-Satflow-count jp-mod-${state}`}>
          {tasks[state]} {describeTaskState(state, trans)}
        </span>
      ))}
    </div>
  );
}

function describeTaskState(state: string, trans: TranslationBundle): string {
  const words: Record<string, string> = {
    'no-worker': trans.__('without worker'),
    queued: trans.__('queued'),
    waiting: trans.__('waiting'),
    processing: trans.__('processing'),
    memory: trans.__('done'),
    erred: trans.__('erred')
  };
  return words[state] ?? state;
}
