import { Debouncer } from '@lumino/polling';

import type { ErrorBody, Schedule } from '../_api';
import type { IClient } from '../client';
import { Observable } from '../components/observable';
import { toErrorBody } from '../errors';
import { type IScheduleDraft, parseSchedule } from './draft';

/** Milliseconds without input before the next runs are computed. */
const DEBOUNCE_MS = 300;

/** Number of next runs to show. */
const PREVIEW_COUNT = 5;

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
  update(draft: IScheduleDraft): void {
    try {
      this.setSchedule(parseSchedule(draft), null);
    } catch (reason) {
      this.setSchedule({ kind: 'none' }, toErrorBody(reason));
    }
    void this.debouncer.invoke();
  }

  dispose(): void {
    this.debouncer.dispose();
    super.dispose();
  }

  private setSchedule(schedule: Schedule, error: ErrorBody | null): void {
    this.schedule = schedule;
    this._nextRuns = null;
    this._error = error;
    this.emitChanged();
  }

  private async read(): Promise<void> {
    const { schedule } = this;
    if (schedule.kind === 'none') {
      return;
    }
    const [nextRuns, error] = await this.client
      .previewSchedule({ schedule, count: PREVIEW_COUNT })
      .then(
        preview => [preview.next_runs, null] as const,
        (reason: unknown) => [null, toErrorBody(reason)] as const
      );
    // The answer for an earlier schedule can arrive after the request for this one.
    if (schedule === this.schedule) {
      this._nextRuns = nextRuns;
      this._error = error;
      this.emitChanged();
    }
  }

  private readonly debouncer = new Debouncer(() => this.read(), DEBOUNCE_MS);
  private schedule: Schedule = { kind: 'none' };
  private _nextRuns: string[] | null = null;
  private _error: ErrorBody | null = null;
}
