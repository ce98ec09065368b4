import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import React from 'react';

import type { Deployment, ErrorBody, Run } from '../_api';
import { EmptyState } from '../components/EmptyState';
import { ErrorNote } from '../components/ErrorNote';
import { MoreButton } from '../components/MoreButton';
import { shortenText } from '../components/terminalText';
import { useTrans } from '../components/translation';
import {
  elapsedSeconds,
  formatDateTime,
  formatDuration,
  formatParameters,
  hasEnded
} from '../format';
import { RunsAgenda } from './RunsAgenda';
import { RunsPageFilters } from './RunsPageFilters';
import type { RunAction, RunsMode } from './runsPage';
import type { RunsFilter } from './runs';
import { StateMark } from './StateMark';
import { useNow } from './useNow';

/** Number of characters of the parameters that a row shows. */
const PARAMETERS_LENGTH = 60;

/** Actions on the runs of the page. */
export interface IRunsPageActions {
  onOpen: (run: Pick<Run, 'id' | 'name'>) => void;
  onFilter: (filter: RunsFilter) => void;
  onLoadMore: () => void;
  onToggle: (id: string, extend: boolean) => void;
  onToggleAll: () => void;
  onChange: (action: RunAction) => void;
  onMode: (mode: RunsMode) => void;
}

export interface IRunsPageViewProps {
  runs: Run[];
  /** Planned runs, for the agenda. */
  upcoming: readonly Run[];
  mode: RunsMode;
  deployments: Deployment[];
  filter: RunsFilter;
  selected: ReadonlySet<string>;
  isLoaded: boolean;
  isBusy: boolean;
  hasMore: boolean;
  error: ErrorBody | null;
  actions: IRunsPageActions;
}

/** All runs as a table with filters, and actions on several of them. */
export function RunsPageView(props: IRunsPageViewProps): JSX.Element {
  const trans = useTrans();
  const { runs, error, hasMore, isLoaded, isBusy, mode, actions } = props;
  return (
    <div
      className="jp-Satflow-runsPage"
      data-testid="satflow-runs-page"
      aria-busy={isBusy}
    >
      <ModeSwitch {...props} />
      <RunsPageFilters {...props} onFilter={actions.onFilter} />
      {mode === 'table' && <ChangeBar {...props} />}
      {error && <ErrorNote error={error} />}
      {mode === 'agenda' && isLoaded && (
        <RunsAgenda {...props} onOpen={actions.onOpen} />
      )}
      {mode === 'table' && runs.length > 0 && <RunsTable {...props} />}
      {mode === 'table' && isLoaded && runs.length === 0 && (
        <EmptyState
          testId="satflow-runs-page-empty"
          message={trans.__('No runs match the filter.')}
          action={{
            label: trans.__('Show all runs'),
            run: () => actions.onFilter({})
          }}
        />
      )}
      {hasMore && (
        <MoreButton
          label={trans.__('Show older runs')}
          onClick={actions.onLoadMore}
          testId="satflow-runs-page-more"
        />
      )}
    </div>
  );
}

/** The choice between table and agenda. */
function ModeSwitch(props: IRunsPageViewProps): JSX.Element {
  const trans = useTrans();
  const { mode, actions } = props;
  const modes: [RunsMode, string][] = [
    ['table', trans.__('Table')],
    ['agenda', trans.__('Agenda')]
  ];
  return (
    <div
      className="jp-Satflow-changeBar"
      role="group"
      aria-label={trans.__('View')}
    >
      {modes.map(([name, label]) => (
        <Button
          key={name}
          small
          className="jp-mod-styled jp-Satflow-button"
          aria-pressed={mode === name}
          onClick={() => actions.onMode(name)}
          data-testid={`satflow-mode-${name}`}
        >
          {label}
        </Button>
      ))}
    </div>
  );
}

/** The number of selected runs, and what can be done with them. */
function ChangeBar(props: IRunsPageViewProps): JSX.Element {
  const trans = useTrans();
  const { selected, isBusy, actions } = props;
  const changes: [RunAction, string][] = [
    ['cancel', trans.__('Cancel…')],
    ['retry', trans.__('Retry…')],
    ['delete', trans.__('Delete…')]
  ];
  return (
    <div
      className="jp-Satflow-changeBar"
      role="toolbar"
      aria-label={trans.__('Selected runs')}
    >
      <span role="status" data-testid="satflow-selected-count">
        {selected.size === 0
          ? trans.__('Select runs to cancel, retry or delete them.')
          : trans._n('%1 run selected', '%1 runs selected', selected.size)}
      </span>
      {changes.map(([action, label]) => (
        <Button
          key={action}
          small
          className="jp-mod-styled jp-Satflow-button"
          disabled={isBusy || selected.size === 0}
          onClick={() => actions.onChange(action)}
          data-testid={`satflow-${action}-selected`}
        >
          {label}
        </Button>
      ))}
    </div>
  );
}

function RunsTable(props: IRunsPageViewProps): JSX.Element {
  const trans = useTrans();
  const { runs, selected, actions } = props;
  const now = useNow(runs.some(run => !hasEnded(run.state_type)));
  const count = runs.filter(run => selected.has(run.id)).length;
  return (
    <table aria-label={trans.__('Runs')}>
      <thead>
        <tr>
          <th scope="col">
            <input
              type="checkbox"
              aria-label={trans.__('Select all listed runs')}
              checked={count === runs.length}
              ref={box => {
                if (box) {
                  box.indeterminate = count > 0 && count < runs.length;
                }
              }}
              onChange={actions.onToggleAll}
              data-testid="satflow-select-all"
            />
          </th>
          {columnNames(trans).map(name => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {runs.map(run => (
          <RunTableRow key={run.id} {...props} run={run} now={now} />
        ))}
      </tbody>
    </table>
  );
}

const columnNames = (trans: TranslationBundle): string[] => [
  trans.__('State'),
  trans._p('noun', 'Run'),
  trans.__('Deployment'),
  trans.__('Start'),
  trans.__('Duration'),
  trans.__('Started by'),
  trans.__('Tags'),
  trans.__('Parameters')
];

function RunTableRow(
  props: IRunsPageViewProps & { run: Run; now: number }
): JSX.Element {
  const trans = useTrans();
  const { run, now, filter, selected, actions } = props;
  const start = run.start ?? run.expected_start;
  return (
    <tr data-testid="satflow-runs-page-row" data-run={run.id}>
      <td>
        <input
          type="checkbox"
          aria-label={trans.__('Select run %1', run.name)}
          checked={selected.has(run.id)}
          // The key that extends a selection is known only to the click.
          onChange={() => undefined}
          onClick={event => actions.onToggle(run.id, event.shiftKey)}
        />
      </td>
      <td>
        <StateMark type={run.state_type} name={run.state_name} />
      </td>
      <td>
        <Button
          minimal
          className="jp-Satflow-link"
          title={trans.__('Open run %1', run.name)}
          onClick={() => actions.onOpen(run)}
        >
          {run.name}
        </Button>
      </td>
      <td>{run.deployment_name ?? run.flow_name}</td>
      <td>{start && <time dateTime={start}>{formatDateTime(start)}</time>}</td>
      <td>{run.start && formatDuration(elapsedSeconds(run, now))}</td>
      <td>{describeOrigin(run, trans)}</td>
      <td>
        {run.tags.map(tag => (
          <Button
            key={tag}
            minimal
            className="jp-Satflow-link"
            title={trans.__('Show only runs with the tag %1', tag)}
            onClick={() => actions.onFilter({ ...filter, tag })}
          >
            {tag}
          </Button>
        ))}
      </td>
      <td className="jp-Satflow-hint">
        {shortenText(formatParameters(run.parameters), PARAMETERS_LENGTH)}
      </td>
    </tr>
  );
}

function describeOrigin(run: Run, trans: TranslationBundle): string {
  if (run.in_kernel) {
    return trans.__('notebook');
  }
  return run.scheduled ? trans.__('schedule') : trans.__('user');
}
