import type { IDraft } from './draft';

/** The field of the request that each part of the form fills in. */
const FIELDS: Record<keyof IDraft, string> = {
  name: 'name',
  parameters: 'parameters',
  executor: 'executor',
  options: 'executor',
  schedule: 'schedule',
  workPool: 'work_pool',
  infrastructure: 'infrastructure',
  tags: 'tags',
  environment: 'environment',
  missedRuns: 'missed_runs',
  secrets: 'secrets',
  include: 'include'
};

/** Return the request fields that differ; the form library also reports unchanged values. */
export function changedFields(before: IDraft, after: IDraft): string[] {
  return (Object.keys(FIELDS) as (keyof IDraft)[])
    .filter(key => JSON.stringify(before[key]) !== JSON.stringify(after[key]))
    .map(key => FIELDS[key]);
}
