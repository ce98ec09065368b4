import { Debouncer } from '@lumino/polling';

import type { ErrorBody, Schedule } from '../_api';
import type { IClient } from '../client';
import { errorBody } from '../errors';
import { type IScheduleDraft, scheduleOf } from './draft';
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

  /** Compute the next runs of a schedule as it is typed; those of the schedule before are not shown any longer. */
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
    // An answer about an earlier schedule may come after the question about this one.
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
