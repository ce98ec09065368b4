// Generated from satflow_ext/models.py by scripts/contract. Do not edit.

import type { IFormOption } from './formOption';

/** The request fields of the options below. */
export type FormOptionField =
  | 'tags'
  | 'environment'
  | 'missed_runs'
  | 'secrets'
  | 'include'
  | 'description'
  | 'concurrency_limit'
  | 'collision_strategy'
  | 'retries'
  | 'retry_delay'
  | 'timeout';

/** The options of a registration that the form shows without a widget of their own, in the order of `%register_flow`. */
export const FORM_OPTIONS: readonly IFormOption<FormOptionField>[] = [
  {
    field: 'tags',
    flag: '--tag',
    kind: 'words',
    default: [],
    isAdvanced: true,
    position: 5,
    label: trans => trans.__('Tags'),
    hint: trans => trans.__('Separated by commas.')
  },
  {
    field: 'environment',
    flag: '--environment',
    kind: 'enumeration',
    default: 'warn',
    isAdvanced: true,
    position: 3,
    label: trans =>
      trans.__('If the packages of a run differ from those of this kernel'),
    values: [
      {
        value: 'warn',
        label: trans => trans.__('Warn:'),
        hint: trans =>
          trans.__('the run starts, and its log lists the differences.')
      },
      {
        value: 'refuse',
        label: trans => trans.__('Refuse:'),
        hint: trans =>
          trans.__(
            'the run fails before the flow starts, and lists the differences.'
          )
      },
      {
        value: 'recreate',
        label: trans => trans.__('Recreate:'),
        hint: trans =>
          trans.__(
            'the run uses an environment with the packages of this registration; the first run waits until it is created.'
          )
      }
    ]
  },
  {
    field: 'missed_runs',
    flag: '--missed-runs',
    kind: 'enumeration',
    default: 'last',
    isAdvanced: true,
    position: 4,
    label: trans =>
      trans.__(
        'Scheduled runs missed while this machine or the local stack was off'
      ),
    values: [
      {
        value: 'last',
        label: trans => trans.__('Last:'),
        hint: trans => trans.__('only the most recent one starts.')
      },
      {
        value: 'all',
        label: trans => trans.__('All:'),
        hint: trans => trans.__('each of them starts.')
      },
      {
        value: 'none',
        label: trans => trans.__('None:'),
        hint: trans =>
          trans.__('none of them starts; the next scheduled run does.')
      }
    ]
  },
  {
    field: 'secrets',
    flag: '--secret',
    kind: 'lines',
    default: [],
    isAdvanced: true,
    position: 2,
    label: trans => trans.__('Secrets, by name'),
    hint: trans =>
      trans.__(
        'One name per line, such as AWS_SECRET_ACCESS_KEY. Do not enter values: they are looked up where the flow runs.'
      )
  },
  {
    field: 'include',
    flag: '--include',
    kind: 'lines',
    default: [],
    isAdvanced: true,
    position: 1,
    label: trans => trans.__('Data files packed with the flow'),
    hint: trans =>
      trans.__(
        'One file, folder or pattern per line, such as data/*.csv, in the folder of the notebook.'
      )
  },
  {
    field: 'description',
    flag: '--description',
    kind: 'paragraph',
    default: null,
    isAdvanced: true,
    position: 6,
    label: trans => trans.__('Description'),
    hint: trans => trans.__('Prefect shows it with the deployment.')
  },
  {
    field: 'concurrency_limit',
    flag: '--concurrency-limit',
    kind: 'number',
    default: null,
    isAdvanced: true,
    position: 7,
    label: trans => trans.__('Runs at the same time'),
    hint: trans => trans.__('Empty: no limit for this deployment.')
  },
  {
    field: 'collision_strategy',
    flag: '--collision-strategy',
    kind: 'enumeration',
    default: 'enqueue',
    isAdvanced: true,
    position: 8,
    label: trans => trans.__('A run that starts when that many are executing'),
    values: [
      {
        value: 'enqueue',
        label: trans => trans.__('Enqueue:'),
        hint: trans => trans.__('it waits until another one ends.')
      },
      {
        value: 'cancel_new',
        label: trans => trans.__('Cancel new:'),
        hint: trans => trans.__('it is canceled.')
      }
    ]
  },
  {
    field: 'retries',
    flag: '--retries',
    kind: 'number',
    default: null,
    isAdvanced: true,
    position: 9,
    label: trans => trans.__('Retries of a failed run'),
    hint: trans => trans.__('Empty: as in @flow(retries=…).')
  },
  {
    field: 'retry_delay',
    flag: '--retry-delay',
    kind: 'number',
    default: null,
    isAdvanced: true,
    position: 10,
    label: trans => trans.__('Seconds before a retry'),
    hint: trans => trans.__('Empty: as in @flow(retry_delay_seconds=…).')
  },
  {
    field: 'timeout',
    flag: '--timeout',
    kind: 'number',
    default: null,
    isAdvanced: true,
    position: 11,
    label: trans => trans.__('Seconds after which a run fails'),
    hint: trans => trans.__('Empty: as in @flow(timeout_seconds=…).')
  }
];
