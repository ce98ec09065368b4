import type { IDraft } from './draft';

/** The field of the request that a part of the form fills in, if it has another name. */
const FIELDS: { [part in keyof IDraft]?: string } = {
  options: 'executor',
  workPool: 'work_pool'
};

/** Return the request fields that differ; the form library also reports unchanged values. */
export function changedFields(before: IDraft, after: IDraft): string[] {
  return (Object.keys(after) as (keyof IDraft)[])
    .filter(key => JSON.stringify(before[key]) !== JSON.stringify(after[key]))
    .map(key => FIELDS[key] ?? key);
}
