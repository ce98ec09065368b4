import type { ClusterStatus, ErrorBody } from '../_api';
import type { IClient } from '../client';
import { errorBody } from '../errors';
import { Polled } from './polled';

/** The clusters of all runs that are going, read every two seconds while somebody looks. */
export class ClustersModel extends Polled {
  constructor(private readonly client: Pick<IClient, 'clusters'>) {
    super({ name: 'clusters', interval: 2000, max: 30_000 });
  }

  get items(): ClusterStatus[] {
    return this._items;
  }

  get error(): ErrorBody | null {
    return this._error;
  }

  protected async read(): Promise<void> {
    try {
      this._items = (await this.client.clusters()).clusters;
      this._error = null;
    } catch (reason) {
      this._error = errorBody(reason);
      this.tell();
      throw reason; // the poll backs off
    }
    this.tell();
  }

  private _items: ClusterStatus[] = [];
  private _error: ErrorBody | null = null;
}
