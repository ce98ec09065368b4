import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect } from '@jupyterlab/ui-components';
import React from 'react';

import type { Catalogue, ErrorBody, WorkPool } from '../_api';
import { Field } from '../components/Field';
import { useFieldId } from '../components/useFieldId';
import { useTrans } from '../components/translation';

export interface IWorkPoolFieldProps {
  catalogue: Catalogue;
  workPool: string | null;
  error: ErrorBody | null;
  onChange: (name: string | null) => void;
}

/** The work pool of the runs, with the number of Prefect workers that poll it. */
export function WorkPoolField(props: IWorkPoolFieldProps): JSX.Element {
  const trans = useTrans();
  const { catalogue, workPool, error, onChange } = props;
  const id = useFieldId('work-pool');
  const preset = catalogue.default_work_pool;
  const chosen = workPool ?? preset;
  const pool = catalogue.work_pools.find(one => one.name === chosen);
  return (
    <Field
      id={id}
      label={trans.__('Work pool')}
      hint={pool ? describeHealth(pool, trans) : undefined}
      error={error}
    >
      <HTMLSelect
        id={id}
        data-testid="satflow-work-pool"
        value={workPool ?? ''}
        onChange={event => onChange(event.target.value || null)}
      >
        <option value="">
          {preset ? trans.__('%1 (default)', preset) : trans.__('default')}
        </option>
        {catalogue.work_pools
          .filter(one => one.name !== preset || one.name === workPool)
          .map(one => (
            <option key={one.name} value={one.name}>
              {trans.__('%1 (%2)', one.name, one.type)}
            </option>
          ))}
      </HTMLSelect>
    </Field>
  );
}

/** Describe whether Prefect workers poll a work pool. */
export function describeHealth(
  pool: WorkPool,
  trans: TranslationBundle
): string {
  if (pool.paused) {
    return trans.__('Paused: runs wait until it is resumed.');
  }
  return pool.online_workers === 0
    ? trans.__('No Prefect worker polls it: runs would wait.')
    : trans._n(
        '%1 Prefect worker online',
        '%1 Prefect workers online',
        pool.online_workers
      );
}
