import type { ClusterStatus, ErrorBody } from '../_api';
import type { IClient } from '../client';
import { errorBody } from '../errors';
import { type ISample, sampled } from './history';
import { Polled } from './polled';

/** What a cluster is known by: its run, or the deployment that has it also between runs. */
export function clusterKey(status: ClusterStatus): string {
  return status.run_id ?? status.deployment_id ?? '';
}

/** The clusters of all runs that are going, read every two seconds while somebody looks. */
export class ClustersModel extends Polled {
  constructor(private readonly client: Pick<IClient, 'clusters'>) {
    super({ name: 'clusters', interval: 2000, max: 30_000 });
  }

  get items(): ClusterStatus[] {
    return this._items;
  }

  /** How each was in the last minutes, by its key. */
  get samples(): ReadonlyMap<string, readonly ISample[]> {
    return this._samples;
  }

  get error(): ErrorBody | null {
    return this._error;
  }

  protected async read(): Promise<void> {
    try {
      this.take((await this.client.clusters()).clusters);
      this._error = null;
    } catch (reason) {
      this._error = errorBody(reason);
      this.tell();
      throw reason; // the poll backs off
    }
    this.tell();
  }

  private take(items: ClusterStatus[]): void {
    this._items = items;
    this._samples = new Map(
      items.map(one => {
        const key = clusterKey(one);
        return [key, sampled(this._samples.get(key) ?? [], one)];
      })
    );
  }

  private _items: ClusterStatus[] = [];
  private _samples = new Map<string, ISample[]>();
  private _error: ErrorBody | null = null;
}
