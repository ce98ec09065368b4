import type {
  Catalogue,
  Deployment,
  JsonObject,
  JsonValue,
  LiveFlow,
  RegisterRequest,
  Schedule
} from '../_api';
import { RequestFailed } from '../errors';
import {
  type IInfrastructureDraft,
  infrastructureDraft,
  infrastructureFlags,
  infrastructureOf
} from './infrastructure';
import {
  chosenParameters,
  formData,
  type IParameterForm,
  parameterForm
} from './parameterSchema';

/** The executor that does what the flow's own task runner does. */
export const AS_FLOW_SAYS = 'flow';

/** A schedule as the form holds it: what was typed for each kind stays while another one is chosen. */
export interface IScheduleDraft {
  kind: 'none' | 'cron' | 'interval';
  cron: string;
  /** Text as it was typed. */
  seconds: string;
  timezone: string;
}

/** What the register form holds. `options` are those of each executor that was looked at. */
export interface IDraft {
  name: string;
  parameters: JsonObject;
  executor: string;
  options: { [executor: string]: JsonObject };
  schedule: IScheduleDraft;
  workPool: string | null;
  infrastructure: IInfrastructureDraft;
  tags: string;
  environment: EnvironmentPolicy;
  missedRuns: MissedRuns;
  secrets: readonly string[];
  include: readonly string[];
}

/** What happens where a run's packages are not those of the registration. */
export type EnvironmentPolicy = NonNullable<RegisterRequest['environment']>;

/** Which scheduled runs start that were missed while the stack was off. */
export type MissedRuns = NonNullable<RegisterRequest['missed_runs']>;

/** What a registration says, whatever kernel and notebook the flow lives in. */
export type Choices = Required<
  Pick<
    RegisterRequest,
    | 'parameters'
    | 'executor'
    | 'work_pool'
    | 'infrastructure'
    | 'tags'
    | 'environment'
    | 'missed_runs'
    | 'secrets'
    | 'include'
  >
> & { name: string; schedule: Schedule };

/** What the settings say about new registrations. */
export interface IPreset {
  executor: string;
  timezone: string;
}

/** The form for a flow: as it was registered last, else defaults that work. */
export function draftOf(
  flow: LiveFlow,
  deployment: Deployment | null,
  preset: IPreset
): IDraft {
  const form = parameterForm(flow.parameter_schema);
  const executor = deployment?.executor ?? null;
  const isChosen = executor !== null && !executor.from_flow;
  return {
    name: deployment?.name ?? flow.name,
    parameters: formData(form, deployment?.parameters ?? {}),
    executor: isChosen
      ? executor.name
      : executor
        ? AS_FLOW_SAYS
        : preset.executor,
    options: isChosen ? { [executor.name]: executor.options } : {},
    schedule: scheduleDraft(deployment?.schedule, preset.timezone),
    workPool: deployment?.work_pool ?? null,
    infrastructure: infrastructureDraft(deployment?.infrastructure),
    tags: deployment?.tags.join(', ') ?? '',
    environment: deployment?.environment ?? 'warn',
    missedRuns: deployment?.missed_runs ?? 'last',
    secrets: deployment?.secrets ?? [],
    include: deployment?.include ?? []
  };
}

/** The values of parameters that the flow still has. */
export function withField(flow: LiveFlow, values: JsonObject): JsonObject {
  const names = flow.parameters.map(one => one.name);
  const kept = Object.entries(values).filter(([name]) => names.includes(name));
  return Object.fromEntries(kept);
}

function scheduleDraft(
  schedule: Schedule | undefined,
  timezone: string
): IScheduleDraft {
  const empty = { kind: 'none', cron: '0 6 * * *', seconds: 3600, timezone };
  const filled = { ...empty, ...schedule };
  return { ...filled, seconds: String(filled.seconds) } as IScheduleDraft;
}

/**
 * The schedule that the form describes.
 *
 * @throws RequestFailed where the interval is not a number; `field` names it.
 */
export function scheduleOf(draft: IScheduleDraft): Schedule {
  const { kind, cron, timezone } = draft;
  switch (kind) {
    case 'cron':
      return { kind, cron: cron.trim(), timezone };
    case 'interval':
      return { kind, seconds: secondsOf(draft.seconds), timezone };
    default:
      return { kind };
  }
}

/** A number of seconds as it was typed; forms that an earlier version kept hold a number. */
function secondsOf(typed: string | number): number {
  const text = String(typed).trim();
  const seconds = Number(text);
  if (text === '' || !Number.isFinite(seconds)) {
    throw new RequestFailed({
      error: 'InvalidSchedule',
      message: text
        ? `The interval ${text} is not a number of seconds.`
        : 'The interval is empty.',
      fix: 'Enter the seconds between runs, such as 3600.',
      field: 'schedule.seconds'
    });
  }
  return seconds;
}

/**
 * What the form says.
 *
 * @param form - of the flow's parameters
 * @param pool - the form of what else the work pool takes
 * @throws RequestFailed where a text is not what its field wants.
 */
export function choicesOf(
  draft: IDraft,
  form: IParameterForm,
  pool: IParameterForm
): Choices {
  return {
    name: draft.name.trim(),
    parameters: chosenParameters(form, draft.parameters),
    executor: {
      name: draft.executor,
      options: given(draft.options[draft.executor] ?? {})
    },
    schedule: scheduleOf(draft.schedule),
    work_pool: draft.workPool,
    infrastructure: infrastructureOf(draft.infrastructure, pool),
    tags: draft.tags.split(/[\s,]+/).filter(tag => tag !== ''),
    environment: draft.environment,
    missed_runs: draft.missedRuns,
    secrets: said(draft.secrets),
    include: said(draft.include)
  };
}

/** The same as a line for a notebook cell. */
export function magicLine(variable: string, choices: Choices): string {
  const flags = [
    ['--executor', choices.executor.name ?? AS_FLOW_SAYS],
    ...Object.entries(choices.executor.options ?? {}).map(([option, value]) => [
      `--${option.replace(/_/g, '-')}`,
      spelled(value)
    ]),
    ...scheduleFlags(choices.schedule),
    ...Object.entries(choices.parameters).map(([name, value]) => [
      '--param',
      `${name}=${spelled(value)}`
    ]),
    ...(choices.name && choices.name !== variable
      ? [['--name', choices.name]]
      : []),
    ...(choices.work_pool ? [['--work-pool', choices.work_pool]] : []),
    ...infrastructureFlags(choices.infrastructure, spelled),
    ...choices.tags.map(tag => ['--tag', tag]),
    ...(choices.environment === 'warn'
      ? []
      : [['--environment', choices.environment]]),
    ...(choices.missed_runs === 'last'
      ? []
      : [['--missed-runs', choices.missed_runs]]),
    ...choices.secrets.map(name => ['--secret', name]),
    ...choices.include.map(pattern => ['--include', pattern])
  ];
  const words = flags.map(([flag, value]) => `${flag} ${shellWord(value)}`);
  return ['%register_flow', variable, ...words].join(' ');
}

/** The executor's options that the server's catalogue knows, with its defaults. */
export function optionsSchema(
  catalogue: Catalogue,
  executor: string
): JsonObject {
  const info = catalogue.executors.find(one => one.name === executor);
  return info?.options_schema ?? {};
}

function scheduleFlags(schedule: Schedule): string[][] {
  switch (schedule.kind) {
    case 'cron':
      return [
        ['--cron', schedule.cron],
        ['--timezone', schedule.timezone]
      ];
    case 'interval':
      return [
        ['--interval', String(schedule.seconds)],
        ['--timezone', schedule.timezone]
      ];
    default:
      return [];
  }
}

/** Lines as they were typed, without those left empty. */
function said(lines: readonly string[]): string[] {
  return lines.map(line => line.trim()).filter(line => line !== '');
}

/** Options left empty are left out, so that the executor's default holds. */
function given(options: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(options).filter(
      ([, value]) => value !== undefined && value !== null && value !== ''
    )
  );
}

/** JSON, except for text that could not be taken for something else. */
function spelled(value: JsonValue): string {
  return typeof value === 'string' && !isJson(value)
    ? value
    : JSON.stringify(value);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A word as a POSIX shell reads it, which is how the magic splits its line. */
function shellWord(text: string): string {
  if (/^[\w.,:/+=@%-]+$/.test(text)) {
    return text;
  }
  return /["\\$`]/.test(text)
    ? `'${text.replace(/'/g, `'"'"'`)}'`
    : `"${text}"`;
}
