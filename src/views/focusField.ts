import type { Intent } from '../models/register';

/** The inputs by the field of the request model, where they are not the schema forms'. */
const INPUTS: Record<string, string> = {
  name: 'satflow-name',
  'schedule.cron': 'satflow-cron',
  'schedule.seconds': 'satflow-interval',
  'schedule.timezone': 'satflow-timezone',
  'executor.options.worker_size': 'satflow-worker-size',
  work_pool: 'satflow-work-pool',
  'infrastructure.image': 'satflow-image',
  'infrastructure.cpu': 'satflow-cpu',
  'infrastructure.memory': 'satflow-memory',
  'infrastructure.gpus': 'satflow-gpus',
  'infrastructure.env': 'satflow-env',
  tags: 'satflow-tags',
  include: 'satflow-include',
  secrets: 'satflow-secrets',
  environment: 'satflow-environment',
  missed_runs: 'satflow-missed-runs'
};

const FOCUSABLE = 'input, select, textarea';

/**
 * Move the focus to where Enter does what the user came for, or to what is needed before that.
 *
 * @param root - the form
 * @param intent - what she came for
 * @param missing - parameters that a run needs and that have no value, first the first
 */
export function focusStart(
  root: HTMLElement | null,
  intent: Intent,
  missing: string[]
): void {
  if (intent === 'register') {
    root?.querySelector<HTMLElement>('#satflow-name')?.focus();
  } else if (missing.length > 0) {
    inputOf(root, `parameters.${missing[0]}`)?.focus();
  } else {
    root?.querySelector<HTMLElement>('[type="submit"]')?.focus();
  }
}

/** Move the focus to the input that a mistake stands in, else to the message about it. */
export function focusField(
  root: HTMLElement | null,
  field: string | null
): void {
  const input = field === null ? null : inputOf(root, field);
  const message = root?.querySelector<HTMLElement>('[role="alert"]') ?? null;
  (input ?? message)?.focus();
}

/** The input of a field, or of what it is a part of; of a group of inputs the first. */
function inputOf(root: HTMLElement | null, field: string): HTMLElement | null {
  const found = root?.querySelector<HTMLElement>(`#${CSS.escape(idOf(field))}`);
  if (found) {
    return found.matches(FOCUSABLE)
      ? found
      : found.querySelector<HTMLElement>(FOCUSABLE);
  }
  const end = field.lastIndexOf('.');
  return end < 0 ? null : inputOf(root, field.slice(0, end));
}

function idOf(field: string): string {
  const [first, ...rest] = field.split('.');
  if (first === 'parameters') {
    return ['satflow-parameters', ...rest].join('_');
  }
  if (field.startsWith('infrastructure.job_variables.')) {
    return ['satflow-job-variables', ...rest.slice(1)].join('_');
  }
  if (!(field in INPUTS) && field.startsWith('executor.options.')) {
    return ['satflow-options', ...rest.slice(1)].join('_');
  }
  return INPUTS[field] ?? field;
}
