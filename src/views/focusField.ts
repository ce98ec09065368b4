/** The inputs by the field of the request model, where they are not the schema forms'. */
const INPUTS: Record<string, string> = {
  name: 'satflow-name',
  'schedule.cron': 'satflow-cron',
  'schedule.seconds': 'satflow-interval',
  'schedule.timezone': 'satflow-timezone',
  'executor.options.worker_size': 'satflow-worker-size',
  work_pool: 'satflow-work-pool',
  tags: 'satflow-tags'
};

/** Move the focus to the input that a mistake stands in, else to the message about it. */
export function focusField(
  root: HTMLElement | null,
  field: string | null
): void {
  const message = root?.querySelector<HTMLElement>('[role="alert"]') ?? null;
  if (field === null) {
    message?.focus();
    return;
  }
  const input = root?.querySelector<HTMLElement>(`#${CSS.escape(idOf(field))}`);
  (input ?? message)?.focus();
}

function idOf(field: string): string {
  return (
    INPUTS[field] ??
    field
      .replace(/^parameters\./, 'satflow-parameters_')
      .replace(/^executor\.options\./, 'satflow-options_')
  );
}
