import type { ClusterStatus, ClusterWorker } from '../_api';

/** One moment of a cluster, over all of its workers: CPU in cores, memory in bytes. */
export interface ISample {
  time: number;
  plan: number | null;
  observed: number;
  processing: number;
  /** Tasks that could run and do not: queued, or without a worker that can take them. */
  held: number;
  cpu: number;
  memory: number;
  managed: number;
  spilled: number;
}

/** How many samples are kept: ten minutes at one a second. */
export const HISTORY = 600;

/** The samples with the status' moment added, the oldest forgotten; one that is starting has nothing to show. */
export function sampled(
  samples: readonly ISample[],
  status: ClusterStatus
): ISample[] {
  const time = Date.parse(status.updated);
  const last = samples[samples.length - 1]?.time ?? 0;
  if (last >= time || status.state === 'starting') {
    return [...samples];
  }
  return [...samples, sample(time, status)].slice(-HISTORY);
}

function sample(time: number, status: ClusterStatus): ISample {
  const { tasks, workers, plan, observed } = status;
  const sum = (value: (worker: ClusterWorker) => number) =>
    workers.reduce((total, worker) => total + value(worker), 0);
  return {
    time,
    plan,
    observed,
    processing: tasks['processing'] ?? 0,
    held: (tasks['queued'] ?? 0) + (tasks['no-worker'] ?? 0),
    cpu: sum(worker => worker.cpu) / 100,
    memory: sum(worker => worker.memory),
    managed: sum(worker => worker.managed),
    spilled: sum(worker => worker.spilled)
  };
}
