import { Throttler } from '@lumino/polling';

import type { RecentRun } from '../_api';
import type { IClient } from '../client';
import { Observable } from '../components/observable';
import type { RunsModel } from './runs';

/** Milliseconds between two reads: a list of runs changes every second while one runs. */
const READ_PAUSE = 10_000;

/** Maximum number of deployments in one request. */
const MAX_IDS = 50;

function splitIds(ids: readonly string[]): string[][] {
  const count = Math.ceil(ids.length / MAX_IDS);
  return Array.from({ length: count }, (_, part) =>
    ids.slice(part * MAX_IDS, (part + 1) * MAX_IDS)
  );
}

/** The last runs of the deployments that are shown, read again when runs have changed. */
export class RecentRunsModel extends Observable {
  constructor(
    private readonly client: Pick<IClient, 'recentRuns'>,
    private readonly runs: RunsModel
  ) {
    super();
    this.throttler = new Throttler(() => this.read(), {
      limit: READ_PAUSE,
      edge: 'trailing'
    });
  }

  /** The last runs of a deployment, newest first. */
  of(deploymentId: string): readonly RecentRun[] {
    return this.found[deploymentId] ?? [];
  }

  /** Set the deployments that are shown. */
  show(ids: readonly string[]): void {
    const isNew = ids.some(id => !this.ids.includes(id));
    this.ids = ids;
    if (isNew && this.isWatching) {
      void this.read();
    }
  }

  watch(): void {
    if (!this.isWatching) {
      this.isWatching = true;
      this.runs.changed.connect(this.readLater, this);
      void this.read();
    }
  }

  unwatch(): void {
    this.isWatching = false;
    this.runs.changed.disconnect(this.readLater, this);
  }

  dispose(): void {
    this.unwatch();
    this.throttler.dispose();
    super.dispose();
  }

  private readLater(): void {
    void this.throttler.invoke();
  }

  private async read(): Promise<void> {
    if (this.ids.length === 0) {
      return;
    }
    try {
      const parts = await Promise.all(
        splitIds(this.ids).map(ids =>
          this.client.recentRuns({ deployment_ids: ids })
        )
      );
      this.found = Object.assign({}, ...parts.map(({ runs }) => runs));
    } catch {
      // The list of runs is read at the same time, and shows the error.
    }
    this.emitChanged();
  }

  private readonly throttler: Throttler;
  private ids: readonly string[] = [];
  private found: Record<string, RecentRun[]> = {};
  private isWatching = false;
}
