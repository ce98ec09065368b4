import { Button } from '@jupyterlab/ui-components';
import React from 'react';

import type { Deployment, ErrorBody, Run, RunGroup, RunPoint } from '../_api';
import { EmptyState } from '../components/EmptyState';
import { ErrorNote } from '../components/ErrorNote';
import { MoreButton } from '../components/MoreButton';
import { useTrans } from '../components/translation';
import { hasEnded } from '../format';
import { GroupRow, type IGroupActions } from './GroupRow';
import { RunRow } from './RunRow';
import { changeFilter, RunSelects } from './RunSelects';
import type { RunsFilter } from './runs';
import { useNow } from './useNow';

export interface IRunsActions extends Pick<
  IGroupActions,
  'onRetryGroup' | 'onCancelGroup' | 'onInsertResults'
> {
  onFilter: (filter: RunsFilter) => void;
  onLoadMore: () => void;
  onOpen: (run: Pick<Run, 'id' | 'name'>) => void;
  onOpenPoints: (group: RunGroup) => void;
  onClosePoints: (group: RunGroup) => void;
  onCancel: (run: Run) => void;
  onRunAgain: (run: Run) => void;
  onShowFlows: () => void;
  onOpenRunsPage: () => void;
}

export interface IRunsSectionProps {
  runs: Run[];
  isLoaded: boolean;
  /** True if there are older runs. */
  hasMore: boolean;
  /** The reason why the list of runs could not be read. */
  error: ErrorBody | null;
  groups: RunGroup[];
  /** The reason why the run groups could not be read. */
  groupsError: ErrorBody | null;
  /** The points of a group that is open. */
  pointsOf: (group: RunGroup) => RunPoint[] | undefined;
  deployments: Deployment[];
  filter: RunsFilter;
  actions: IRunsActions;
}

/** The run groups and the newest runs. */
export function RunsSection(props: IRunsSectionProps): JSX.Element {
  const [groupsError, error] = withoutRepeated([
    props.groupsError,
    props.error
  ]);
  return (
    <>
      {groupsError && <ErrorNote error={groupsError} />}
      <GroupList {...props} />
      <RunFilters {...props} />
      {error && <ErrorNote error={error} />}
      <RunList {...props} />
    </>
  );
}

function GroupList(props: IRunsSectionProps): JSX.Element | null {
  const trans = useTrans();
  const { groups, pointsOf, actions } = props;
  if (groups.length === 0) {
    return null;
  }
  return (
    <details className="jp-Satflow-deployments" open>
      <summary>{trans.__('Run groups (%1)', groups.length)}</summary>
      <ul
        className="jp-Satflow-list"
        aria-label={trans.__('Run groups')}
        data-testid="satflow-groups"
      >
        {groups.map(group => (
          <GroupRow
            key={group.id}
            group={group}
            points={pointsOf(group)}
            actions={actions}
          />
        ))}
      </ul>
    </details>
  );
}

/** Replace the errors with the message of an earlier one by null: lists that fail for the same reason show it once. */
function withoutRepeated(errors: (ErrorBody | null)[]): (ErrorBody | null)[] {
  return errors.map((error, i) =>
    errors.slice(0, i).some(one => one?.message === error?.message)
      ? null
      : error
  );
}

function isFiltered(filter: RunsFilter): boolean {
  return Object.keys(filter).length > 0;
}

function RunFilters(props: IRunsSectionProps): JSX.Element | null {
  const trans = useTrans();
  const { runs, deployments, filter, actions } = props;
  if (runs.length === 0 && !isFiltered(filter)) {
    return null;
  }
  return (
    <div className="jp-Satflow-filters">
      <Button
        small
        className="jp-mod-styled jp-Satflow-button"
        onClick={actions.onOpenRunsPage}
        data-testid="satflow-open-runs-page"
      >
        {trans.__('All runs as a table')}
      </Button>
      <input
        type="search"
        className="jp-mod-styled"
        aria-label={trans.__('Search by run name')}
        placeholder={trans.__('Run name')}
        value={filter.name ?? ''}
        onChange={event =>
          actions.onFilter(changeFilter(filter, { name: event.target.value }))
        }
      />
      <RunSelects
        deployments={deployments}
        filter={filter}
        onFilter={actions.onFilter}
      />
    </div>
  );
}

function RunList(props: IRunsSectionProps): JSX.Element | null {
  const trans = useTrans();
  const { runs, isLoaded, filter, actions } = props;
  const now = useNow(runs.some(run => !hasEnded(run.state_type)));
  if (runs.length > 0) {
    return (
      <>
        <ul
          className="jp-Satflow-list"
          aria-label={trans.__('Runs')}
          data-testid="satflow-runs"
        >
          {runs.map(run => (
            <RunRow key={run.id} run={run} now={now} {...actions} />
          ))}
        </ul>
        {props.hasMore && (
          <MoreButton
            label={trans.__('Show older runs')}
            onClick={actions.onLoadMore}
            testId="satflow-older-runs"
          />
        )}
      </>
    );
  }
  if (!isLoaded) {
    return props.error ? null : (
      <EmptyState
        testId="satflow-runs-loading"
        message={trans.__('Runs are listed when the stack is ready.')}
      />
    );
  }
  return isFiltered(filter) ? (
    <EmptyState
      testId="satflow-no-matching-runs"
      message={trans.__('No runs match the filter.')}
      action={{
        label: trans.__('Show all runs'),
        run: () => actions.onFilter({})
      }}
    />
  ) : (
    <EmptyState
      testId="satflow-no-runs"
      message={trans.__('No runs yet. Register a flow, then run it.')}
      action={{ label: trans.__('Show flows'), run: actions.onShowFlows }}
    />
  );
}
