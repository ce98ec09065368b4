import type { ITimeRange } from './timelineRows';

/** The shortest range of time that can be shown, in milliseconds. */
export const MIN_SPAN = 20;

/** Factor of one step of zooming. */
export const ZOOM_STEP = 1.5;

/** Part of the range that is kept free at its right end, for labels and growing bars. */
const MARGIN = 0.03;

/** Return the range that shows all of the bounds. */
export function fitRange(bounds: ITimeRange): ITimeRange {
  const span = Math.max(MIN_SPAN, bounds.to - bounds.from);
  return {
    from: bounds.from - span * 0.005,
    to: bounds.from + span * (1 + MARGIN)
  };
}

/**
 * Return a part of the bounds, or a larger range around the same time.
 *
 * @param range - the shown range
 * @param bounds - the range of all bars
 * @param at - the time that keeps its place
 * @param factor - the ratio of the new span to the old one
 */
export function zoomRange(
  range: ITimeRange,
  bounds: ITimeRange,
  at: number,
  factor: number
): ITimeRange {
  const whole = fitRange(bounds);
  const span = Math.min(
    whole.to - whole.from,
    Math.max(MIN_SPAN, (range.to - range.from) * factor)
  );
  const share = (at - range.from) / (range.to - range.from);
  const from = at - share * span;
  return panRange({ from, to: from + span }, bounds, 0);
}

/** Return the range moved by some milliseconds, but not beyond the bounds. */
export function panRange(
  range: ITimeRange,
  bounds: ITimeRange,
  by: number
): ITimeRange {
  const whole = fitRange(bounds);
  const span = range.to - range.from;
  const last = Math.max(whole.from, whole.to - span);
  const from = Math.min(last, Math.max(whole.from, range.from + by));
  return { from, to: from + span };
}

/** The shown range of time: the whole one, also while it grows, or a part of it. */
export class TimeWindow {
  /** Return the shown range. */
  range(bounds: ITimeRange): ITimeRange {
    return this.part ?? fitRange(bounds);
  }

  /** Show the whole time. */
  fit(): void {
    this.part = null;
  }

  /** Zoom around a time, or around the middle if the time is not in the shown range; see `zoomRange`. */
  zoom(bounds: ITimeRange, factor: number, at = NaN): void {
    const range = this.range(bounds);
    const isShown = at >= range.from && at <= range.to;
    const center = isShown ? at : (range.from + range.to) / 2;
    const part = zoomRange(range, bounds, center, factor);
    const whole = fitRange(bounds);
    const isWhole = part.to - part.from >= (whole.to - whole.from) * 0.999;
    this.part = isWhole ? null : part;
  }

  /** Move the shown part by some milliseconds. */
  pan(bounds: ITimeRange, by: number): void {
    this.part = this.part && panRange(this.part, bounds, by);
  }

  private part: ITimeRange | null = null;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Distances between ticks that are easy to read. */
const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map(count => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map(count => count * MINUTE),
  ...[1, 2, 3, 6, 12].map(count => count * HOUR),
  ...[1, 2, 7, 14, 30, 90, 365].map(count => count * DAY)
];

/** The ticks of a time axis. */
export interface ITicks {
  times: number[];
  /** Milliseconds between two ticks. */
  step: number;
}

/**
 * Return the ticks of a range, at whole minutes, hours or days of the local time.
 *
 * @param range - the shown range
 * @param count - the maximum number of ticks
 */
export function makeTicks(range: ITimeRange, count: number): ITicks {
  const span = range.to - range.from;
  const step =
    STEPS.find(one => span / one <= Math.max(1, count)) ??
    Math.ceil(span / Math.max(1, count) / DAY) * DAY;
  const shift = -new Date(range.from).getTimezoneOffset() * MINUTE;
  const times: number[] = [];
  const first = Math.ceil((range.from + shift) / step) * step - shift;
  for (let time = first; time <= range.to; time += step) {
    times.push(time);
  }
  return { times, step };
}

/** Format the time of a tick as precisely as the distance between ticks requires. */
export function formatTick(time: number, step: number): string {
  const date = new Date(time);
  const two = (value: number) => String(value).padStart(2, '0');
  if (step >= DAY) {
    return date.toLocaleDateString(undefined, {
      month: 'short',
      day: 'numeric'
    });
  }
  const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (step >= MINUTE) {
    return minutes;
  }
  const seconds = `${minutes}:${two(date.getSeconds())}`;
  return step >= SECOND
    ? seconds
    : `${seconds}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
