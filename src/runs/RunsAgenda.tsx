import { Button } from '@jupyterlab/ui-components';
import React from 'react';

import type { Run } from '../_api';
import { EmptyState } from '../components/EmptyState';
import { useTrans } from '../components/translation';
import { formatTimeOfDay } from '../format';
import { StateMark } from './StateMark';

export interface IRunsAgendaProps {
  /** Past and active runs. */
  runs: readonly Run[];
  /** Planned runs. */
  upcoming: readonly Run[];
  onOpen: (run: Pick<Run, 'id' | 'name'>) => void;
}

/** The runs of one day, the last one first. */
export interface IAgendaDay {
  /** The date in the browser's time zone, as `YYYY-MM-DD`. */
  date: string;
  runs: Run[];
}

/** Planned, active and past runs by day, the last day first. */
export function RunsAgenda(props: IRunsAgendaProps): JSX.Element {
  const trans = useTrans();
  const { runs, upcoming, onOpen } = props;
  const days = groupByDay([...upcoming, ...runs]);
  if (days.length === 0) {
    return (
      <EmptyState
        testId="satflow-agenda-empty"
        message={trans.__('No runs match the filter.')}
      />
    );
  }
  return (
    <div data-testid="satflow-agenda">
      {days.map(day => (
        <section key={day.date} aria-label={formatDay(day.date)}>
          <h3 className="jp-Satflow-agendaDay">{formatDay(day.date)}</h3>
          <ul className="jp-Satflow-agendaRuns">
            {day.runs.map(run => (
              <li key={run.id} data-testid="satflow-agenda-run">
                <time dateTime={startOf(run)}>
                  {formatTimeOfDay(startOf(run), new Date(startOf(run)))}
                </time>
                <Button
                  minimal
                  className="jp-Satflow-link"
                  title={trans.__('Open run %1', run.name)}
                  onClick={() => onOpen(run)}
                >
                  {run.deployment_name ?? run.flow_name}
                </Button>
                <StateMark type={run.state_type} name={run.state_name} />
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

const startOf = (run: Run): string =>
  run.start ?? run.expected_start ?? run.created;

/** Group runs by the day of their start in the browser's time zone. */
export function groupByDay(runs: readonly Run[]): IAgendaDay[] {
  const days = new Map<string, Run[]>();
  const unique = new Map(runs.map(run => [run.id, run]));
  [...unique.values()]
    .sort((one, other) => Date.parse(startOf(other)) - Date.parse(startOf(one)))
    .forEach(run => {
      const date = dateOf(new Date(startOf(run)));
      days.set(date, [...(days.get(date) ?? []), run]);
    });
  return [...days].map(([date, each]) => ({ date, runs: each }));
}

const dateOf = (time: Date): string =>
  [time.getFullYear(), time.getMonth() + 1, time.getDate()]
    .map(part => String(part).padStart(2, '0'))
    .join('-');

const formatDay = (date: string): string =>
  new Date(`${date}T12:00`).toLocaleDateString(undefined, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric'
  });
