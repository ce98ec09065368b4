import { InputGroup } from '@jupyterlab/ui-components';
import React, { useState } from 'react';

import { ErrorNote } from '../components/ErrorNote';
import { Field } from '../components/Field';
import {
  asObject,
  createOverrideForm,
  type IParameterForm
} from '../components/parameterSchema';
import { SchemaForm } from '../components/SchemaForm';
import { useFieldId } from '../components/useFieldId';
import { useTrans } from '../components/translation';
import { ZonedTime } from '../components/ZonedTime';
import { errorBelow } from '../errors';
import {
  ERROR_ID,
  errorAttributes,
  type IScheduleInputProps
} from './scheduleInput';
import { ScheduleTimes } from './ScheduleTimes';

export interface IScheduleFieldsProps extends IScheduleInputProps {
  /** The form of the flow's parameters. */
  form: IParameterForm;
  nextRuns: readonly string[] | null;
}

/** The inputs of one schedule, with a description and the next runs. */
export function ScheduleFields(props: IScheduleFieldsProps): JSX.Element {
  const { error } = props;
  const errorId = useFieldId(ERROR_ID);
  const inParameters = errorBelow(error, 'parameters');
  return (
    <div className="jp-Satflow-scheduleFields">
      <div className="jp-Satflow-columns">
        <ScheduleTimes {...props} />
        <NameInput {...props} />
      </div>
      <ActiveInput {...props} />
      <ParameterFields {...props} error={inParameters} />
      {error && !inParameters && <ErrorNote error={error} id={errorId} />}
      {!error && <NextRuns {...props} />}
    </div>
  );
}

function NameInput(props: IScheduleInputProps): JSX.Element {
  const trans = useTrans();
  const { schedule, error, onChange } = props;
  const id = useFieldId('name');
  const errorId = useFieldId(ERROR_ID);
  return (
    <Field id={id} label={trans.__('Schedule name (optional)')}>
      <InputGroup
        id={id}
        data-testid="satflow-schedule-name"
        value={schedule.name}
        {...errorAttributes(error, 'name', errorId)}
        onChange={event => onChange({ ...schedule, name: event.target.value })}
      />
    </Field>
  );
}

function ActiveInput(props: IScheduleInputProps): JSX.Element {
  const trans = useTrans();
  const { schedule, onChange } = props;
  return (
    <label className="jp-Satflow-check">
      <input
        type="checkbox"
        data-testid="satflow-schedule-active"
        checked={schedule.isActive}
        onChange={event =>
          onChange({ ...schedule, isActive: event.target.checked })
        }
      />
      {trans.__('Active')}
    </label>
  );
}

/** Values that replace the parameters of the deployment for the runs of this schedule. */
function ParameterFields(props: IScheduleFieldsProps): JSX.Element | null {
  const trans = useTrans();
  const { schedule, error, onChange } = props;
  const id = useFieldId('parameters');
  const form = createOverrideForm(props.form);
  const [isOpen, setOpen] = useState(
    Object.keys(schedule.parameters).length > 0
  );
  if (Object.keys(asObject(form.schema.properties ?? {})).length === 0) {
    return null;
  }
  const isShown = isOpen || error !== null;
  return (
    <details
      className="jp-Satflow-advanced"
      data-testid="satflow-schedule-parameters"
      open={isShown}
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary>{trans.__('Other parameters for these runs')}</summary>
      {isShown && (
        <SchemaForm
          id={id}
          schema={form.schema}
          jsonFields={form.jsonFields}
          data={schedule.parameters}
          error={error}
          onChange={parameters => onChange({ ...schedule, parameters })}
        />
      )}
    </details>
  );
}

function NextRuns(props: IScheduleFieldsProps): JSX.Element {
  const trans = useTrans();
  const { nextRuns, schedule } = props;
  return (
    <div className="jp-Satflow-nextRuns" role="status">
      <span>
        {nextRuns?.length === 0
          ? trans.__('No further runs.')
          : trans.__('Next runs, %1', schedule.timezone)}
      </span>
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
