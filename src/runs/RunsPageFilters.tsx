import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect } from '@jupyterlab/ui-components';
import React from 'react';

import { useTrans } from '../components/translation';
import { changeFilter, type IRunSelectsProps, RunSelects } from './RunSelects';
import type { RunsFilter } from './runs';

/** The filters of the page of runs. */
export function RunsPageFilters(props: IRunSelectsProps): JSX.Element {
  const trans = useTrans();
  const { deployments, filter, onFilter } = props;
  const set = (part: RunsFilter) => onFilter(changeFilter(filter, part));
  return (
    <div
      className="jp-Satflow-filters"
      role="search"
      aria-label={trans.__('Filter the runs')}
    >
      <TextFilter
        label={trans.__('Run name')}
        value={filter.name}
        onChange={name => set({ name })}
        testId="satflow-filter-name"
      />
      <RunSelects
        deployments={deployments}
        filter={filter}
        onFilter={onFilter}
      />
      <TextFilter
        label={trans.__('Tag')}
        value={filter.tag}
        onChange={tag => set({ tag })}
        testId="satflow-filter-tag"
      />
      <TimeFilters filter={filter} onChange={set} />
    </div>
  );
}

function TextFilter(props: {
  label: string;
  value: string | undefined;
  onChange: (value: string) => void;
  testId: string;
}): JSX.Element {
  return (
    <input
      type="search"
      className="jp-mod-styled"
      aria-label={props.label}
      placeholder={props.label}
      value={props.value ?? ''}
      onChange={event => props.onChange(event.target.value)}
      data-testid={props.testId}
    />
  );
}

/** A period before now, or two times. */
function TimeFilters(props: {
  filter: RunsFilter;
  onChange: (part: RunsFilter) => void;
}): JSX.Element {
  const trans = useTrans();
  const { filter, onChange } = props;
  return (
    <>
      <HTMLSelect
        aria-label={trans.__('Filter by time')}
        value={filter.period ?? ''}
        options={periodOptions(trans)}
        onChange={event => onChange(choosePeriod(event.target.value))}
        data-testid="satflow-filter-period"
      />
      <TimeField
        label={trans.__('From')}
        value={filter.since}
        onChange={since => onChange({ since, period: undefined })}
      />
      <TimeField
        label={trans.__('To')}
        value={filter.until}
        onChange={until => onChange({ until, period: undefined })}
      />
    </>
  );
}

function TimeField(props: {
  label: string;
  value: string | undefined;
  onChange: (value: string) => void;
}): JSX.Element {
  return (
    <label className="jp-Satflow-inlineLabel">
      {props.label}
      <input
        type="datetime-local"
        className="jp-mod-styled"
        value={props.value ? toLocalInput(props.value) : ''}
        onChange={({ target }) =>
          props.onChange(
            target.value ? new Date(target.value).toISOString() : ''
          )
        }
      />
    </label>
  );
}

/** Format a time for an input of the type `datetime-local`, in the time zone of the browser and to the minute. */
export function toLocalInput(time: string): string {
  const local = new Date(time);
  local.setMinutes(local.getMinutes() - local.getTimezoneOffset());
  return local.toISOString().slice(0, 16);
}

/** A period replaces the two times. */
function choosePeriod(chosen: string): RunsFilter {
  const period = (chosen || undefined) as RunsFilter['period'];
  return { period, since: '', until: '' };
}

const periodOptions = (
  trans: TranslationBundle
): { value: string; label: string }[] => [
  { value: '', label: trans.__('Period…') },
  { value: 'hour', label: trans.__('Last hour') },
  { value: 'day', label: trans.__('Last day') },
  { value: 'week', label: trans.__('Last week') },
  { value: 'month', label: trans.__('Last 30 days') }
];
