import type { IDisposable } from '@lumino/disposable';

import type { ClusterStatus, ErrorBody, StreamFrame } from '../_api';
import { Observable } from '../components/observable';
import type { IStream } from '../stream';
import { appendSamples, type ISample } from './sampleHistory';

/** Return the key of a cluster: the id of its run, or of the deployment that keeps it between runs. */
export function clusterKey(status: ClusterStatus): string {
  return status.run_id ?? status.deployment_id ?? '';
}

/** The clusters of active runs and of deployments, updated while they are watched. */
export class ClustersModel extends Observable {
  constructor(private readonly stream: IStream) {
    super();
  }

  get items(): ClusterStatus[] {
    return this._items;
  }

  /** Ids of deployments that were checked and have no cluster now. */
  get deploymentsWithoutCluster(): readonly string[] {
    return this._deploymentsWithoutCluster;
  }

  /** Samples of the last minutes, by cluster key. */
  get samples(): ReadonlyMap<string, readonly ISample[]> {
    return this._samples;
  }

  get error(): ErrorBody | null {
    return this._error;
  }

  watch(): void {
    this.subscription ??= this.stream.subscribe('clusters', null, frame =>
      this.handleFrame(frame)
    );
  }

  unwatch(): void {
    this.subscription?.dispose();
    this.subscription = null;
  }

  dispose(): void {
    this.unwatch();
    super.dispose();
  }

  private handleFrame(frame: StreamFrame): void {
    if (frame.type === 'clusters.v1') {
      this._error = null;
      this._items = frame.clusters;
      this._deploymentsWithoutCluster = frame.absent;
      this._samples = new Map(
        frame.clusters.map(one => {
          const key = clusterKey(one);
          const before = this._samples.get(key) ?? [];
          return [key, appendSamples(before, frame.moments[key] ?? [])];
        })
      );
    } else if (frame.type === 'error.v1') {
      this._error = frame.error;
    }
    this.emitChanged();
  }

  private subscription: IDisposable | null = null;
  private _items: ClusterStatus[] = [];
  private _deploymentsWithoutCluster: string[] = [];
  private _samples = new Map<string, ISample[]>();
  private _error: ErrorBody | null = null;
}
