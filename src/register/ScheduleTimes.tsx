import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect, InputGroup } from '@jupyterlab/ui-components';
import React from 'react';

import { Field } from '../components/Field';
import { useFieldId } from '../components/useFieldId';
import { useTrans } from '../components/translation';
import {
  DEFAULT_PRESET,
  formatCronPreset,
  parseCronPreset,
  type Repeat
} from './cronPreset';
import { CronPresetInputs } from './CronPresetInputs';
import { DateInput, EveryInput, IntervalInputs } from './IntervalInputs';
import { describeCron } from './scheduleDescription';
import type { IScheduleDraft } from './scheduleDraft';
import {
  ERROR_ID,
  errorAttributes,
  type IScheduleInputProps
} from './scheduleInput';

/** A rule with a start and an end. */
const RULE_EXAMPLE =
  'DTSTART:20260105T060000 RRULE:FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20261231T000000';

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
      {(schedule.kind === 'minutes' || schedule.kind === 'hours') && (
        <EveryInput {...props} />
      )}
      {schedule.kind === 'interval' && <IntervalInputs {...props} />}
      {schedule.kind === 'rrule' && <RuleInput {...props} />}
      <TimezoneSelect {...props} />
      {schedule.kind !== 'rrule' && (
        <>
          <DateInput {...props} bound="start" label={trans.__('Start date')} />
          <DateInput {...props} bound="end" label={trans.__('End date')} />
        </>
      )}
    </>
  );
}

function scheduleTypes(
  trans: TranslationBundle
): { value: string; label: string }[] {
  return [
    { value: 'minutes', label: trans.__('Every N minutes') },
    { value: 'hours', label: trans.__('Every N hours') },
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
    case 'minutes':
    case 'hours':
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
        'As in iCalendar. DTSTART and UNTIL are its start and its end.'
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

function timezoneOptions(chosen: string): string[] {
  const known = Intl.supportedValuesOf('timeZone');
  return [...new Set([chosen, 'UTC', ...known])];
}
