import type { ClusterMoment } from '../_api';

/** A sample of a cluster, over all of its workers, with the time in milliseconds. */
export interface ISample extends Omit<ClusterMoment, 'time'> {
  time: number;
}

/** Maximum number of samples: ten minutes at one per second. */
export const MAX_SAMPLES = 600;

/** Append new moments to the samples and drop the oldest; after a reconnect the server sends some moments again. */
export function appendSamples(
  samples: readonly ISample[],
  moments: readonly ClusterMoment[]
): ISample[] {
  const last = samples[samples.length - 1]?.time ?? 0;
  const more = moments
    .map(one => ({ ...one, time: Date.parse(one.time) }))
    .filter(one => one.time > last);
  return [...samples, ...more].slice(-MAX_SAMPLES);
}
