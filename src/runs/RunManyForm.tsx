import { HTMLSelect } from '@jupyterlab/ui-components';
import React from 'react';

import type { RunGroupPlan } from '../_api';
import { ErrorNote } from '../components/ErrorNote';
import { Field } from '../components/Field';
import { SchemaForm } from '../components/SchemaForm';
import { useTrans } from '../components/translation';
import { FormId, useFieldId, useUniqueFormId } from '../components/useFieldId';
import { errorBelow } from '../errors';
import { formatParameters } from '../format';
import type { RunManyModel } from './runMany';
import { VariedField } from './VariedField';

export interface IRunManyFormProps {
  model: RunManyModel;
}

/** The form for the runs of a deployment with different parameters, and the number of runs that it would start. */
export function RunManyForm({ model }: IRunManyFormProps): JSX.Element {
  const id = useUniqueFormId();
  return (
    <FormId.Provider value={id}>
      <div className="jp-Satflow-runMany" data-testid="satflow-run-many-form">
        <VariedNames model={model} />
        {[...model.varied].map(([name, values]) => (
          <VariedField key={name} name={name} values={values} model={model} />
        ))}
        {model.sharedNames.length > 0 && <SharedParameters model={model} />}
        <GroupFields model={model} />
        <Plan model={model} />
      </div>
    </FormId.Provider>
  );
}

function VariedNames({ model }: IRunManyFormProps): JSX.Element {
  const trans = useTrans();
  return (
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
  );
}

function SharedParameters({ model }: IRunManyFormProps): JSX.Element {
  const trans = useTrans();
  const id = useFieldId('shared');
  const { schema, jsonFields } = model.sharedForm;
  return (
    <fieldset className="jp-Satflow-vary">
      <legend>{trans.__('The same in all runs')}</legend>
      <SchemaForm
        id={id}
        schema={schema}
        jsonFields={jsonFields}
        data={model.sharedData}
        error={errorBelow(model.error, 'parameters')}
        onChange={data => model.change({ data: { ...model.data, ...data } })}
      />
    </fieldset>
  );
}

function GroupFields({ model }: IRunManyFormProps): JSX.Element {
  const trans = useTrans();
  return (
    <>
      <div className="jp-Satflow-groupFields">
        <NameField model={model} />
        <ConcurrencyField model={model} />
      </div>
      {model.continuesGroup && <OnlyField model={model} />}
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

function NameField({ model }: IRunManyFormProps): JSX.Element {
  const trans = useTrans();
  const id = useFieldId('group-name');
  return (
    <Field
      id={id}
      label={trans.__('Name of the group')}
      hint={trans.__('The name of an existing group continues that group.')}
      error={model.errorOf('name')}
    >
      <input
        id={id}
        className="jp-mod-styled"
        type="text"
        value={model.name}
        placeholder={trans.__('not set')}
        data-testid="satflow-group-name"
        onChange={event => model.change({ name: event.target.value })}
      />
    </Field>
  );
}

function OnlyField({ model }: IRunManyFormProps): JSX.Element {
  const trans = useTrans();
  const id = useFieldId('group-only');
  return (
    <Field id={id} label={trans.__('Points to run')}>
      <HTMLSelect
        id={id}
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
  );
}

function ConcurrencyField({ model }: IRunManyFormProps): JSX.Element {
  const trans = useTrans();
  const id = useFieldId('group-concurrency');
  return (
    <Field
      id={id}
      label={trans.__('Runs at the same time')}
      error={model.errorOf('concurrency')}
    >
      <input
        id={id}
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
  );
}

function Plan({ model }: IRunManyFormProps): JSX.Element {
  const trans = useTrans();
  const { plan, error } = model;
  if (error && !model.hasFieldOf(error)) {
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
          {model.hasValues && !error
            ? trans.__('Determining the number of runs…')
            : trans.__('Enter values to see the number of runs.')}
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
          <li key={JSON.stringify(point)}>{formatParameters(point)}</li>
        ))}
        {further > 0 && <li>{trans.__('… and %1 more', further)}</li>}
      </ul>
    </>
  );
}
