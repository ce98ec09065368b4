import { HTMLSelect } from '@jupyterlab/ui-components';
import React from 'react';

import type { ErrorBody, JsonValue, RunGroupPlan } from '../_api';
import { ErrorNote } from '../components/ErrorNote';
import { Field } from '../components/Field';
import { asObject } from '../components/parameterSchema';
import { useTrans } from '../components/translation';
import { FormId, useFieldId, useUniqueFormId } from '../components/useFieldId';
import { errorBelow } from '../errors';
import type { RunManyModel, VariedValues } from './runMany';
import { RunParameters } from './RunParameters';

export interface IRunManyFormProps {
  model: RunManyModel;
}

/** The form for the runs of a deployment with different parameters, and the number of runs that it would start. */
export function RunManyForm({ model }: IRunManyFormProps): JSX.Element {
  const trans = useTrans();
  const id = useUniqueFormId();
  const shared = model.sharedForm;
  const hasShared =
    Object.keys(asObject(shared.schema.properties ?? {})).length > 0;
  return (
    <FormId.Provider value={id}>
      <div className="jp-Satflow-runMany" data-testid="satflow-run-many-form">
        <fieldset className="jp-Satflow-vary">
          <legend>{trans.__('Different in each run')}</legend>
          {model.names.map(name => (
            <label key={name}>
              <input
                type="checkbox"
                checked={model.varied.has(name)}
                data-testid={`satflow-vary-${name}`}
                onChange={event => model.setVaried(name, event.target.checked)}
              />
              {name}
            </label>
          ))}
        </fieldset>
        {[...model.varied].map(([name, values]) => (
          <ValuesField key={name} name={name} values={values} model={model} />
        ))}
        {hasShared && (
          <fieldset className="jp-Satflow-vary">
            <legend>{trans.__('The same in all runs')}</legend>
            <RunParameters
              key={[...model.varied.keys()].join()}
              form={shared}
              data={model.data}
              error={errorBelow(model.error, 'parameters')}
              onChange={data => model.change({ data })}
            />
          </fieldset>
        )}
        <GroupFields model={model} />
        <Plan model={model} />
      </div>
    </FormId.Provider>
  );
}

interface IValuesFieldProps {
  name: string;
  values: VariedValues;
  model: RunManyModel;
}

function ValuesField(props: IValuesFieldProps): JSX.Element {
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
  props: IValuesFieldProps & {
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
        error={overError(model, name)}
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
  props: IValuesFieldProps & {
    values: { kind: 'choices'; choices: JsonValue[]; chosen: JsonValue[] };
  }
): JSX.Element {
  const { name, values, model } = props;
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
          {typeof choice === 'string' ? choice : JSON.stringify(choice)}
        </label>
      ))}
    </fieldset>
  );
}

function TextField(
  props: IValuesFieldProps & { values: { kind: 'text'; text: string } }
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
      error={overError(model, name)}
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

function overError(model: RunManyModel, name: string): ErrorBody | null {
  return model.error?.field === `over.${name}` ? model.error : null;
}

function GroupFields({ model }: IRunManyFormProps): JSX.Element {
  const trans = useTrans();
  const nameId = useFieldId('group-name');
  const concurrencyId = useFieldId('group-concurrency');
  const onlyId = useFieldId('group-only');
  return (
    <>
      <Field
        id={nameId}
        label={trans.__('Name of the group')}
        hint={trans.__('The name of an existing group continues that group.')}
        error={model.error?.field === 'name' ? model.error : null}
      >
        <input
          id={nameId}
          className="jp-mod-styled"
          type="text"
          value={model.name}
          placeholder={trans.__('not set')}
          data-testid="satflow-group-name"
          onChange={event => model.change({ name: event.target.value })}
        />
      </Field>
      {model.plan?.exists && (
        <Field id={onlyId} label={trans.__('Points to run')}>
          <HTMLSelect
            id={onlyId}
            value={model.only}
            data-testid="satflow-group-only"
            options={[
              { value: 'missing', label: trans.__('Missing runs') },
              { value: 'failed', label: trans.__('Missing and failed runs') },
              { value: 'all', label: trans.__('All runs') }
            ]}
            onChange={event =>
              model.change({ only: event.target.value as RunManyModel['only'] })
            }
          />
        </Field>
      )}
      <Field
        id={concurrencyId}
        label={trans.__('Runs at the same time')}
        error={model.error?.field === 'concurrency' ? model.error : null}
      >
        <input
          id={concurrencyId}
          className="jp-mod-styled"
          type="number"
          min={1}
          max={100}
          value={model.concurrency}
          data-testid="satflow-group-concurrency"
          onChange={event =>
            model.change({ concurrency: Number(event.target.value) })
          }
        />
      </Field>
      <label className="jp-Satflow-check">
        <input
          type="checkbox"
          checked={model.newestFirst}
          data-testid="satflow-group-newest-first"
          onChange={event =>
            model.change({ newestFirst: event.target.checked })
          }
        />
        {trans.__('Start with the last one')}
      </label>
    </>
  );
}

function Plan({ model }: IRunManyFormProps): JSX.Element {
  const trans = useTrans();
  const { plan, error } = model;
  const shownAtField =
    error?.field === 'name' ||
    error?.field === 'concurrency' ||
    error?.field?.startsWith('over.');
  if (error && !shownAtField) {
    return <ErrorNote error={error} />;
  }
  return (
    <div
      className="jp-Satflow-plan"
      role="status"
      data-testid="satflow-plan"
      data-runs={plan?.runs}
    >
      {plan ? (
        <PlanText plan={plan} />
      ) : (
        <span className="jp-Satflow-hint">
          {trans.__('Enter values to see the number of runs.')}
        </span>
      )}
    </div>
  );
}

function PlanText({ plan }: { plan: RunGroupPlan }): JSX.Element {
  const trans = useTrans();
  const further = plan.runs - plan.first.length;
  return (
    <>
      <strong>{trans._n('%1 run', '%1 runs', plan.runs)}</strong>
      {plan.runs < plan.points && (
        <span className="jp-Satflow-hint">
          {trans.__('of %1 points; the others are in the group', plan.points)}
        </span>
      )}
      {plan.duplicates > 0 && (
        <span className="jp-Satflow-hint">
          {trans._n(
            '%1 duplicate is left out',
            '%1 duplicates are left out',
            plan.duplicates
          )}
        </span>
      )}
      <ul>
        {plan.first.map(point => (
          <li key={JSON.stringify(point)}>{describePoint(point)}</li>
        ))}
        {further > 0 && <li>{trans.__('… and %1 more', further)}</li>}
      </ul>
    </>
  );
}

function describePoint(point: { [name: string]: JsonValue }): string {
  return Object.entries(point)
    .map(([name, value]) =>
      typeof value === 'string'
        ? `${name}=${value}`
        : `${name}=${JSON.stringify(value)}`
    )
    .join(', ');
}
