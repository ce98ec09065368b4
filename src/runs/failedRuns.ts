import type { IDisposable } from '@lumino/disposable';

import type { Run } from '../_api';
import { hasFailed } from '../format';
import type { RunsModel } from './runs';

/** Reports runs that fail while this page is open, each once, except for those that were started here. */
export class FailedRunsWatcher implements IDisposable {
  constructor(
    private readonly runs: Pick<RunsModel, 'changed' | 'items' | 'runStarted'>,
    private readonly onFailed: (failed: Run[]) => void
  ) {
    runs.runStarted.connect(this.onStarted, this);
    runs.changed.connect(this.onChanged, this);
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this.runs.runStarted.disconnect(this.onStarted, this);
    this.runs.changed.disconnect(this.onChanged, this);
  }

  private onStarted(_: unknown, run: Run): void {
    this.known.add(run.id);
  }

  private onChanged(): void {
    const failed = this.runs.items.filter(
      run =>
        hasFailed(run.state_type) &&
        !this.known.has(run.id) &&
        run.end !== null &&
        Date.parse(run.end) >= this.since
    );
    failed.forEach(run => this.known.add(run.id));
    if (failed.length > 0) {
      this.onFailed(failed);
    }
  }

  /** Runs that were reported or need not be. */
  private readonly known = new Set<string>();
  private readonly since = Date.now();
  private _isDisposed = false;
}
