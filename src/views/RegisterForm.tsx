import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { Button, InputGroup } from '@jupyterlab/ui-components';
import React, { useEffect, useRef } from 'react';

import type {
  Catalogue,
  ErrorBody,
  JsonObject,
  LiveFlow,
  Registered
} from '../_api';
import type { IDraft } from '../models/draft';
import type { IParameterForm } from '../models/parameterSchema';
import { ErrorNote } from './ErrorNote';
import { ExecutorField } from './ExecutorField';
import { Field } from './Field';
import { focusField } from './focusField';
import { RegisteredNote } from './RegisteredNote';
import { ScheduleField } from './ScheduleField';
import { SchemaForm } from './SchemaForm';
import { WorkPoolField } from './WorkPoolField';

/** What the user can do from the form. */
export interface IRegisterActions {
  onChange: (change: Partial<IDraft>) => void;
  onRegister: () => void;
  onRegisterAndRun: () => void;
  onCopyCode: () => void;
}

export interface IRegisterFormProps {
  flow: LiveFlow;
  form: IParameterForm;
  draft: IDraft;
  catalogue: Catalogue | null;
  nextRuns: string[] | null;
  error: ErrorBody | null;
  isSending: boolean;
  registered: Registered | null;
  actions: IRegisterActions;
  trans: TranslationBundle;
  translator?: ITranslator;
}

/** The fields that show their own error; all others stand at the top. */
const SHOWN = [
  'name',
  'parameters',
  'executor',
  'schedule',
  'work_pool',
  'tags'
];

/** One page to register a flow; Enter takes the defaults. */
export function RegisterForm(props: IRegisterFormProps): JSX.Element {
  const { flow, draft, error, actions, registered, trans } = props;
  const root = useRef<HTMLFormElement>(null);
  useEffect(() => focusField(root.current, error?.field ?? null), [error]);
  const atField = (field: string) => (under(error, field) ? error : null);
  const isElsewhere = error && !SHOWN.some(field => under(error, field));
  return (
    <form
      ref={root}
      className="jp-Satflow-form"
      data-testid="satflow-register-form"
      aria-label={trans.__('Register %1', flow.name)}
      onSubmit={event => {
        event.preventDefault();
        actions.onRegister();
      }}
    >
      <h2>{trans.__('Register %1', flow.name)}</h2>
      {flow.doc && <p className="jp-Satflow-doc">{flow.doc}</p>}
      {isElsewhere && <ErrorNote error={error} />}
      <Field id="satflow-name" label={trans.__('Name')} error={atField('name')}>
        <InputGroup
          id="satflow-name"
          data-testid="satflow-name"
          autoFocus
          value={draft.name}
          onChange={event => actions.onChange({ name: event.target.value })}
        />
      </Field>
      <Parameters {...props} error={atField('parameters')} />
      <Choices {...props} />
      <Advanced {...props} error={atField('tags')} />
      {registered && (
        <RegisteredNote
          registered={registered}
          onRun={actions.onRegisterAndRun}
          trans={trans}
        />
      )}
      <Submit {...props} />
    </form>
  );
}

function Parameters(props: IRegisterFormProps): JSX.Element | null {
  const { form, draft, error, actions, trans } = props;
  if (props.flow.parameters.length === 0) {
    return null;
  }
  const field = error?.field?.split('.')[1];
  return (
    <fieldset className="jp-Satflow-fieldset" data-testid="satflow-parameters">
      <legend>{trans.__('Parameters')}</legend>
      {error && !field && <ErrorNote error={error} />}
      <SchemaForm
        id="satflow-parameters"
        schema={form.schema}
        jsonFields={form.jsonFields}
        data={draft.parameters}
        errors={error && field ? { [field]: error.message } : {}}
        onChange={parameters => actions.onChange({ parameters })}
        translator={props.translator}
      />
    </fieldset>
  );
}

function Choices(props: IRegisterFormProps): JSX.Element | null {
  const { catalogue, draft, error, nextRuns, actions, trans } = props;
  if (!catalogue) {
    return error ? null : <p role="status">{trans.__('Loading…')}</p>;
  }
  const onOptions = (options: JsonObject) =>
    actions.onChange({
      options: { ...draft.options, [draft.executor]: options }
    });
  return (
    <>
      <ExecutorField
        catalogue={catalogue}
        executor={draft.executor}
        options={draft.options[draft.executor] ?? {}}
        error={under(error, 'executor') ? error : null}
        onExecutor={executor => actions.onChange({ executor })}
        onOptions={onOptions}
        trans={trans}
        translator={props.translator}
      />
      <ScheduleField
        schedule={draft.schedule}
        nextRuns={nextRuns}
        error={under(error, 'schedule') ? error : null}
        onChange={schedule => actions.onChange({ schedule })}
        trans={trans}
      />
      <WorkPoolField
        catalogue={catalogue}
        workPool={draft.workPool}
        error={under(error, 'work_pool') ? error : null}
        onChange={workPool => actions.onChange({ workPool })}
        trans={trans}
      />
    </>
  );
}

function Advanced(props: IRegisterFormProps): JSX.Element {
  const { draft, error, actions, trans } = props;
  return (
    <details className="jp-Satflow-advanced" open={error !== null || undefined}>
      <summary>{trans.__('Advanced')}</summary>
      <Field
        id="satflow-tags"
        label={trans.__('Tags')}
        hint={trans.__('Separated by commas.')}
        error={error}
      >
        <InputGroup
          id="satflow-tags"
          data-testid="satflow-tags"
          value={draft.tags}
          onChange={event => actions.onChange({ tags: event.target.value })}
        />
      </Field>
    </details>
  );
}

function Submit(props: IRegisterFormProps): JSX.Element {
  const { isSending, registered, actions, trans } = props;
  return (
    <div className="jp-Satflow-submit">
      <Button
        type="submit"
        className="jp-mod-styled jp-mod-accept"
        disabled={isSending}
        data-testid="satflow-submit"
      >
        {isSending ? trans.__('Registering…') : trans.__('Register')}
      </Button>
      {!registered && (
        <Button
          type="button"
          className="jp-mod-styled"
          disabled={isSending}
          onClick={actions.onRegisterAndRun}
          data-testid="satflow-submit-and-run"
        >
          {trans.__('Register and run')}
        </Button>
      )}
      <Button
        type="button"
        className="jp-mod-styled"
        onClick={actions.onCopyCode}
        data-testid="satflow-copy-code"
      >
        {trans.__('Copy as code')}
      </Button>
    </div>
  );
}

function under(error: ErrorBody | null, field: string): boolean {
  const at = error?.field;
  return at === field || Boolean(at?.startsWith(`${field}.`));
}
