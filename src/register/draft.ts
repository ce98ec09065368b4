import type {
  Catalogue,
  Deployment,
  JsonObject,
  LiveFlow,
  Notification,
  RegisterRequest,
  Schedule,
  Trigger
} from '../_api';
import {
  changedParameters,
  toFormData,
  type IParameterForm,
  createParameterForm
} from '../components/parameterSchema';
import { FLOW_EXECUTOR } from '../components/preferences';
import {
  automationFlags,
  createNotificationDrafts,
  createTriggerDrafts,
  type INotificationDraft,
  type ITriggerDraft,
  parseNotifications,
  parseTriggers
} from './automationDraft';
import { FORM_OPTIONS, type FormOptionField } from './_options';
import {
  createOptionDraft,
  formatOptionFlags,
  type IFormOption,
  parseOptionDraft,
  type OptionDraft
} from './formOption';
import {
  type IInfrastructureDraft,
  createInfrastructureDraft,
  formatInfrastructureFlags,
  parseInfrastructure
} from './infrastructure';
import {
  createScheduleDrafts,
  type IScheduleDraft,
  parseSchedules,
  scheduleFlags
} from './scheduleDraft';
import { formatValue, quoteShellWord } from '../components/shellWords';

/** A value for each option that has no widget of its own. */
type ByOption<T> = { [field in FormOptionField]: T };

/** The values of the register form. `options` has the options of each executor that the user selected. */
export interface IDraft extends ByOption<OptionDraft> {
  name: string;
  parameters: JsonObject;
  executor: string;
  options: { [executor: string]: JsonObject };
  schedules: IScheduleDraft[];
  notify: INotificationDraft[];
  trigger: ITriggerDraft[];
  workPool: string | null;
  infrastructure: IInfrastructureDraft;
}

/** The choices of a registration that do not depend on the kernel and the notebook. */
export type IChoices = Required<
  Pick<
    RegisterRequest,
    'parameters' | 'executor' | 'work_pool' | 'infrastructure' | FormOptionField
  >
> & {
  name: string;
  schedules: Schedule[];
  notify: Notification[];
  trigger: Trigger[];
};

/** The settings for new registrations. */
export interface IRegistrationDefaults {
  executor: string;
  timezone: string;
}

/** Return the form values for a flow: those of its last registration, or defaults that work. */
export function createDraft(
  flow: LiveFlow,
  deployment: Deployment | null,
  preset: IRegistrationDefaults
): IDraft {
  const form = createParameterForm(flow.parameter_schema);
  const executor = deployment?.executor ?? null;
  const isChosen = executor !== null && !executor.from_flow;
  return {
    name: deployment?.name ?? flow.name,
    parameters: toFormData(form, deployment?.parameters ?? {}),
    executor: isChosen
      ? executor.name
      : executor
        ? FLOW_EXECUTOR
        : preset.executor,
    options: isChosen ? { [executor.name]: executor.options } : {},
    schedules: createScheduleDrafts(deployment?.schedules ?? [], form),
    notify: createNotificationDrafts(deployment?.notify ?? []),
    trigger: createTriggerDrafts(deployment?.trigger ?? []),
    workPool: deployment?.work_pool ?? null,
    infrastructure: createInfrastructureDraft(deployment?.infrastructure),
    ...mapOptions(option =>
      createOptionDraft(option, deployment?.[option.field])
    )
  };
}

/** Return the values of parameters that the flow still has. */
export function keepExistingParameters(
  flow: LiveFlow,
  values: JsonObject
): JsonObject {
  const names = flow.parameters.map(one => one.name);
  const kept = Object.entries(values).filter(([name]) => names.includes(name));
  return Object.fromEntries(kept);
}

/** Compute a value for each option that has no widget of its own. */
function mapOptions<T>(
  valueOf: (option: IFormOption<FormOptionField>) => T
): ByOption<T> {
  return Object.fromEntries(
    FORM_OPTIONS.map(option => [option.field, valueOf(option)])
  ) as ByOption<T>;
}

/**
 * Return the choices that the form describes.
 *
 * @param form - the form of the flow's parameters
 * @param pool - the form of the work pool's other job variables
 * @throws RequestFailed if the text of a field is not valid.
 */
export function parseChoices(
  draft: IDraft,
  form: IParameterForm,
  pool: IParameterForm
): IChoices {
  return {
    name: draft.name.trim(),
    parameters: changedParameters(form, draft.parameters),
    executor: {
      name: draft.executor,
      options: nonEmptyOptions(draft.options[draft.executor] ?? {})
    },
    schedules: parseSchedules(draft.schedules, form),
    notify: parseNotifications(draft.notify),
    trigger: parseTriggers(draft.trigger),
    work_pool: draft.workPool,
    infrastructure: parseInfrastructure(draft.infrastructure, pool),
    ...(mapOptions(option =>
      parseOptionDraft(option, draft[option.field])
    ) as Pick<IChoices, FormOptionField>)
  };
}

/** Format the choices as a `%register_flow` line for a notebook cell. */
export function formatMagicLine(variable: string, choices: IChoices): string {
  const flags = [
    ['--executor', choices.executor.name ?? FLOW_EXECUTOR],
    ...Object.entries(choices.executor.options ?? {}).map(([option, value]) => [
      `--${option.replace(/_/g, '-')}`,
      formatValue(value)
    ]),
    ...scheduleFlags(choices.schedules),
    ...automationFlags(choices.notify, choices.trigger),
    ...Object.entries(choices.parameters).map(([name, value]) => [
      '--param',
      `${name}=${formatValue(value)}`
    ]),
    ...(choices.name && choices.name !== variable
      ? [['--name', choices.name]]
      : []),
    ...(choices.work_pool ? [['--work-pool', choices.work_pool]] : []),
    ...formatInfrastructureFlags(choices.infrastructure, formatValue),
    ...FORM_OPTIONS.flatMap(option =>
      formatOptionFlags(option, choices[option.field])
    )
  ];
  const words = flags
    .filter(([, value]) => !value.includes('\n'))
    .map(([flag, value]) => formatFlag(flag, value));
  const line = ['%register_flow', variable, ...words].join(' ');
  return [...flags.flatMap(describeLongValue), line].join('\n');
}

/** A value that begins with a dash would be read as another option. */
function formatFlag(flag: string, value: string): string {
  return `${flag}${value.startsWith('-') ? '=' : ' '}${quoteShellWord(value)}`;
}

/** A comment for an option that the line of a magic cannot contain: its value has several lines. */
function describeLongValue([flag, value]: string[]): string[] {
  const name = flag.replace(/^--/, '').replace(/-/g, '_');
  return value.includes('\n')
    ? [`# Only satflow_ext.register(…, ${name}=${JSON.stringify(value)})`]
    : [];
}

/** Return the schema of an executor's options, with its defaults, from the server's catalog. */
export function findOptionsSchema(
  catalogue: Catalogue,
  executor: string
): JsonObject {
  const info = catalogue.executors.find(one => one.name === executor);
  return info?.options_schema ?? {};
}

/** Drop empty options, so that the executor's defaults apply. */
function nonEmptyOptions(options: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(options).filter(
      ([, value]) => value !== undefined && value !== null && value !== ''
    )
  );
}
