import { InputGroup } from '@jupyterlab/ui-components';
import React from 'react';

import { Field } from '../components/Field';
import { useFieldId } from '../components/useFieldId';
import { useTrans } from '../components/translation';
import { describeEvery, describeInterval } from './scheduleDescription';
import {
  ERROR_ID,
  errorAttributes,
  type IScheduleInputProps
} from './scheduleInput';

/** The number of minutes or hours between runs. */
export function EveryInput(props: IScheduleInputProps): JSX.Element {
  const trans = useTrans();
  const { schedule, error, onChange } = props;
  const id = useFieldId('every');
  const errorId = useFieldId(ERROR_ID);
  const every = schedule.every ?? '';
  return (
    <Field
      id={id}
      label={
        schedule.kind === 'minutes'
          ? trans.__('Minutes between runs')
          : trans.__('Hours between runs')
      }
      hint={describeEvery(schedule, trans)}
    >
      <InputGroup
        id={id}
        data-testid="satflow-every"
        type="number"
        min={1}
        step={1}
        value={every}
        {...errorAttributes(error, 'every', errorId, `${id}-hint`)}
        onChange={event => onChange({ ...schedule, every: event.target.value })}
      />
    </Field>
  );
}

export interface IDateInputProps extends IScheduleInputProps {
  bound: 'start' | 'end';
  label: string;
}

/** The first or the last day of a schedule. */
export function DateInput(props: IDateInputProps): JSX.Element {
  const trans = useTrans();
  const { schedule, error, bound, onChange } = props;
  const id = useFieldId(bound);
  const errorId = useFieldId(ERROR_ID);
  return (
    <Field
      id={id}
      label={trans.__('%1 (optional)', props.label)}
      hint={
        bound === 'start'
          ? trans.__('the first day')
          : trans.__('the last day, inclusive')
      }
    >
      <input
        id={id}
        type="date"
        className="jp-mod-styled"
        data-testid={`satflow-schedule-${bound}`}
        value={schedule[bound] ?? ''}
        {...errorAttributes(error, bound, errorId, `${id}-hint`)}
        onChange={event =>
          onChange({ ...schedule, [bound]: event.target.value })
        }
      />
    </Field>
  );
}

/** The seconds between runs, and the time from which they are counted. */
export function IntervalInputs(props: IScheduleInputProps): JSX.Element {
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
