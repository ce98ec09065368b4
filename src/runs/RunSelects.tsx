import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect } from '@jupyterlab/ui-components';
import React from 'react';

import type { Deployment } from '../_api';
import { useTrans } from '../components/translation';
import type { RunsFilter } from './runs';

export interface IRunSelectsProps {
  deployments: readonly Deployment[];
  filter: RunsFilter;
  onFilter: (filter: RunsFilter) => void;
}

/** The filters of runs by deployment and by state. */
export function RunSelects(props: IRunSelectsProps): JSX.Element {
  const trans = useTrans();
  const { deployments, filter, onFilter } = props;
  const set = (part: RunsFilter) => onFilter(changeFilter(filter, part));
  const names = deployments.map(one => ({ value: one.id, label: one.name }));
  return (
    <>
      <HTMLSelect
        aria-label={trans.__('Filter by deployment')}
        value={filter.deployment_id ?? ''}
        options={[{ value: '', label: trans.__('All deployments') }, ...names]}
        onChange={event => set({ deployment_id: event.target.value })}
      />
      <HTMLSelect
        aria-label={trans.__('Filter by state')}
        value={filter.state_type ?? ''}
        options={stateOptions(trans)}
        onChange={event =>
          set({ state_type: event.target.value as RunsFilter['state_type'] })
        }
      />
    </>
  );
}

/** Return the filter with some parts changed; empty parts are left out. */
export function changeFilter(filter: RunsFilter, part: RunsFilter): RunsFilter {
  const parts = Object.entries({ ...filter, ...part });
  return Object.fromEntries(
    parts.filter(([, value]) => value !== '' && value !== undefined)
  ) as RunsFilter;
}

/** Return the options of a filter by state. */
function stateOptions(
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
