import { Poll } from '@lumino/polling';

import type { ClusterStatus, ErrorBody } from '../_api';
import type { IClient } from '../client';
import { errorBody } from '../errors';
import { Observable } from './observable';

/** The clusters of all runs that are going, read every two seconds while somebody looks. */
export class ClustersModel extends Observable {
  constructor(private readonly client: Pick<IClient, 'clusters'>) {
    super();
    this.poll = new Poll({
      auto: false,
      factory: () => this.read(),
      frequency: { interval: 2000, backoff: true, max: 30_000 },
      name: 'satflow-ext:clusters',
      standby: 'when-hidden'
    });
  }

  get items(): ClusterStatus[] {
    return this._items;
  }

  get error(): ErrorBody | null {
    return this._error;
  }

  watch(): void {
    void this.poll.refresh();
  }

  unwatch(): void {
    void this.poll.stop();
  }

  dispose(): void {
    this.poll.dispose();
    super.dispose();
  }

  private async read(): Promise<void> {
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

  private readonly poll: Poll;
  private _items: ClusterStatus[] = [];
  private _error: ErrorBody | null = null;
}
