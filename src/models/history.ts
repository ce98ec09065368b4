import type { ClusterStatus } from '../_api';

/** One moment of a cluster: memory in bytes, over all of its workers. */
export interface ISample {
  time: number;
  processing: number;
  memory: number;
}

/** How many samples are kept: ten minutes at one a second. */
export const HISTORY = 600;

/** The samples with the status' moment added, the oldest forgotten. */
export function sampled(
  samples: readonly ISample[],
  status: ClusterStatus
): ISample[] {
  const time = Date.parse(status.updated);
  if (samples.length > 0 && samples[samples.length - 1].time >= time) {
    return [...samples];
  }
  const sample = {
    time,
    processing: status.tasks['processing'] ?? 0,
    memory: status.workers.reduce((sum, worker) => sum + worker.memory, 0)
  };
  return [...samples, sample].slice(-HISTORY);
}
