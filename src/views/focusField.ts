import type { Intent } from '../models/subject';

/** The inputs, without their form's prefix, by the field of the request model, where they are not the schema forms'. */
const INPUTS: Record<string, string> = {
  name: 'name',
  'schedule.cron': 'cron',
  'schedule.seconds': 'interval',
  'schedule.timezone': 'timezone',
  'executor.options.worker_size': 'worker-size',
  work_pool: 'work-pool',
  'infrastructure.image': 'image',
  'infrastructure.cpu': 'cpu',
  'infrastructure.memory': 'memory',
  'infrastructure.gpus': 'gpus',
  'infrastructure.env': 'env',
  tags: 'tags',
  include: 'include',
  secrets: 'secrets',
  environment: 'environment',
  missed_runs: 'missed-runs'
};

const FOCUSABLE = 'input, select, textarea';

/**
 * Move the focus to where Enter does what the user came for, or to what is needed before that.
 *
 * @param root - the form
 * @param formId - what the ids of its inputs begin with
 * @param intent - what she came for
 * @param missing - parameters that a run needs and that have no value, first the first
 */
export function focusStart(
  root: HTMLElement | null,
  formId: string,
  intent: Intent,
  missing: string[]
): void {
  if (intent === 'register') {
    inputOf(root, formId, 'name')?.focus();
  } else if (missing.length > 0) {
    inputOf(root, formId, `parameters.${missing[0]}`)?.focus();
  } else {
    root?.querySelector<HTMLElement>('[type="submit"]')?.focus();
  }
}

/** Move the focus to the input that a mistake stands in, else to the message about it. */
export function focusField(
  root: HTMLElement | null,
  formId: string,
  field: string | null
): void {
  const input = field === null ? null : inputOf(root, formId, field);
  const message = root?.querySelector<HTMLElement>('[role="alert"]') ?? null;
  (input ?? message)?.focus();
}

/** The input of a field, or of what it is a part of; of a group of inputs the first. */
function inputOf(
  root: HTMLElement | null,
  formId: string,
  field: string
): HTMLElement | null {
  const id = CSS.escape(`${formId}-${idOf(field)}`);
  const found = root?.querySelector<HTMLElement>(`#${id}`);
  if (found) {
    return found.matches(FOCUSABLE)
      ? found
      : found.querySelector<HTMLElement>(FOCUSABLE);
  }
  const end = field.lastIndexOf('.');
  return end < 0 ? null : inputOf(root, formId, field.slice(0, end));
}

function idOf(field: string): string {
  const [first, ...rest] = field.split('.');
  if (first === 'parameters') {
    return ['parameters', ...rest].join('_');
  }
  if (field.startsWith('infrastructure.job_variables.')) {
    return ['job-variables', ...rest.slice(1)].join('_');
  }
  if (!(field in INPUTS) && field.startsWith('executor.options.')) {
    return ['options', ...rest.slice(1)].join('_');
  }
  return INPUTS[field] ?? field;
}
