import type { Intent } from './flowSource';

/** Ids of inputs outside the schema forms that differ from their request fields, without the form's prefix. */
const INPUT_IDS: Record<string, string> = {
  'executor.options.worker_size': 'worker-size',
  'infrastructure.image': 'image',
  'infrastructure.cpu': 'cpu',
  'infrastructure.memory': 'memory',
  'infrastructure.gpus': 'gpus',
  'infrastructure.env': 'env'
};

const FOCUSABLE = 'input, select, textarea';

/**
 * Move the focus to the element where the Enter key does what the user intends, or to the first missing value.
 *
 * @param root - the form
 * @param formId - the prefix of its inputs' ids
 * @param intent - the reason for which the user opened the form
 * @param missing - the parameters that a run requires and that have no value, in the form's order
 */
export function focusStart(
  root: HTMLElement | null,
  formId: string,
  intent: Intent,
  missing: string[]
): void {
  if (intent === 'register') {
    findInput(root, formId, 'name')?.focus();
  } else if (missing.length > 0) {
    findInput(root, formId, `parameters.${missing[0]}`)?.focus();
  } else {
    root?.querySelector<HTMLElement>('[type="submit"]')?.focus();
  }
}

/** Move the focus to the input with the error, or else to the error message. */
export function focusField(
  root: HTMLElement | null,
  formId: string,
  field: string | null
): void {
  const input = field === null ? null : findInput(root, formId, field);
  const message = root?.querySelector<HTMLElement>('[role="alert"]') ?? null;
  (input ?? message)?.focus();
}

/** Return the input of a field or of the nearest field that contains it; for a group of inputs, return the first. */
function findInput(
  root: HTMLElement | null,
  formId: string,
  field: string
): HTMLElement | null {
  const id = CSS.escape(`${formId}-${inputIdOf(field)}`);
  const found = root?.querySelector<HTMLElement>(`#${id}`);
  if (found) {
    return found.matches(FOCUSABLE)
      ? found
      : found.querySelector<HTMLElement>(FOCUSABLE);
  }
  const end = field.lastIndexOf('.');
  return end < 0 ? null : findInput(root, formId, field.slice(0, end));
}

/** Return the id of the input of a request field, without the form's prefix. */
export function inputIdOf(field: string): string {
  const [first, ...rest] = field.split('.');
  if (first === 'parameters') {
    return ['parameters', ...rest].join('_');
  }
  if (['schedules', 'notify', 'trigger'].includes(first)) {
    const [position, ...path] = rest;
    const name = path[0] === 'parameters' ? path.join('_') : path.join('-');
    return [first, position, name].filter(Boolean).join('-');
  }
  if (field.startsWith('infrastructure.job_variables.')) {
    return ['job-variables', ...rest.slice(1)].join('_');
  }
  if (!(field in INPUT_IDS) && field.startsWith('executor.options.')) {
    return ['options', ...rest.slice(1)].join('_');
  }
  return INPUT_IDS[field] ?? field.replace(/_/g, '-');
}
