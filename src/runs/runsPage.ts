import { Throttler } from '@lumino/polling';

import type { Run, RunChangeRequest, RunChanges } from '../_api';
import type { IClient } from '../client';
import { Observable } from '../components/observable';
import { queryNow, type RunsFilter, type RunsModel } from './runs';

/** A change of several runs. */
export type RunAction = RunChangeRequest['action'];

/** Maximum number of runs that one request changes. */
const MAX_CHANGES = 200;

/** Maximum number of planned runs in the agenda, and milliseconds between two reads of them. */
const MAX_PLANNED = 200;
const READ_PAUSE = 10_000;

/** How the runs are shown. */
export type RunsMode = 'table' | 'agenda';

/** The selected runs of a list, changes of them, and the planned runs. */
export class RunsPage extends Observable {
  constructor(
    readonly runs: RunsModel,
    private readonly client: Pick<IClient, 'changeRuns' | 'runs'>,
    private _mode: RunsMode = 'table'
  ) {
    super();
    runs.changed.connect(this.handleRuns, this);
  }

  get mode(): RunsMode {
    return this._mode;
  }

  /** The planned runs that match the filter, known while the agenda is shown. */
  get upcoming(): readonly Run[] {
    return this._upcoming;
  }

  setMode(mode: RunsMode): void {
    this._mode = mode;
    this.emitChanged();
    if (mode === 'agenda') {
      void this.readUpcoming();
    }
  }

  get selected(): ReadonlySet<string> {
    return this._selected;
  }

  /** True while a change is requested. */
  get isBusy(): boolean {
    return this._isBusy;
  }

  /**
   * Select a run, or remove it from the selection.
   *
   * @param id - the run
   * @param extend - whether all runs between the last one and this one get the same state
   */
  toggle(id: string, extend = false): void {
    const select = !this._selected.has(id);
    const ids = extend ? this.idsBetween(this.lastToggled, id) : [id];
    ids.forEach(each => this.setSelected(each, select));
    this.lastToggled = id;
    this.emitChanged();
  }

  /** Select all listed runs, or none if all are selected. */
  toggleAll(): void {
    const ids = this.runs.items.map(run => run.id);
    const isComplete = ids.every(id => this._selected.has(id));
    this._selected = new Set(isComplete ? [] : ids);
    this.emitChanged();
  }

  /** Change the selected runs. The selection keeps the runs that were refused. */
  async change(action: RunAction): Promise<RunChanges> {
    const ids = [...this._selected];
    const all: RunChanges = { changed: [], refused: [] };
    this._isBusy = true;
    this.emitChanged();
    try {
      for (let at = 0; at < ids.length; at += MAX_CHANGES) {
        const part = ids.slice(at, at + MAX_CHANGES);
        const done = await this.client.changeRuns({ action, ids: part });
        all.changed.push(...done.changed);
        all.refused.push(...done.refused);
        done.changed.forEach(id => this._selected.delete(id));
      }
      return all;
    } finally {
      this._isBusy = false;
      this.emitChanged();
      void this.runs.refresh();
    }
  }

  dispose(): void {
    this.throttler.dispose();
    this.runs.dispose();
    super.dispose();
  }

  private idsBetween(first: string | null, last: string): string[] {
    const ids = this.runs.items.map(run => run.id);
    const ends = [ids.indexOf(first ?? last), ids.indexOf(last)];
    if (ends.includes(-1)) {
      return [last];
    }
    return ids.slice(Math.min(...ends), Math.max(...ends) + 1);
  }

  private setSelected(id: string, select: boolean): void {
    if (select) {
      this._selected.add(id);
    } else {
      this._selected.delete(id);
    }
  }

  private handleRuns(): void {
    this.forgetUnlisted();
    if (this._mode === 'agenda') {
      const isNewFilter = this.readFilter !== this.runs.filter;
      void (isNewFilter ? this.readUpcoming() : this.throttler.invoke());
    }
  }

  private async readUpcoming(): Promise<void> {
    this.readFilter = this.runs.filter;
    const { state_type = 'SCHEDULED', ...filter } = this.readFilter;
    if (state_type !== 'SCHEDULED') {
      this._upcoming = [];
      this.emitChanged();
      return;
    }
    try {
      const { runs } = await this.client.runs({
        ...queryNow(filter),
        state_type,
        limit: MAX_PLANNED
      });
      this._upcoming = runs;
    } catch {
      // The list of runs is read at the same time, and shows the error.
    }
    this.emitChanged();
  }

  /** A run that is not shown must not be changed. */
  private forgetUnlisted(): void {
    const listed = new Set(this.runs.items.map(run => run.id));
    this._selected = new Set([...this._selected].filter(id => listed.has(id)));
    this.emitChanged();
  }

  private readonly throttler = new Throttler(() => this.readUpcoming(), {
    limit: READ_PAUSE,
    edge: 'trailing'
  });
  private readFilter: RunsFilter | null = null;
  private _upcoming: Run[] = [];
  private _selected = new Set<string>();
  private _isBusy = false;
  private lastToggled: string | null = null;
}
