import type { ClusterMoment } from '../_api';

/** One moment of a cluster, over all of its workers, with its time in milliseconds. */
export interface ISample extends Omit<ClusterMoment, 'time'> {
  time: number;
}

/** How many samples are kept: ten minutes at one a second. */
export const HISTORY = 600;

/** The samples with the moments that follow on them, the oldest forgotten; after a cut some come a second time. */
export function continued(
  samples: readonly ISample[],
  moments: readonly ClusterMoment[]
): ISample[] {
  const last = samples[samples.length - 1]?.time ?? 0;
  const more = moments
    .map(one => ({ ...one, time: Date.parse(one.time) }))
    .filter(one => one.time > last);
  return [...samples, ...more].slice(-HISTORY);
}
