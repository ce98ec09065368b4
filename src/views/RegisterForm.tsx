import type { TranslationBundle } from '@jupyterlab/translation';
import { InputGroup } from '@jupyterlab/ui-components';
import React, { useContext, useEffect, useRef } from 'react';

import type {
  Catalogue,
  Deployment,
  ErrorBody,
  JsonObject,
  LiveFlow,
  Registered
} from '../_api';
import { errorUnder } from '../errors';
import type { IDraft } from '../models/draft';
import { poolOf } from '../models/infrastructure';
import { kernelError } from '../models/kernelErrors';
import type { IParameterForm } from '../models/parameterSchema';
import { missingParameters } from '../models/parameterSchema';
import type { Intent } from '../models/subject';
import { ADVANCED, AdvancedFields } from './AdvancedFields';
import type { IClusterClassState } from './ClusterClassFields';
import { ErrorNote } from './ErrorNote';
import { ExecutorField } from './ExecutorField';
import { Field } from './Field';
import { focusField, focusStart } from './focusField';
import { FormId, useFieldId, useNewFormId } from './formId';
import { InfrastructureFields } from './InfrastructureFields';
import { type IPreflightPanelProps, PreflightPanel } from './PreflightPanel';
import { ScheduleField } from './ScheduleField';
import { SchemaForm } from './SchemaForm';
import { SubmitBar } from './SubmitBar';
import { WorkPoolField } from './WorkPoolField';

/** Actions of the register form. */
export interface IRegisterActions {
  onChange: (change: Partial<IDraft>) => void;
  onRegister: () => void;
  onOverwrite: () => void;
  onRegisterAndRun: () => void;
  onCopyCode: () => void;
  onCheck: () => void;
  onRehearse: () => void;
  onAskClass: (name: string) => void;
}

export interface IRegisterFormProps {
  flow: LiveFlow;
  /** The path of the flow's notebook. */
  notebook: string | null;
  form: IParameterForm;
  draft: IDraft;
  /** The reason for which the user opened the form, and the number of times. */
  intent: Intent;
  asked: number;
  catalogue: Catalogue | null;
  nextRuns: string[] | null;
  /** A deployment with the form's name that another notebook registered. */
  foreign: Deployment | null;
  /** The usage of the worker size in the last runs, in words. */
  needed: string | null;
  clusterClass: IClusterClassState;
  preflight: Pick<IPreflightPanelProps, 'report' | 'error' | 'doing'>;
  error: ErrorBody | null;
  /** The error in the schedule that the user is typing. */
  scheduleError: ErrorBody | null;
  isSending: boolean;
  canOverwrite: boolean;
  registered: Registered | null;
  actions: IRegisterActions;
  trans: TranslationBundle;
}

/** The fields that show their own errors; all other errors are shown at the top. */
const SHOWN = [
  'name',
  'parameters',
  'executor',
  'schedule',
  'work_pool',
  'infrastructure',
  ...ADVANCED
];

/** One page to register a flow; the Enter key accepts the defaults. */
export function RegisterForm(props: IRegisterFormProps): JSX.Element {
  return (
    <FormId.Provider value={useNewFormId()}>
      <Form {...props} />
    </FormId.Provider>
  );
}

function Form(props: IRegisterFormProps): JSX.Element {
  const { flow, draft, intent, error, actions, registered, trans } = props;
  const root = useRef<HTMLFormElement>(null);
  const formId = useContext(FormId);
  const missing = missingParameters(props.form, draft.parameters);
  useEffect(() => {
    if (props.asked > 0) {
      focusStart(root.current, formId, intent, missing);
    }
  }, [props.asked]);
  useEffect(() => {
    if (error) {
      focusField(root.current, formId, error.field);
    }
  }, [error]);
  const inWords = (one: ErrorBody) =>
    kernelError(one, props.notebook, flow.variable, trans);
  const isElsewhere = error && !SHOWN.some(field => errorUnder(error, field));
  const runs = intent === 'run' && !registered;
  return (
    <form
      ref={root}
      className="jp-Satflow-form"
      data-testid="satflow-register-form"
      aria-label={trans.__('Register %1', flow.name)}
      noValidate
      onSubmit={event => {
        event.preventDefault();
        (runs ? actions.onRegisterAndRun : actions.onRegister)();
      }}
    >
      <h2 title={flow.name}>{trans.__('Register %1', flow.name)}</h2>
      {flow.doc && <p className="jp-Satflow-doc">{flow.doc}</p>}
      {isElsewhere && <ErrorNote error={inWords(error)} />}
      <NameField {...props} />
      <Parameters {...props} />
      <Choices {...props} />
      <AdvancedFields {...props} onChange={actions.onChange} />
      <PreflightPanel
        report={props.preflight.report}
        error={props.preflight.error && inWords(props.preflight.error)}
        doing={props.preflight.doing}
        onCheck={actions.onCheck}
        onRehearse={actions.onRehearse}
        trans={trans}
      />
      <SubmitBar {...props} {...actions} />
    </form>
  );
}

function NameField(props: IRegisterFormProps): JSX.Element {
  const { draft, foreign, actions, trans } = props;
  const id = useFieldId('name');
  const error = errorUnder(props.error, 'name');
  return (
    <Field
      id={id}
      label={trans.__('Name')}
      hint={foreign && !error ? foreignWords(foreign, trans) : undefined}
      error={error}
    >
      <InputGroup
        id={id}
        data-testid="satflow-name"
        value={draft.name}
        onChange={event => actions.onChange({ name: event.target.value })}
      />
    </Field>
  );
}

function foreignWords(
  { notebook, version }: Deployment,
  trans: TranslationBundle
): string {
  return notebook
    ? trans.__(
        'Version %1 of this name was registered from %2. You will be asked before it is overwritten.',
        version,
        notebook
      )
    : trans.__(
        'A deployment of this name exists (version %1), registered by an unknown notebook. You will be asked before it is overwritten.',
        version
      );
}

function Parameters(props: IRegisterFormProps): JSX.Element | null {
  const { form, draft, error, actions, trans } = props;
  const id = useFieldId('parameters');
  if (props.flow.parameters.length === 0) {
    return null;
  }
  return (
    <fieldset className="jp-Satflow-fieldset" data-testid="satflow-parameters">
      <legend>{trans.__('Parameters')}</legend>
      <SchemaForm
        id={id}
        schema={form.schema}
        jsonFields={form.jsonFields}
        data={draft.parameters}
        error={errorUnder(error, 'parameters')}
        onChange={parameters => actions.onChange({ parameters })}
        trans={trans}
      />
    </fieldset>
  );
}

function Choices(props: IRegisterFormProps): JSX.Element | null {
  const { flow, catalogue, draft, error, nextRuns, actions, trans } = props;
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
        taskRunner={flow.task_runner?.text ?? null}
        needed={props.needed}
        options={draft.options[draft.executor] ?? {}}
        error={errorUnder(error, 'executor')}
        onExecutor={executor => actions.onChange({ executor })}
        onOptions={onOptions}
        clusterClass={props.clusterClass}
        onAskClass={actions.onAskClass}
        trans={trans}
      />
      <ScheduleField
        schedule={draft.schedule}
        nextRuns={nextRuns}
        error={
          errorUnder(error, 'schedule') ??
          errorUnder(props.scheduleError, 'schedule')
        }
        onChange={schedule => actions.onChange({ schedule })}
        trans={trans}
      />
      <WorkPoolField
        catalogue={catalogue}
        workPool={draft.workPool}
        error={errorUnder(error, 'work_pool')}
        onChange={workPool => actions.onChange({ workPool })}
        trans={trans}
      />
      <InfrastructureFields
        pool={poolOf(catalogue, draft.workPool)}
        draft={draft.infrastructure}
        error={errorUnder(error, 'infrastructure')}
        onChange={infrastructure => actions.onChange({ infrastructure })}
        trans={trans}
      />
    </>
  );
}
