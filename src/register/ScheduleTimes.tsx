import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect, InputGroup } from '@jupyterlab/ui-components';
import cronstrue from 'cronstrue';
import React from 'react';

import type { ErrorBody } from '../_api';
import { Field } from '../components/Field';
import { useFieldId } from '../components/useFieldId';
import { useTrans } from '../components/translation';
import { formatDuration } from '../format';
import {
  DEFAULT_PRESET,
  formatCronPreset,
  parseCronPreset,
  type Repeat
} from './cronPreset';
import { CronPresetInputs } from './CronPresetInputs';
import type { IScheduleDraft } from './scheduleDraft';

export interface IScheduleInputProps {
  schedule: IScheduleDraft;
  /** An error in this schedule; `field` is the path below it. */
  error: ErrorBody | null;
  onChange: (schedule: IScheduleDraft) => void;
}

/** A rule with a start and an end. */
const RULE_EXAMPLE =
  'DTSTART:20260105T060000 RRULE:FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20261231T000000';

/** Id suffix of the error message about the schedule. */
export const ERROR_ID = 'error';

/** The inputs of the times at which a schedule starts runs. */
export function ScheduleTimes(props: IScheduleInputProps): JSX.Element {
  const trans = useTrans();
  const { schedule, onChange } = props;
  const id = useFieldId('kind');
  const preset = schedule.isCustom ? null : parseCronPreset(schedule.cron);
  const isCron = schedule.kind === 'cron';
  return (
    <>
      <Field id={id} label={trans.__('Schedule type')}>
        <HTMLSelect
          id={id}
          data-testid="satflow-schedule-kind"
          value={isCron && preset ? preset.repeat : schedule.kind}
          options={scheduleTypes(trans)}
          onChange={event => onChange(changeType(schedule, event.target.value))}
        />
      </Field>
      {isCron && preset && (
        <CronPresetInputs
          preset={preset}
          onChange={preset =>
            onChange({ ...schedule, cron: formatCronPreset(preset) })
          }
        />
      )}
      {isCron && !preset && <CronInput {...props} />}
      {schedule.kind === 'interval' && <IntervalInputs {...props} />}
      {schedule.kind === 'rrule' && <RuleInput {...props} />}
      <TimezoneSelect {...props} />
    </>
  );
}

function scheduleTypes(
  trans: TranslationBundle
): { value: string; label: string }[] {
  return [
    { value: 'hourly', label: trans.__('Every hour') },
    { value: 'daily', label: trans.__('Every day') },
    { value: 'weekdays', label: trans.__('Monday to Friday') },
    { value: 'weekly', label: trans.__('Every week') },
    { value: 'monthly', label: trans.__('Every month') },
    { value: 'interval', label: trans.__('Interval') },
    { value: 'cron', label: trans.__('Cron expression') },
    { value: 'rrule', label: trans.__('Recurrence rule') }
  ];
}

/** Select another type; the time of day stays. */
function changeType(schedule: IScheduleDraft, type: string): IScheduleDraft {
  switch (type) {
    case 'interval':
    case 'rrule':
      return { ...schedule, kind: type };
    case 'cron':
      return { ...schedule, kind: type, isCustom: true };
    default: {
      const preset = parseCronPreset(schedule.cron) ?? DEFAULT_PRESET;
      const cron = formatCronPreset({ ...preset, repeat: type as Repeat });
      return { ...schedule, kind: 'cron', isCustom: false, cron };
    }
  }
}

function CronInput(props: IScheduleInputProps): JSX.Element {
  const trans = useTrans();
  const { schedule, error, onChange } = props;
  const id = useFieldId('cron');
  const errorId = useFieldId(ERROR_ID);
  return (
    <Field
      id={id}
      label={trans.__('Cron expression')}
      hint={
        describeCron(schedule.cron) ?? trans.__('minute hour day month weekday')
      }
    >
      <InputGroup
        id={id}
        data-testid="satflow-cron"
        value={schedule.cron}
        spellCheck={false}
        {...errorAttributes(error, 'cron', errorId, `${id}-hint`)}
        onChange={event => onChange({ ...schedule, cron: event.target.value })}
      />
    </Field>
  );
}

function IntervalInputs(props: IScheduleInputProps): JSX.Element {
  const trans = useTrans();
  const anchorId = useFieldId('anchor');
  const { schedule, error, onChange } = props;
  const id = useFieldId('interval');
  const errorId = useFieldId(ERROR_ID);
  return (
    <>
      <Field
        id={id}
        label={trans.__('Seconds between runs')}
        hint={describeInterval(schedule.seconds, trans)}
      >
        <InputGroup
          id={id}
          data-testid="satflow-interval"
          type="number"
          value={schedule.seconds}
          {...errorAttributes(error, 'seconds', errorId, `${id}-hint`)}
          onChange={event =>
            onChange({ ...schedule, seconds: event.target.value })
          }
        />
      </Field>
      <Field
        id={anchorId}
        label={trans.__('Counted from (optional)')}
        hint={trans.__('a time, such as 2026-01-01T06:00:00+01:00')}
      >
        <InputGroup
          id={anchorId}
          data-testid="satflow-anchor"
          value={schedule.anchor}
          spellCheck={false}
          {...errorAttributes(error, 'anchor', errorId, `${anchorId}-hint`)}
          onChange={event =>
            onChange({ ...schedule, anchor: event.target.value })
          }
        />
      </Field>
    </>
  );
}

function RuleInput(props: IScheduleInputProps): JSX.Element {
  const trans = useTrans();
  const { schedule, error, onChange } = props;
  const id = useFieldId('rrule');
  const errorId = useFieldId(ERROR_ID);
  return (
    <Field
      id={id}
      label={trans.__('Recurrence rule')}
      hint={trans.__(
        'As in iCalendar. DTSTART and UNTIL are its start and its end, which cron expressions do not have.'
      )}
    >
      <textarea
        id={id}
        data-testid="satflow-rrule"
        rows={3}
        spellCheck={false}
        placeholder={RULE_EXAMPLE}
        value={schedule.rrule}
        {...errorAttributes(error, 'rrule', errorId, `${id}-hint`)}
        onChange={event => onChange({ ...schedule, rrule: event.target.value })}
      />
    </Field>
  );
}

function TimezoneSelect(props: IScheduleInputProps): JSX.Element {
  const trans = useTrans();
  const { schedule, error, onChange } = props;
  const id = useFieldId('timezone');
  const errorId = useFieldId(ERROR_ID);
  return (
    <Field id={id} label={trans.__('Time zone')}>
      <HTMLSelect
        id={id}
        data-testid="satflow-timezone"
        value={schedule.timezone}
        options={timezoneOptions(schedule.timezone)}
        {...errorAttributes(error, 'timezone', errorId)}
        onChange={event =>
          onChange({ ...schedule, timezone: event.target.value })
        }
      />
    </Field>
  );
}

/**
 * Return the ARIA attributes of an input. The one error message of the schedule is below all of its inputs, so each
 * input refers to it.
 */
export function errorAttributes(
  error: ErrorBody | null,
  field: string,
  errorId: string,
  hint = ''
): React.AriaAttributes {
  const isHere = error?.field === field;
  const described = `${hint} ${error ? errorId : ''}`.trim();
  return {
    'aria-invalid': isHere || undefined,
    'aria-describedby': described || undefined
  };
}

/** Describe the times of a schedule in words. */
export function describeTimes(
  schedule: IScheduleDraft,
  trans: TranslationBundle
): string {
  switch (schedule.kind) {
    case 'cron':
      return describeCron(schedule.cron) ?? schedule.cron;
    case 'interval':
      return describeInterval(schedule.seconds, trans);
    default:
      return schedule.rrule || trans.__('recurrence rule');
  }
}

/** Describe a cron expression in words, or return null if that is not possible. */
function describeCron(cron: string): string | null {
  try {
    return cronstrue.toString(cron, { use24HourTimeFormat: true });
  } catch {
    return null;
  }
}

/** Describe an interval in words. */
function describeInterval(typed: string, trans: TranslationBundle): string {
  const seconds = Number(typed);
  return typed.trim() !== '' && seconds > 0
    ? trans.__('every %1', formatDuration(seconds))
    : trans.__('a number of seconds, such as 3600');
}

function timezoneOptions(chosen: string): string[] {
  const known = Intl.supportedValuesOf('timeZone');
  return [...new Set([chosen, 'UTC', ...known])];
}
