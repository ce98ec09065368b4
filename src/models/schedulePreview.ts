import { Debouncer } from '@lumino/polling';

import type { ErrorBody, Schedule } from '../_api';
import type { IClient } from '../client';
import { errorBody } from '../errors';
import { Observable } from './observable';

/** Milliseconds of quiet before the next runs are computed. */
const QUIET = 300;

/** How many next runs are shown. */
const COUNT = 5;

/** The next runs of a schedule that is being typed. */
export class SchedulePreview extends Observable {
  constructor(private readonly client: Pick<IClient, 'previewSchedule'>) {
    super();
  }

  /** Null where there is no schedule or it is wrong. */
  get nextRuns(): string[] | null {
    return this._nextRuns;
  }

  /** What is wrong with it. */
  get error(): ErrorBody | null {
    return this._error;
  }

  show(schedule: Schedule): void {
    this.schedule = schedule;
    void this.reading.invoke();
  }

  dispose(): void {
    this.reading.dispose();
    super.dispose();
  }

  private async read(): Promise<void> {
    const { schedule } = this;
    this._nextRuns = null;
    this._error = null;
    if (schedule.kind !== 'none') {
      const asked = this.client.previewSchedule({ schedule, count: COUNT });
      await asked.then(
        preview => (this._nextRuns = preview.next_runs),
        reason => (this._error = errorBody(reason))
      );
    }
    this.tell();
  }

  private readonly reading = new Debouncer(() => this.read(), QUIET);
  private schedule: Schedule = { kind: 'none' };
  private _nextRuns: string[] | null = null;
  private _error: ErrorBody | null = null;
}
