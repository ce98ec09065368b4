import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect, InputGroup } from '@jupyterlab/ui-components';
import cronstrue from 'cronstrue';
import React from 'react';

import type { ErrorBody } from '../_api';
import { ErrorNote } from '../components/ErrorNote';
import { Field } from '../components/Field';
import { useFieldId } from '../components/useFieldId';
import { useTrans } from '../components/translation';
import { ZonedTime } from '../components/ZonedTime';
import { formatDuration } from '../format';
import {
  DEFAULT_PRESET,
  formatCronPreset,
  parseCronPreset,
  type Repeat
} from './cronPreset';
import { CronPresetInputs } from './CronPresetInputs';
import type { IScheduleDraft } from './draft';

export interface IScheduleFieldProps {
  schedule: IScheduleDraft;
  nextRuns: string[] | null;
  /** An error in this field; `field` is the path below the schedule. */
  error: ErrorBody | null;
  onChange: (schedule: IScheduleDraft) => void;
}

/** Id suffix of the error message about the schedule. */
const ERROR_ID = 'schedule-error';

/** The schedule of a deployment, with a description and the next five runs. */
export function ScheduleField(props: IScheduleFieldProps): JSX.Element {
  const trans = useTrans();
  const { schedule, error, onChange } = props;
  const id = useFieldId('schedule-kind');
  const errorId = useFieldId(ERROR_ID);
  const preset = schedule.isCustom ? null : parseCronPreset(schedule.cron);
  const isCron = schedule.kind === 'cron';
  return (
    <fieldset className="jp-Satflow-fieldset">
      <legend>{trans.__('Schedule')}</legend>
      <div className="jp-Satflow-columns">
        <Field id={id} label={trans.__('Schedule type')}>
          <HTMLSelect
            id={id}
            data-testid="satflow-schedule-kind"
            value={isCron && preset ? preset.repeat : schedule.kind}
            options={scheduleTypes(trans)}
            onChange={event =>
              onChange(changeType(schedule, event.target.value))
            }
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
        {schedule.kind === 'interval' && <IntervalInput {...props} />}
        <TimezoneSelect {...props} />
      </div>
      {error && <ErrorNote error={error} id={errorId} />}
      {schedule.kind !== 'none' && <NextRuns {...props} />}
    </fieldset>
  );
}

function scheduleTypes(
  trans: TranslationBundle
): { value: string; label: string }[] {
  return [
    { value: 'none', label: trans.__('None: start runs manually') },
    { value: 'hourly', label: trans.__('Every hour') },
    { value: 'daily', label: trans.__('Every day') },
    { value: 'weekdays', label: trans.__('Monday to Friday') },
    { value: 'weekly', label: trans.__('Every week') },
    { value: 'monthly', label: trans.__('Every month') },
    { value: 'interval', label: trans.__('Interval') },
    { value: 'cron', label: trans.__('Cron expression') }
  ];
}

/** Select another type; the time of day stays. */
function changeType(schedule: IScheduleDraft, type: string): IScheduleDraft {
  switch (type) {
    case 'none':
    case 'interval':
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

function CronInput(props: IScheduleFieldProps): JSX.Element {
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

function IntervalInput(props: IScheduleFieldProps): JSX.Element {
  const trans = useTrans();
  const { schedule, error, onChange } = props;
  const id = useFieldId('interval');
  const errorId = useFieldId(ERROR_ID);
  return (
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
  );
}

function TimezoneSelect(props: IScheduleFieldProps): JSX.Element {
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

function NextRuns(props: IScheduleFieldProps): JSX.Element {
  const trans = useTrans();
  const { nextRuns, schedule } = props;
  return (
    <div className="jp-Satflow-nextRuns" role="status">
      <span>{trans.__('Next runs, %1', schedule.timezone)}</span>
      <ol data-testid="satflow-next-runs">
        {(nextRuns ?? []).map(time => (
          <li key={time}>
            <ZonedTime time={time} timezone={schedule.timezone} hideTimezone />
          </li>
        ))}
      </ol>
    </div>
  );
}

/**
 * Return the ARIA attributes of an input. The one error message of the schedule is below all of its inputs, so each
 * input refers to it.
 */
function errorAttributes(
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

/** Describe a cron expression in words, or return null if that is not possible. */
export function describeCron(cron: string): string | null {
  try {
    return cronstrue.toString(cron, { use24HourTimeFormat: true });
  } catch {
    return null;
  }
}

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
