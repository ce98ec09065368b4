import { UUID } from '@lumino/coreutils';

import type { JsonObject, Schedule } from '../_api';
import {
  changedParameters,
  createOverrideForm,
  type IParameterForm,
  toFormData
} from '../components/parameterSchema';
import { RequestFailed, toErrorBody } from '../errors';
import { everyTimes, type EveryUnit, readEvery } from './everySchedule';
import { formatValue, quoteShellWord } from '../components/shellWords';

/** A schedule in the form. The values of each kind are kept while another kind is selected. */
export interface IScheduleDraft {
  /** Identifies the schedule among those of the form. */
  key: string;
  /** A kind of the server, or every N minutes or hours. */
  kind: Schedule['kind'] | EveryUnit;
  cron: string;
  /** True if the form shows the cron expression even if it has other inputs for it. */
  isCustom?: boolean;
  /** The text that the user typed. */
  seconds: string;
  rrule: string;
  /** A time, as text, from which whole intervals are counted. */
  anchor: string;
  /** The typed number of minutes or hours. */
  every?: string;
  /** The first and the last day, as text; empty without. */
  start?: string;
  end?: string;
  timezone: string;
  name: string;
  isActive: boolean;
  /** The form data of the parameters of its runs. */
  parameters: JsonObject;
}

/** Return a new schedule: every day at six. */
export function createScheduleDraft(timezone: string): IScheduleDraft {
  return {
    key: UUID.uuid4(),
    kind: 'cron',
    cron: '0 6 * * *',
    seconds: '3600',
    rrule: '',
    anchor: '',
    every: '15',
    start: '',
    end: '',
    timezone,
    name: '',
    isActive: true,
    parameters: {}
  };
}

/** Return the form's schedules of a registered deployment. */
export function createScheduleDrafts(
  schedules: readonly Schedule[],
  form: IParameterForm
): IScheduleDraft[] {
  return schedules.map(schedule => ({
    ...createScheduleDraft(schedule.timezone),
    kind: schedule.kind,
    ...(schedule.kind !== 'rrule' && {
      start: schedule.start ?? '',
      end: schedule.end ?? ''
    }),
    ...(schedule.kind === 'cron' && { cron: schedule.cron }),
    ...(schedule.kind === 'rrule' && { rrule: schedule.rrule }),
    ...(schedule.kind === 'interval' && {
      seconds: String(schedule.seconds),
      anchor: schedule.anchor ?? ''
    }),
    ...readEvery(schedule),
    name: schedule.name ?? '',
    isActive: schedule.active,
    parameters: toFormData(createOverrideForm(form), schedule.parameters)
  }));
}

/**
 * Return the times of the schedule that the form describes.
 *
 * @throws RequestFailed if the interval is not a number, or the number of minutes or hours is not one of those that can be
 *   chosen; `field` names it.
 */
export function parseScheduleTimes(draft: IScheduleDraft): Schedule {
  const { kind, cron, rrule, timezone } = draft;
  const common = { name: null, parameters: {}, active: true, timezone };
  const bounds = { start: draft.start || null, end: draft.end || null };
  switch (kind) {
    case 'cron':
      return { kind, cron: cron.trim(), ...bounds, ...common };
    case 'rrule':
      return { kind, rrule: rrule.trim().split(/\s+/).join('\n'), ...common };
    case 'minutes':
    case 'hours':
      return { ...everyTimes(kind, draft.every ?? ''), ...bounds, ...common };
    default:
      return {
        kind,
        seconds: parseSeconds(draft.seconds),
        anchor: draft.anchor.trim() || null,
        ...bounds,
        ...common
      };
  }
}

/**
 * Return the schedules that the form describes.
 *
 * @throws RequestFailed if the text of a field is not valid; `field` names the schedule and the field.
 */
export function parseSchedules(
  drafts: readonly IScheduleDraft[],
  form: IParameterForm
): Schedule[] {
  return drafts.map((draft, position) => {
    try {
      return {
        ...parseScheduleTimes(draft),
        name: draft.name.trim() || null,
        active: draft.isActive,
        parameters: changedParameters(
          createOverrideForm(form),
          draft.parameters
        )
      };
    } catch (reason) {
      const error = toErrorBody(reason);
      const field = (error.field ?? '').replace(/^schedule\./, '');
      throw new RequestFailed({
        ...error,
        field: `schedules.${position}.${field}`
      });
    }
  });
}

/** Parse a number of seconds; forms saved by an earlier version hold a number instead of text. */
function parseSeconds(typed: string | number): number {
  const text = String(typed).trim();
  const seconds = Number(text);
  if (text === '' || !Number.isFinite(seconds)) {
    throw new RequestFailed({
      error: 'InvalidSchedule',
      message: text
        ? `The interval ${text} is not a number of seconds.`
        : 'The interval is empty.',
      fix: 'Enter the number of seconds between runs, such as 3600.',
      field: 'schedule.seconds'
    });
  }
  return seconds;
}

/** Format the schedules as flags of the magic; a single simple one has short flags. */
export function scheduleFlags(schedules: readonly Schedule[]): string[][] {
  const [first, ...more] = schedules;
  const short = first && more.length === 0 ? shortFlags(first) : null;
  return (
    short ?? schedules.map(schedule => ['--schedule', formatParts(schedule)])
  );
}

function shortFlags(schedule: Schedule): string[][] | null {
  const zone = ['--timezone', schedule.timezone];
  const isPlain =
    (schedule.kind === 'rrule' || !(schedule.start || schedule.end)) &&
    schedule.name === null &&
    schedule.active &&
    Object.keys(schedule.parameters).length === 0;
  if (isPlain && schedule.kind === 'cron') {
    return [['--cron', schedule.cron], zone];
  }
  return isPlain && schedule.kind === 'interval' && schedule.anchor === null
    ? [['--interval', String(schedule.seconds)], zone]
    : null;
}

/** Format a schedule as the parts of `--schedule`, which are split as by a shell. */
function formatParts(schedule: Schedule): string {
  const parts: [string, string][] = [
    timingPart(schedule),
    ['timezone', schedule.timezone]
  ];
  if (schedule.kind === 'interval' && schedule.anchor !== null) {
    parts.push(['anchor', schedule.anchor]);
  }
  if (schedule.kind !== 'rrule') {
    const { start, end } = schedule;
    parts.push(...(start ? [['start', start] as [string, string]] : []));
    parts.push(...(end ? [['end', end] as [string, string]] : []));
  }
  if (schedule.name !== null) {
    parts.push(['name', schedule.name]);
  }
  if (!schedule.active) {
    parts.push(['active', 'false']);
  }
  for (const [name, value] of Object.entries(schedule.parameters)) {
    parts.push([`param.${name}`, formatValue(value)]);
  }
  return parts
    .map(([name, value]) => `${name}=${quoteShellWord(value)}`)
    .join(' ');
}

function timingPart(schedule: Schedule): [string, string] {
  switch (schedule.kind) {
    case 'cron':
      return ['cron', schedule.cron];
    case 'rrule':
      return ['rrule', schedule.rrule.split(/\s+/).join(' ')];
    default:
      return ['interval', String(schedule.seconds)];
  }
}
