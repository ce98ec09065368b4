import type { ClusterMoment } from '../_api';
import type { ISharedCluster } from '../clusters/sharedClusters';

export function sharedCluster(
  change: Partial<ISharedCluster> = {}
): ISharedCluster {
  return {
    deployment_id: 'd1',
    deployment_name: 'tiles/tiles',
    gateway: '',
    state: 'running',
    workers: 3,
    isBusy: false,
    ...change
  };
}

/** Return a cluster's moment, the given number of seconds into 2026. */
export function clusterMoment(second: number): ClusterMoment {
  return {
    time: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString(),
    plan: 2,
    observed: 1,
    processing: 4,
    held: 0,
    cpu: 1.5,
    memory: 1024 ** 3,
    managed: 512 * 1024 ** 2,
    spilled: 0
  };
}
