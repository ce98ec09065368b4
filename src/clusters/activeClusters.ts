import { Throttler } from '@lumino/polling';

import type { ClusterStatus } from '../_api';
import type { IClient } from '../client';
import { type IObservable, Observable } from '../components/observable';
import type { StackModel } from '../stack/stack';

/** Milliseconds between two reads: clusters are sampled for them. */
const READ_PAUSE = 10_000;

/** The clusters that exist, read on request and after runs have changed. They are not watched. */
export class ActiveClusters extends Observable {
  /**
   * @param client - reads the clusters
   * @param runs - the active runs, whose start and end creates and closes clusters
   * @param stack - the stack, which is neither started nor checked
   */
  constructor(
    private readonly client: Pick<IClient, 'clusters'>,
    private readonly runs: IObservable,
    private readonly stack: Pick<StackModel, 'isReady'>
  ) {
    super();
    runs.changed.connect(this.refreshLater, this);
    this.throttler = new Throttler(() => this.refresh(), {
      limit: READ_PAUSE,
      edge: 'trailing'
    });
  }

  get items(): readonly ClusterStatus[] {
    return this._items;
  }

  /** Read the clusters now. A failure leaves the list empty: other parts of the page report it. */
  async refresh(): Promise<void> {
    try {
      const read = this.stack.isReady && (await this.client.clusters());
      this._items = read
        ? read.clusters.filter(one => one.state !== 'closed')
        : [];
    } catch {
      this._items = [];
    }
    this.emitChanged();
  }

  dispose(): void {
    this.runs.changed.disconnect(this.refreshLater, this);
    this.throttler.dispose();
    super.dispose();
  }

  private refreshLater(): void {
    void this.throttler.invoke();
  }

  private readonly throttler: Throttler;
  private _items: ClusterStatus[] = [];
}
