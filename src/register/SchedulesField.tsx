import type { TranslationBundle } from '@jupyterlab/translation';
import { addIcon, Button, deleteIcon } from '@jupyterlab/ui-components';
import React, { useContext, useEffect, useRef, useState } from 'react';

import type { ErrorBody } from '../_api';
import { ErrorNote } from '../components/ErrorNote';
import { IconButton } from '../components/IconButton';
import type { IParameterForm } from '../components/parameterSchema';
import { FormId, useFieldId } from '../components/useFieldId';
import { useTrans } from '../components/translation';
import { errorBelow } from '../errors';
import { describeTimes } from './scheduleDescription';
import { createScheduleDraft, type IScheduleDraft } from './scheduleDraft';
import { ScheduleFields } from './ScheduleFields';
import type { ISchedulePreview } from './schedulePreview';

export interface ISchedulesFieldProps {
  schedules: readonly IScheduleDraft[];
  previews: ReadonlyMap<string, ISchedulePreview>;
  /** The form of the flow's parameters. */
  form: IParameterForm;
  /** The time zone of a new schedule. */
  timezone: string;
  /** An error in the schedules; `field` is the path below them. */
  error: ErrorBody | null;
  onChange: (schedules: IScheduleDraft[]) => void;
}

/** The schedules of a deployment: each can be folded, and has its own settings and next runs. */
export function SchedulesField(props: ISchedulesFieldProps): JSX.Element {
  const trans = useTrans();
  const { schedules, error, onChange } = props;
  const id = useFieldId('schedules');
  const formId = useContext(FormId);
  const [added, setAdded] = useState<string | null>(null);
  const addButton = useRef<HTMLDivElement>(null);
  const add = () => {
    const schedule = createScheduleDraft(
      schedules[schedules.length - 1]?.timezone ?? props.timezone
    );
    setAdded(schedule.key);
    onChange([...schedules, schedule]);
  };
  const replace = (changed: IScheduleDraft) =>
    onChange(schedules.map(one => (one.key === changed.key ? changed : one)));
  const remove = (key: string) => {
    onChange(schedules.filter(one => one.key !== key));
    addButton.current?.querySelector('button')?.focus();
  };
  return (
    <fieldset className="jp-Satflow-fieldset" id={id}>
      <legend>{trans.__('Schedules')}</legend>
      {schedules.length === 0 && (
        <p className="jp-Satflow-hint">
          {trans.__('None: runs are started manually.')}
        </p>
      )}
      {schedules.map((schedule, position) => (
        <FormId.Provider
          key={schedule.key}
          value={`${formId}-schedules-${position}`}
        >
          <ScheduleItem
            {...props}
            schedule={schedule}
            position={position}
            isNew={schedule.key === added}
            error={errorBelow(error, String(position))}
            onChange={replace}
            onRemove={() => remove(schedule.key)}
          />
        </FormId.Provider>
      ))}
      {error?.field === null && <ErrorNote error={error} />}
      <div ref={addButton}>
        <Button
          type="button"
          className="jp-mod-styled jp-Satflow-add"
          data-testid="satflow-add-schedule"
          onClick={add}
        >
          <addIcon.react tag="span" elementSize="normal" />
          {trans.__('Add schedule')}
        </Button>
      </div>
    </fieldset>
  );
}

interface IScheduleItemProps extends Omit<ISchedulesFieldProps, 'onChange'> {
  schedule: IScheduleDraft;
  position: number;
  /** True if the user has just added it. */
  isNew: boolean;
  onChange: (schedule: IScheduleDraft) => void;
  onRemove: () => void;
}

function ScheduleItem(props: IScheduleItemProps): JSX.Element {
  const trans = useTrans();
  const { schedule, schedules, previews, position, isNew, error } = props;
  const [isOpen, setOpen] = useState(isNew || schedules.length === 1);
  const item = useRef<HTMLDetailsElement>(null);
  const preview = previews.get(schedule.key);
  const mistake = error ?? errorBelow(preview?.error ?? null, 'schedule');
  const label = schedule.name || trans.__('Schedule %1', position + 1);
  useEffect(() => {
    if (isNew) {
      item.current?.querySelector<HTMLElement>('select')?.focus();
    }
  }, []);
  return (
    <div className="jp-Satflow-schedule" data-testid="satflow-schedule">
      <details
        ref={item}
        id={useContext(FormId)}
        open={isOpen || mistake !== null}
        onToggle={event => setOpen(event.currentTarget.open)}
      >
        <summary>
          <strong>{label}</strong>{' '}
          <span>{describeSchedule(schedule, trans)}</span>
        </summary>
        <ScheduleFields
          schedule={schedule}
          form={props.form}
          nextRuns={preview?.nextRuns ?? null}
          error={mistake}
          onChange={props.onChange}
        />
      </details>
      <IconButton
        icon={deleteIcon}
        label={trans.__('Remove %1', label)}
        onClick={props.onRemove}
        testId="satflow-remove-schedule"
      />
    </div>
  );
}

/** Describe a schedule on one line, for when its inputs are hidden. */
function describeSchedule(
  schedule: IScheduleDraft,
  trans: TranslationBundle
): string {
  const times = describeTimes(schedule, trans);
  return schedule.isActive
    ? trans.__('%1, %2', times, schedule.timezone)
    : trans.__('%1, %2, not active', times, schedule.timezone);
}
