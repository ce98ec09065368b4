import type {
  Catalogue,
  Infrastructure,
  InfrastructureInput,
  JsonObject,
  JsonValue,
  WorkPool
} from '../_api';
import {
  changedParameters,
  type IParameterForm,
  createParameterForm
} from '../components/parameterSchema';
import { RequestFailed } from '../errors';
import { publicValues } from './privacy';

/** The infrastructure of runs in the form: the texts as typed, and `more` with the work pool's other job variables. */
export interface IInfrastructureDraft {
  image: string;
  cpu: string;
  memory: string;
  gpus: string;
  env: readonly string[];
  more: JsonObject;
}

export const EMPTY_INFRASTRUCTURE: IInfrastructureDraft = {
  image: '',
  cpu: '',
  memory: '',
  gpus: '',
  env: [],
  more: {}
};

const AMOUNTS = ['cpu', 'memory', 'gpus'] as const;

/** Return the form values for a registered infrastructure. */
export function createInfrastructureDraft(
  registered: Infrastructure | null | undefined
): IInfrastructureDraft {
  if (!registered) {
    return EMPTY_INFRASTRUCTURE;
  }
  const { image, cpu, memory, gpus, env, job_variables: more } = registered;
  return {
    image: image ?? '',
    cpu: formatAmount(cpu),
    memory: formatAmount(memory),
    gpus: formatAmount(gpus),
    env: Object.entries(env ?? {}).map(([name, one]) => `${name}=${one}`),
    more: more ?? {}
  };
}

/** Return the part of the infrastructure that may be stored in the browser: no value whose name looks like a secret. */
export function withoutSecrets(
  draft: IInfrastructureDraft
): IInfrastructureDraft {
  const isPublic = (line: string) => {
    const [name, ...value] = line.split('=');
    return name in publicValues({}, { [name]: value.join('=') });
  };
  const env = draft.env.filter(isPublic);
  return { ...draft, env, more: publicValues({}, draft.more) };
}

/** Return whether any field is set. */
export function hasInfrastructure(draft: IInfrastructureDraft): boolean {
  const { env, more, ...texts } = draft;
  return (
    Object.values(texts).some(one => one !== '') ||
    env.length > 0 ||
    Object.keys(more).length > 0
  );
}

/** Return the work pool of the runs, or null if the catalog does not contain it. */
export function findWorkPool(
  catalogue: Catalogue | null,
  name: string | null
): WorkPool | null {
  const chosen = name ?? catalogue?.default_work_pool;
  return catalogue?.work_pools.find(one => one.name === chosen) ?? null;
}

/** Return the form of the work pool's other job variables. */
export function jobVariablesForm(pool: WorkPool | null): IParameterForm {
  return createParameterForm(pool?.job_variables ?? {});
}

/**
 * Return the infrastructure that the form describes, without empty fields.
 *
 * @throws RequestFailed if an environment variable has no value or a text is not JSON.
 */
export function parseInfrastructure(
  draft: IInfrastructureDraft,
  form: IParameterForm
): InfrastructureInput {
  const amounts = AMOUNTS.filter(name => draft[name].trim() !== '');
  const env = parseVariables(draft.env);
  const more = parseJobVariables(form, draft.more);
  return {
    ...(draft.image.trim() ? { image: draft.image.trim() } : {}),
    ...Object.fromEntries(amounts.map(name => [name, Number(draft[name])])),
    ...(Object.keys(env).length > 0 ? { env } : {}),
    ...(Object.keys(more).length > 0 ? { job_variables: more } : {})
  };
}

/** Format the infrastructure as flags of the magic. */
export function formatInfrastructureFlags(
  infrastructure: InfrastructureInput,
  formatValue: (value: JsonValue) => string
): string[][] {
  const { image, env, job_variables: more } = infrastructure;
  return [
    ...(image ? [['--image', image]] : []),
    ...AMOUNTS.flatMap(name =>
      infrastructure[name] ? [[`--${name}`, String(infrastructure[name])]] : []
    ),
    ...Object.entries(env ?? {}).map(([name, one]) => [
      '--env',
      `${name}=${one}`
    ]),
    ...Object.entries(more ?? {}).map(([name, one]) => [
      '--job-variable',
      `${name}=${formatValue(one)}`
    ])
  ];
}

function parseJobVariables(form: IParameterForm, more: JsonObject): JsonObject {
  try {
    const changed = changedParameters(form, more);
    return Object.fromEntries(
      Object.entries(changed).filter(([, one]) => one !== '')
    );
  } catch (reason) {
    const { body } = reason as RequestFailed;
    const field = body.field?.replace(
      /^parameters/,
      'infrastructure.job_variables'
    );
    throw new RequestFailed({ ...body, field: field ?? null });
  }
}

function parseVariables(lines: readonly string[]): JsonObject {
  const filled = lines.map(line => line.trim()).filter(line => line !== '');
  return Object.fromEntries(filled.map(parseVariable));
}

function parseVariable(line: string): [string, string] {
  const at = line.indexOf('=');
  if (at < 1) {
    throw new RequestFailed({
      error: 'InvalidInfrastructure',
      message: `${line} does not set an environment variable.`,
      fix: 'Write NAME=value, one per line.',
      field: 'infrastructure.env'
    });
  }
  return [line.slice(0, at).trim(), line.slice(at + 1)];
}

function formatAmount(amount: number | null): string {
  return amount === null || amount === undefined ? '' : String(amount);
}
