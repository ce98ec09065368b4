import React from 'react';

import type { JsonValue } from '../_api';
import { ErrorNote } from '../components/ErrorNote';
import { Field } from '../components/Field';
import { useTrans } from '../components/translation';
import { useFieldId } from '../components/useFieldId';
import { formatValue } from '../format';
import type { RunManyModel, VariedValues } from './runMany';

export interface IVariedFieldProps {
  name: string;
  values: VariedValues;
  model: RunManyModel;
}

/** The values of a parameter that differs in each run. */
export function VariedField(props: IVariedFieldProps): JSX.Element {
  const { values } = props;
  switch (values.kind) {
    case 'dates':
      return <DatesField {...props} values={values} />;
    case 'choices':
      return <ChoicesField {...props} values={values} />;
    case 'text':
      return <TextField {...props} values={values} />;
  }
}

function DatesField(
  props: IVariedFieldProps & {
    values: { kind: 'dates'; first: string; last: string };
  }
): JSX.Element {
  const trans = useTrans();
  const { name, values, model } = props;
  const id = useFieldId(`over-${name}`);
  return (
    <div className="jp-Satflow-dates">
      <Field
        id={`${id}-first`}
        label={trans.__('%1, first day', name)}
        error={model.errorOf(`over.${name}`)}
      >
        <input
          id={`${id}-first`}
          className="jp-mod-styled"
          type="date"
          value={values.first}
          data-testid={`satflow-over-first-${name}`}
          onChange={event =>
            model.setValues(name, { ...values, first: event.target.value })
          }
        />
      </Field>
      <Field id={`${id}-last`} label={trans.__('last day')}>
        <input
          id={`${id}-last`}
          className="jp-mod-styled"
          type="date"
          value={values.last}
          data-testid={`satflow-over-last-${name}`}
          onChange={event =>
            model.setValues(name, { ...values, last: event.target.value })
          }
        />
      </Field>
    </div>
  );
}

function ChoicesField(
  props: IVariedFieldProps & {
    values: { kind: 'choices'; choices: JsonValue[]; chosen: JsonValue[] };
  }
): JSX.Element {
  const { name, values, model } = props;
  const error = model.errorOf(`over.${name}`);
  const toggle = (choice: JsonValue) => {
    const chosen = values.choices.filter(
      one => values.chosen.includes(one) !== (one === choice)
    );
    model.setValues(name, { ...values, chosen });
  };
  return (
    <fieldset className="jp-Satflow-vary">
      <legend>{name}</legend>
      {values.choices.map(choice => (
        <label key={JSON.stringify(choice)}>
          <input
            type="checkbox"
            checked={values.chosen.includes(choice)}
            data-testid={`satflow-over-${name}-${choice}`}
            onChange={() => toggle(choice)}
          />
          {formatValue(choice)}
        </label>
      ))}
      {error && <ErrorNote error={error} />}
    </fieldset>
  );
}

function TextField(
  props: IVariedFieldProps & { values: { kind: 'text'; text: string } }
): JSX.Element {
  const trans = useTrans();
  const { name, values, model } = props;
  const id = useFieldId(`over-${name}`);
  return (
    <Field
      id={id}
      label={trans.__('Values of %1', name)}
      hint={trans.__(
        'A list such as a, b or a range such as 1..10 or 2026-01-01T00:00..2026-01-02T00:00/6h.'
      )}
      error={model.errorOf(`over.${name}`)}
    >
      <input
        id={id}
        className="jp-mod-styled"
        type="text"
        value={values.text}
        data-testid={`satflow-over-${name}`}
        onChange={event =>
          model.setValues(name, { kind: 'text', text: event.target.value })
        }
      />
    </Field>
  );
}
