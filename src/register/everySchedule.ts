import type { Schedule } from '../_api';
import { RequestFailed } from '../errors';

/** The unit of a schedule that runs every N minutes or hours. */
export type EveryUnit = 'minutes' | 'hours';

/** A cron expression, or an interval that is counted from the registration. */
type Times =
  | { kind: 'cron'; cron: string }
  | { kind: 'interval'; seconds: number; anchor: null };

/** Units → seconds, the number that makes a whole of the clock, the largest number, and its meaning. */
const UNITS = {
  minutes: { seconds: 60, whole: 60, largest: 1440, meaning: 'a day' },
  hours: { seconds: 3600, whole: 24, largest: 168, meaning: 'a week' }
};

/**
 * Return the times of a schedule that runs every N minutes or hours: a cron expression if N divides the hour or the day, so
 * that the runs are at the same times of each, else an interval.
 *
 * @throws RequestFailed if the typed number is not a whole number from 1 to a day or a week; `field` names it.
 */
export function everyTimes(unit: EveryUnit, typed: string): Times {
  const every = parseEvery(unit, typed);
  if (!isCron(unit, every)) {
    const seconds = every * UNITS[unit].seconds;
    return { kind: 'interval', seconds, anchor: null };
  }
  const step = every === 1 ? '*' : `*/${every}`;
  const cron = unit === 'minutes' ? `${step} * * * *` : `0 ${step} * * *`;
  return { kind: 'cron', cron };
}

/** Return the unit and number of a schedule that `everyTimes` would write, or null. */
export function readEvery(
  schedule: Schedule
): { kind: EveryUnit; every: string } | null {
  for (const unit of ['hours', 'minutes'] as const) {
    const every = numberOf(unit, schedule);
    if (every !== null && isSame(schedule, unit, every)) {
      return { kind: unit, every: String(every) };
    }
  }
  return null;
}

function numberOf(unit: EveryUnit, schedule: Schedule): number | null {
  if (schedule.kind === 'interval' && !schedule.anchor) {
    return schedule.seconds / UNITS[unit].seconds;
  }
  const field = unit === 'minutes' ? /^\*\/(\d+) / : /^0 \*\/(\d+) /;
  const match = schedule.kind === 'cron' && field.exec(schedule.cron);
  return match ? Number(match[1]) : null;
}

function isSame(schedule: Schedule, unit: EveryUnit, every: number): boolean {
  const { whole, largest } = UNITS[unit];
  if (!Number.isInteger(every) || every < 1 || every > largest) {
    return false;
  }
  const times = everyTimes(unit, String(every));
  return schedule.kind === 'cron'
    ? times.kind === 'cron' && times.cron === schedule.cron && every < whole
    : times.kind === schedule.kind;
}

function isCron(unit: EveryUnit, every: number): boolean {
  const { whole } = UNITS[unit];
  return every < whole && whole % every === 0;
}

function parseEvery(unit: EveryUnit, typed: string): number {
  const text = typed.trim();
  const { largest, meaning } = UNITS[unit];
  const every = Number(text);
  if (text === '' || !Number.isInteger(every) || every < 1 || every > largest) {
    throw new RequestFailed({
      error: 'InvalidSchedule',
      message: text
        ? `A schedule cannot run every ${text} ${unit}.`
        : `The number of ${unit} is empty.`,
      fix: `Enter a whole number from 1 to ${largest}, which is ${meaning}.`,
      field: 'schedule.every'
    });
  }
  return every;
}
