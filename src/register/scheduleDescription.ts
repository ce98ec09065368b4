import type { TranslationBundle } from '@jupyterlab/translation';
import cronstrue from 'cronstrue';

import type { IntervalSchedule } from '../_api';
import { formatDuration } from '../format';
import { type IScheduleDraft, parseScheduleTimes } from './scheduleDraft';

/** Describe the times of a schedule in words, with its start and its end. */
export function describeTimes(
  schedule: IScheduleDraft,
  trans: TranslationBundle
): string {
  const { start, end } = schedule.kind === 'rrule' ? NO_BOUNDS : schedule;
  const bounds = [
    start ? trans.__('from %1', start) : '',
    end ? trans.__('until %1', end) : ''
  ];
  return [describeRepeat(schedule, trans), ...bounds].filter(Boolean).join(' ');
}

const NO_BOUNDS: Pick<IScheduleDraft, 'start' | 'end'> = {};

function describeRepeat(
  schedule: IScheduleDraft,
  trans: TranslationBundle
): string {
  switch (schedule.kind) {
    case 'minutes':
    case 'hours':
      return describeEvery(schedule, trans);
    case 'cron':
      return describeCron(schedule.cron) ?? schedule.cron;
    case 'interval':
      return describeInterval(schedule.seconds, trans);
    default:
      return schedule.rrule || trans.__('recurrence rule');
  }
}

/** Describe a schedule that runs every N minutes or hours: where an hour or a day is divided, at the same times of each. */
export function describeEvery(
  schedule: IScheduleDraft,
  trans: TranslationBundle
): string {
  try {
    const times = parseScheduleTimes(schedule);
    return times.kind === 'cron'
      ? (describeCron(times.cron) ?? times.cron)
      : describeInterval(String((times as IntervalSchedule).seconds), trans);
  } catch {
    return trans.__('a whole number, such as 15');
  }
}

/** Describe a cron expression in words, or return null if that is not possible. */
export function describeCron(cron: string): string | null {
  try {
    return cronstrue.toString(cron, { use24HourTimeFormat: true });
  } catch {
    return null;
  }
}

/** Describe an interval in words. */
export function describeInterval(
  typed: string,
  trans: TranslationBundle
): string {
  const seconds = Number(typed);
  return typed.trim() !== '' && seconds > 0
    ? trans.__('every %1', formatDuration(seconds))
    : trans.__('a number of seconds, such as 3600');
}
