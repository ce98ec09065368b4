import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
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
import { ErrorNote } from '../components/ErrorNote';
import { Field } from '../components/Field';
import { FormId, useFieldId, useUniqueFormId } from '../components/useFieldId';
import type { IParameterForm } from '../components/parameterSchema';
import { missingParameters } from '../components/parameterSchema';
import { SchemaForm } from '../components/SchemaForm';
import { useTrans } from '../components/translation';
import { errorBelow } from '../errors';
import { docSummary } from '../format';
import { FORM_OPTIONS } from './_options';
import { AdvancedFields } from './AdvancedFields';
import { AutomationFields } from './AutomationFields';
import type { IClusterClassState } from './ClusterClassFields';
import type { IDraft } from './draft';
import type { IExecutorCard } from './executorCards';
import { ExecutorField } from './ExecutorField';
import type { Intent } from './flowSource';
import { focusField, focusStart } from './focusField';
import { findWorkPool } from './infrastructure';
import { InfrastructureFields } from './InfrastructureFields';
import { describeKernelError } from './kernelErrors';
import { OptionFields } from './OptionFields';
import { type IPreflightPanelProps, PreflightPanel } from './PreflightPanel';
import type { ISchedulePreview } from './schedulePreview';
import { SchedulesField } from './SchedulesField';
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
  onTestCleanProcess: () => void;
  onLoadClass: (name: string) => void;
  /** Send a test message through a Prefect block; rejects with the reason why it was not sent. */
  onTestNotification: (block: string) => Promise<void>;
}

export interface IRegisterFormProps {
  flow: LiveFlow;
  /** The path of the flow's notebook. */
  notebook: string | null;
  form: IParameterForm;
  draft: IDraft;
  /** The reason for which the user opened the form, and the number of times. */
  intent: Intent;
  openCount: number;
  catalogue: Catalogue | null;
  /** The cards of executors. */
  cards: readonly IExecutorCard[];
  translator: ITranslator;
  /** The time zone of new schedules. */
  timezone: string;
  /** The next runs of the schedules that the user is typing, by their keys. */
  previews: ReadonlyMap<string, ISchedulePreview>;
  /** A deployment with the form's name that another notebook registered. */
  foreignDeployment: Deployment | null;
  /** The usage of the worker size in the last runs, in words. */
  workerUsage: string | null;
  clusterClass: IClusterClassState;
  preflight: Pick<IPreflightPanelProps, 'report' | 'error' | 'activity'>;
  error: ErrorBody | null;
  isSending: boolean;
  canOverwrite: boolean;
  registered: Registered | null;
  actions: IRegisterActions;
}

/** The fields that show their own errors; all other errors are shown at the top. */
const FIELDS_WITH_ERRORS = [
  'name',
  'parameters',
  'executor',
  'schedules',
  'notify',
  'trigger',
  'work_pool',
  'infrastructure',
  ...FORM_OPTIONS.map(option => option.field)
];

/** One page to register a flow; the Enter key accepts the defaults. */
export function RegisterForm(props: IRegisterFormProps): JSX.Element {
  return (
    <FormId.Provider value={useUniqueFormId()}>
      <FormContent {...props} />
    </FormId.Provider>
  );
}

function FormContent(props: IRegisterFormProps): JSX.Element {
  const trans = useTrans();
  const { flow, draft, intent, error, actions, registered } = props;
  const root = useRef<HTMLFormElement>(null);
  const formId = useContext(FormId);
  const missing = missingParameters(props.form, draft.parameters);
  useEffect(() => {
    if (props.openCount > 0) {
      focusStart(root.current, formId, intent, missing);
    }
  }, [props.openCount]);
  useEffect(() => {
    if (error) {
      focusField(root.current, formId, error.field);
    }
  }, [error]);
  const inWords = (one: ErrorBody) =>
    describeKernelError(one, props.notebook, flow.variable, trans);
  const isElsewhere =
    error && !FIELDS_WITH_ERRORS.some(field => errorBelow(error, field));
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
      <FlowSummary doc={flow.doc} />
      {isElsewhere && <ErrorNote error={inWords(error)} />}
      <NameField {...props} />
      <ParameterFields {...props} />
      <ChoiceFields {...props} />
      <OptionFields
        {...props}
        options={FORM_OPTIONS.filter(option => !option.isAdvanced)}
        onChange={actions.onChange}
      />
      <AdvancedFields
        {...props}
        options={FORM_OPTIONS.filter(option => option.isAdvanced)}
        onChange={actions.onChange}
      />
      <PreflightPanel
        report={props.preflight.report}
        error={props.preflight.error && inWords(props.preflight.error)}
        activity={props.preflight.activity}
        onCheck={actions.onCheck}
        onTestCleanProcess={actions.onTestCleanProcess}
      />
      <SubmitBar {...props} {...actions} />
    </form>
  );
}

function FlowSummary({ doc }: { doc: string }): JSX.Element | null {
  const summary = docSummary(doc);
  return summary ? <p className="jp-Satflow-doc">{summary}</p> : null;
}

function NameField(props: IRegisterFormProps): JSX.Element {
  const trans = useTrans();
  const { draft, foreignDeployment, actions } = props;
  const id = useFieldId('name');
  const error = errorBelow(props.error, 'name');
  return (
    <Field
      id={id}
      label={trans.__('Name')}
      hint={
        foreignDeployment && !error
          ? describeForeign(foreignDeployment, trans)
          : undefined
      }
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

function describeForeign(
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

function ParameterFields(props: IRegisterFormProps): JSX.Element | null {
  const trans = useTrans();
  const { form, draft, error, actions } = props;
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
        error={errorBelow(error, 'parameters')}
        onChange={parameters => actions.onChange({ parameters })}
      />
    </fieldset>
  );
}

function ChoiceFields(props: IRegisterFormProps): JSX.Element | null {
  const trans = useTrans();
  const { flow, catalogue, draft, error, actions } = props;
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
        cards={props.cards}
        translator={props.translator}
        isSending={props.isSending}
        executor={draft.executor}
        taskRunner={flow.task_runner?.text ?? null}
        workerUsage={props.workerUsage}
        options={draft.options[draft.executor] ?? {}}
        error={errorBelow(error, 'executor')}
        onExecutor={executor => actions.onChange({ executor })}
        onOptions={onOptions}
        clusterClass={props.clusterClass}
        onLoadClass={actions.onLoadClass}
      />
      <SchedulesField
        schedules={draft.schedules}
        previews={props.previews}
        form={props.form}
        timezone={props.timezone}
        error={errorBelow(error, 'schedules')}
        onChange={schedules => actions.onChange({ schedules })}
      />
      <AutomationFields
        draft={draft}
        blocks={catalogue.notification_blocks}
        error={error}
        onChange={actions.onChange}
        onTest={actions.onTestNotification}
      />
      <WorkPoolField
        catalogue={catalogue}
        workPool={draft.workPool}
        error={errorBelow(error, 'work_pool')}
        onChange={workPool => actions.onChange({ workPool })}
      />
      <InfrastructureFields
        pool={findWorkPool(catalogue, draft.workPool)}
        draft={draft.infrastructure}
        error={errorBelow(error, 'infrastructure')}
        onChange={infrastructure => actions.onChange({ infrastructure })}
      />
    </>
  );
}
