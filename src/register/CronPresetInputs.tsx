import { HTMLSelect } from '@jupyterlab/ui-components';
import React from 'react';

import { Field } from '../components/Field';
import { useTrans } from '../components/translation';
import { useFieldId } from '../components/useFieldId';
import type { ICronPreset } from './cronPreset';

export interface ICronPresetInputsProps {
  preset: ICronPreset;
  onChange: (preset: ICronPreset) => void;
}

/** The times and days of a schedule that repeats hourly, daily, weekly or monthly. */
export function CronPresetInputs(props: ICronPresetInputsProps): JSX.Element {
  const { repeat } = props.preset;
  return (
    <>
      {repeat === 'weekly' && <WeekdaySelect {...props} />}
      {repeat === 'monthly' && <DaySelect {...props} />}
      {repeat === 'hourly' ? (
        <MinuteSelect {...props} />
      ) : (
        <TimeInput {...props} />
      )}
    </>
  );
}

function TimeInput({ preset, onChange }: ICronPresetInputsProps): JSX.Element {
  const trans = useTrans();
  const id = useFieldId('schedule-time');
  return (
    <Field id={id} label={trans.__('Time')}>
      <input
        id={id}
        data-testid="satflow-schedule-time"
        className="jp-mod-styled"
        type="time"
        required
        value={`${twoDigits(preset.hour)}:${twoDigits(preset.minute)}`}
        onChange={event => {
          const [hour, minute] = event.target.value.split(':').map(Number);
          if (event.target.value !== '') {
            onChange({ ...preset, hour, minute });
          }
        }}
      />
    </Field>
  );
}

function MinuteSelect({
  preset,
  onChange
}: ICronPresetInputsProps): JSX.Element {
  const trans = useTrans();
  return (
    <NumberSelect
      name="schedule-minute"
      label={trans.__('Minutes past the hour')}
      value={preset.minute}
      options={range(0, 59).map(value => ({ value, label: String(value) }))}
      onChange={minute => onChange({ ...preset, minute })}
    />
  );
}

function WeekdaySelect({
  preset,
  onChange
}: ICronPresetInputsProps): JSX.Element {
  const trans = useTrans();
  return (
    <NumberSelect
      name="schedule-weekday"
      label={trans.__('Day of the week')}
      value={preset.weekday}
      options={[1, 2, 3, 4, 5, 6, 0].map(value => ({
        value,
        label: weekdayName(value, document.documentElement.lang)
      }))}
      onChange={weekday => onChange({ ...preset, weekday })}
    />
  );
}

function DaySelect({ preset, onChange }: ICronPresetInputsProps): JSX.Element {
  const trans = useTrans();
  const hint =
    preset.day > 28
      ? trans.__('Months without a day %1 are skipped.', preset.day)
      : undefined;
  return (
    <NumberSelect
      name="schedule-day"
      label={trans.__('Day of the month')}
      hint={hint}
      value={preset.day}
      options={range(1, 31).map(value => ({ value, label: String(value) }))}
      onChange={day => onChange({ ...preset, day })}
    />
  );
}

interface INumberSelectProps {
  /** The name of the field in its form. */
  name: string;
  label: string;
  hint?: string;
  value: number;
  options: { value: number; label: string }[];
  onChange: (value: number) => void;
}

function NumberSelect(props: INumberSelectProps): JSX.Element {
  const id = useFieldId(props.name);
  return (
    <Field id={id} label={props.label} hint={props.hint}>
      <HTMLSelect
        id={id}
        data-testid={`satflow-${props.name}`}
        value={props.value}
        options={props.options}
        onChange={event => props.onChange(Number(event.target.value))}
      />
    </Field>
  );
}

/** The name of a day of the week in the language of the page. */
function weekdayName(weekday: number, language: string): string {
  const sunday = Date.UTC(2023, 0, 1);
  return new Intl.DateTimeFormat(language || undefined, {
    weekday: 'long',
    timeZone: 'UTC'
  }).format(sunday + weekday * 24 * 3600 * 1000);
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
