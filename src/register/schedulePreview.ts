import { Debouncer } from '@lumino/polling';

import type { ErrorBody, Schedule } from '../_api';
import type { IClient } from '../client';
import { Observable } from '../components/observable';
import { toErrorBody } from '../errors';
import { type IScheduleDraft, parseScheduleTimes } from './scheduleDraft';

/** Milliseconds without input before the next runs are computed. */
const DEBOUNCE_MS = 300;

/** Number of next runs to show. */
const PREVIEW_COUNT = 3;

/** The next runs of a schedule, or the error in it. */
export interface ISchedulePreview {
  /** Null if the schedule is not valid, or while they are computed. */
  nextRuns: readonly string[] | null;
  error: ErrorBody | null;
}

/** The next runs of the schedules that the user is typing. */
export class SchedulePreviews extends Observable {
  constructor(private readonly client: Pick<IClient, 'previewSchedule'>) {
    super();
  }

  /** The previews by the keys of their schedules. */
  get previews(): ReadonlyMap<string, ISchedulePreview> {
    return this._previews;
  }

  /** Compute the next runs of the schedules that have changed, and forget those that were removed. */
  update(drafts: readonly IScheduleDraft[]): void {
    const keys = drafts.map(draft => draft.key);
    for (const [key, preview] of this._previews) {
      if (!keys.includes(key)) {
        preview.dispose();
        this._previews.delete(key);
      }
    }
    drafts.forEach(draft => this.previewOf(draft.key).update(draft));
  }

  dispose(): void {
    this._previews.forEach(one => one.dispose());
    super.dispose();
  }

  private previewOf(key: string): SchedulePreview {
    const known = this._previews.get(key);
    if (known) {
      return known;
    }
    const preview = new SchedulePreview(this.client);
    preview.changed.connect(this.emitChanged, this);
    this._previews.set(key, preview);
    return preview;
  }

  private readonly _previews = new Map<string, SchedulePreview>();
}

/** The next runs of the schedule that the user is typing. */
export class SchedulePreview extends Observable implements ISchedulePreview {
  constructor(private readonly client: Pick<IClient, 'previewSchedule'>) {
    super();
  }

  /** The next runs; null if the schedule is not valid, or while they are computed. */
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
      const schedule = parseScheduleTimes(draft);
      if (JSON.stringify(schedule) === JSON.stringify(this.schedule)) {
        return;
      }
      this.setSchedule(schedule, null);
    } catch (reason) {
      this.setSchedule(null, toErrorBody(reason));
    }
    void this.debouncer.invoke();
  }

  dispose(): void {
    this.debouncer.dispose();
    super.dispose();
  }

  private setSchedule(
    schedule: Schedule | null,
    error: ErrorBody | null
  ): void {
    this.schedule = schedule;
    this._nextRuns = null;
    this._error = error;
    this.emitChanged();
  }

  private async read(): Promise<void> {
    const { schedule } = this;
    if (schedule === null) {
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
  private schedule: Schedule | null = null;
  private _nextRuns: string[] | null = null;
  private _error: ErrorBody | null = null;
}
