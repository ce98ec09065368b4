import { Poll } from '@lumino/polling';

import type { ClusterStatus } from '../_api';
import type { IClient } from '../client';
import { type IObservable, Observable } from '../components/observable';

/** Runs that have not ended. */
export interface IActiveRuns extends IObservable {
  readonly items: readonly unknown[];
}

/** The clusters of runs that have not ended, read every ten seconds while there are such runs and the page is visible. */
export class ActiveClusters extends Observable {
  /**
   * @param client - reads the clusters
   * @param runs - the active runs, whose clusters are read
   * @param stack - the stack, which is neither started nor checked
   */
  constructor(
    private readonly client: Pick<IClient, 'clusters'>,
    private readonly runs: IActiveRuns,
    private readonly stack: { readonly isReady: boolean }
  ) {
    super();
    this.poll = new Poll({
      auto: false,
      factory: () => this.refresh(),
      frequency: { interval: 10_000, backoff: true, max: 60_000 },
      name: 'satflow-ext:active-clusters',
      standby: 'when-hidden'
    });
    runs.changed.connect(this.handleRuns, this);
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
    this.runs.changed.disconnect(this.handleRuns, this);
    this.poll.dispose();
    super.dispose();
  }

  private handleRuns(): void {
    const hasRuns = this.runs.items.length > 0;
    if (hasRuns === this.isPolling) {
      return;
    }
    this.isPolling = hasRuns;
    if (hasRuns) {
      void this.poll.refresh();
    } else {
      void this.poll.stop();
      void this.refresh();
    }
  }

  private readonly poll: Poll;
  private isPolling = false;
  private _items: ClusterStatus[] = [];
}
