import type { TranslationBundle } from '@jupyterlab/translation';

import type { JsonObject, JsonValue, Run } from './_api';

const FINAL_STATES = ['COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED'];

/** Return whether a run or task run has reached a final state. */
export function hasEnded(state: Run['state_type']): boolean {
  return FINAL_STATES.includes(state);
}

/** Return whether a run or task run ended without success and was not canceled. */
export function hasFailed(state: Run['state_type']): boolean {
  return state === 'FAILED' || state === 'CRASHED';
}

/** Return the name of a state in the user's language: one of Prefect's or of ours. A name that a flow made up stays as it is. */
export function stateName(name: string, trans: TranslationBundle): string {
  const names: Record<string, string> = {
    Scheduled: trans.__('Scheduled'),
    Late: trans.__('Late'),
    AwaitingRetry: trans.__('AwaitingRetry'),
    AwaitingConcurrencySlot: trans.__('AwaitingConcurrencySlot'),
    Pending: trans.__('Pending'),
    Submitting: trans.__('Submitting'),
    InfrastructurePending: trans.__('InfrastructurePending'),
    Running: trans.__('Running'),
    Retrying: trans.__('Retrying'),
    Resuming: trans.__('Resuming'),
    Paused: trans.__('Paused'),
    Suspended: trans.__('Suspended'),
    Completed: trans.__('Completed'),
    Cached: trans.__('Cached'),
    RolledBack: trans.__('RolledBack'),
    Failed: trans.__('Failed'),
    TimedOut: trans.__('TimedOut'),
    Crashed: trans.__('Crashed'),
    Cancelling: trans.__('Cancelling'),
    Cancelled: trans.__('Cancelled'),
    Waiting: trans.__('Waiting'),
    Refused: trans.__('Refused'),
    Deleted: trans.__('Deleted'),
    Stopped: trans.__('Stopped'),
    Interrupted: trans.__('Interrupted')
  };
  return Object.hasOwn(names, name) ? names[name] : name;
}

/** Format a duration: `1 h 02 min`, `3 min 20 s`, `4.2 s`. */
export function formatDuration(seconds: number): string {
  const whole = Math.floor(seconds);
  if (seconds < 10) {
    return `${Math.max(0, seconds).toFixed(1)} s`;
  }
  if (whole < 60) {
    return `${whole} s`;
  }
  const two = (value: number) => String(value).padStart(2, '0');
  return whole < 3600
    ? `${Math.floor(whole / 60)} min ${two(whole % 60)} s`
    : `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

/** Return the seconds that a run has taken so far, by the browser's clock while the run is active. */
export function elapsedSeconds(
  run: Pick<Run, 'start' | 'end' | 'duration'>,
  now: number
): number {
  if (run.start === null || run.end !== null) {
    return run.duration;
  }
  return Math.max(run.duration, (now - Date.parse(run.start)) / 1000);
}

/** Format a number of bytes: `512 MiB`, `3.9 GiB`. */
export function formatBytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = Math.min(
    units.length - 1,
    count < 1 ? 0 : Math.floor(Math.log2(count) / 10)
  );
  const value = count / 1024 ** step;
  return `${value.toFixed(step > 0 && value < 10 ? 1 : 0)} ${units[step]}`;
}

/** Format the time of day, with the date if it is not today. */
export function formatTimeOfDay(time: string, now = new Date()): string {
  const date = new Date(time);
  const sameDay = date.toDateString() === now.toDateString();
  return new Intl.DateTimeFormat(undefined, {
    ...(sameDay ? {} : { month: 'short', day: 'numeric' }),
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23'
  }).format(date);
}

/**
 * Format a date and time, by default in the browser's time zone, with the year if it is not the current one.
 *
 * @param timezone - an IANA name
 */
export function formatDateTime(
  time: string,
  timezone?: string,
  now = new Date()
): string {
  const date = new Date(time);
  const sameYear = date.getFullYear() === now.getFullYear();
  return new Intl.DateTimeFormat(undefined, {
    ...(sameYear ? {} : { year: 'numeric' }),
    weekday: 'short',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone: timezone
  }).format(date);
}

/** Return the IANA name of the browser's time zone. */
export function localTimezone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Format the time of a log line to the millisecond. */
export function formatLogTime(time: string): string {
  const date = new Date(time);
  const part = (value: number, width = 2) => String(value).padStart(width, '0');
  return `${part(date.getHours())}:${part(date.getMinutes())}:${part(date.getSeconds())}.${part(date.getMilliseconds(), 3)}`;
}

/** Format a parameter value as it is typed: a text without quotes, anything else as JSON. */
export function formatValue(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Format parameters in one line: `size=32, region=north`. */
export function formatParameters(parameters: JsonObject): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${formatValue(value)}`)
    .join(', ');
}

/** Return Prefect's name for a log level. */
export function levelName(level: number): string {
  const names = ['NOTSET', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'];
  return names[Math.min(5, Math.max(0, Math.floor(level / 10)))];
}

/** Format the number of Dask workers, with the planned number if there is one: `3 workers`, `1 of 3 workers`. */
export function formatWorkerCount(
  observed: number,
  plan: number | null,
  trans: TranslationBundle
): string {
  return plan === null || plan + observed === 0
    ? trans._n('%1 worker', '%1 workers', observed)
    : trans.__('%1 of %2 workers', observed, plan);
}

/** Headings of docstring sections, in the styles of Google, NumPy and Sphinx. */
const DOC_SECTION =
  /^[ \t]*(?:(?:Args|Arguments|Parameters|Params|Returns?|Raises|Yields|Examples?|Attributes)[ \t]*:?[ \t]*$|:(?:param|returns?|raises?)\b)/m;

/** Return the text of a docstring before its sections, such as the descriptions of arguments. */
export function docSummary(doc: string): string {
  const end = doc.search(DOC_SECTION);
  return (end < 0 ? doc : doc.slice(0, end)).trim();
}
