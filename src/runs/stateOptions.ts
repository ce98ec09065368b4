import type { TranslationBundle } from '@jupyterlab/translation';

/** Return the options of a filter by state. */
export function stateOptions(
  trans: TranslationBundle
): { value: string; label: string }[] {
  return [
    { value: '', label: trans.__('All states') },
    { value: 'SCHEDULED', label: trans.__('Scheduled') },
    { value: 'PENDING', label: trans.__('Pending') },
    { value: 'RUNNING', label: trans.__('Running') },
    { value: 'COMPLETED', label: trans.__('Completed') },
    { value: 'FAILED', label: trans.__('Failed') },
    { value: 'CRASHED', label: trans.__('Crashed') },
    { value: 'CANCELLED', label: trans.__('Cancelled') }
  ];
}
