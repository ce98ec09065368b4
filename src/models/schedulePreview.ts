import { Debouncer } from '@lumino/polling';

import type { ErrorBody, Schedule } from '../_api';
import type { IClient } from '../client';
import { errorBody } from '../errors';
import { type IScheduleDraft, scheduleOf } from './draft';
import { Observable } from './observable';

/** Milliseconds without input before the next runs are computed. */
const QUIET = 300;

/** Number of next runs to show. */
const COUNT = 5;

/** The next runs of the schedule that the user is typing. */
export class SchedulePreview extends Observable {
  constructor(private readonly client: Pick<IClient, 'previewSchedule'>) {
    super();
  }

  /** The next runs; null if there is no schedule or it is not valid. */
  get nextRuns(): string[] | null {
    return this._nextRuns;
  }

  /** The error in the schedule. */
  get error(): ErrorBody | null {
    return this._error;
  }

  /** Compute the next runs of the schedule that the user is typing, and drop those of the previous schedule. */
  show(draft: IScheduleDraft): void {
    try {
      this.become(scheduleOf(draft), null);
    } catch (reason) {
      this.become({ kind: 'none' }, errorBody(reason));
    }
    void this.reading.invoke();
  }

  dispose(): void {
    this.reading.dispose();
    super.dispose();
  }

  private become(schedule: Schedule, error: ErrorBody | null): void {
    this.schedule = schedule;
    this._nextRuns = null;
    this._error = error;
    this.tell();
  }

  private async read(): Promise<void> {
    const { schedule } = this;
    if (schedule.kind === 'none') {
      return;
    }
    const [nextRuns, error] = await this.client
      .previewSchedule({ schedule, count: COUNT })
      .then(
        preview => [preview.next_runs, null] as const,
        (reason: unknown) => [null, errorBody(reason)] as const
      );
    // The answer for an earlier schedule can arrive after the request for this one.
    if (schedule === this.schedule) {
      this._nextRuns = nextRuns;
      this._error = error;
      this.tell();
    }
  }

  private readonly reading = new Debouncer(() => this.read(), QUIET);
  private schedule: Schedule = { kind: 'none' };
  private _nextRuns: string[] | null = null;
  private _error: ErrorBody | null = null;
}
