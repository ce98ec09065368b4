import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect } from '@jupyterlab/ui-components';
import React, { useEffect, useState } from 'react';

import type { Deployment, ErrorBody, RecentRun, Run } from '../_api';
import { EmptyState } from '../components/EmptyState';
import { ErrorNote } from '../components/ErrorNote';
import { MoreButton } from '../components/MoreButton';
import { useTrans } from '../components/translation';
import { DeploymentRow, type IDeploymentActions } from './DeploymentRow';

/** Number of deployments that are drawn at first, and added by each request for more. */
export const PAGE_SIZE = 20;

export interface IDeploymentsSectionProps {
  deployments: readonly Deployment[];
  /** The reason why the list of deployments could not be read. */
  error: ErrorBody | null;
  recentRuns: (deploymentId: string) => readonly RecentRun[];
  /** Called with the ids of the deployments that are drawn, after they have changed. */
  onShown: (ids: readonly string[]) => void;
  actions: IDeploymentActions & {
    onOpen: (run: Pick<Run, 'id' | 'name'>) => void;
    onShowFlows: () => void;
  };
}

type Order = 'newest' | 'name' | 'next';

/** What the user has chosen to see. */
interface IChoice {
  text: string;
  tag: string;
  order: Order;
}

const ALL: IChoice = { text: '', tag: '', order: 'newest' };

/** The deployments with their schedules: searched, filtered by tags, sorted. */
export function DeploymentsSection(
  props: IDeploymentsSectionProps
): JSX.Element {
  const trans = useTrans();
  const { deployments, error, actions } = props;
  const [choice, setChoice] = useState(ALL);
  const found = sortDeployments(
    deployments.filter(one => matches(one, choice)),
    choice.order
  );
  return (
    <>
      {error && <ErrorNote error={error} />}
      {deployments.length === 0 && !error && (
        <EmptyState
          testId="satflow-no-deployments"
          message={trans.__('No deployments yet. Register a flow.')}
          action={{ label: trans.__('Show flows'), run: actions.onShowFlows }}
        />
      )}
      {deployments.length > 1 && (
        <DeploymentFilters
          deployments={deployments}
          choice={choice}
          onChoose={setChoice}
        />
      )}
      <DeploymentList
        {...props}
        deployments={found}
        onTag={tag => setChoice({ ...choice, tag })}
      />
      {deployments.length > 0 && found.length === 0 && (
        <EmptyState
          testId="satflow-no-matching-deployments"
          message={trans.__('No deployments match the filter.')}
          action={{
            label: trans.__('Show all deployments'),
            run: () => setChoice(ALL)
          }}
        />
      )}
    </>
  );
}

function DeploymentFilters(props: {
  deployments: readonly Deployment[];
  choice: IChoice;
  onChoose: (choice: IChoice) => void;
}): JSX.Element {
  const trans = useTrans();
  const { deployments, choice, onChoose } = props;
  const choose = (part: Partial<IChoice>) => onChoose({ ...choice, ...part });
  return (
    <div className="jp-Satflow-filters">
      <input
        type="search"
        className="jp-mod-styled"
        aria-label={trans.__('Search deployments')}
        placeholder={trans.__('Flow, deployment or notebook')}
        value={choice.text}
        onChange={event => choose({ text: event.target.value })}
        data-testid="satflow-search-deployments"
      />
      <HTMLSelect
        aria-label={trans.__('Filter by tag')}
        value={choice.tag}
        options={tagOptions(deployments, trans)}
        onChange={event => choose({ tag: event.target.value })}
      />
      <HTMLSelect
        aria-label={trans.__('Sort deployments')}
        value={choice.order}
        options={orderOptions(trans)}
        onChange={event => choose({ order: event.target.value as Order })}
      />
    </div>
  );
}

/** The first deployments of a list, and more on request: a thousand rows take seconds to draw. */
function DeploymentList(
  props: IDeploymentsSectionProps & { onTag: (tag: string) => void }
): JSX.Element | null {
  const trans = useTrans();
  const { deployments, onShown, recentRuns, onTag } = props;
  const actions = { ...props.actions, onTag };
  const [count, setCount] = useState(PAGE_SIZE);
  const drawn = deployments.slice(0, count);
  const ids = drawn.map(one => one.id);
  useEffect(() => onShown(ids), [ids.join()]);
  if (drawn.length === 0) {
    return null;
  }
  return (
    <>
      <ul
        className="jp-Satflow-list"
        aria-label={trans.__('Deployments')}
        data-testid="satflow-deployments"
      >
        {drawn.map(one => (
          <DeploymentRow
            key={one.id}
            deployment={one}
            recentRuns={recentRuns(one.id)}
            actions={actions}
          />
        ))}
      </ul>
      {deployments.length > count && (
        <MoreButton
          label={trans.__('Show more (%1 of %2)', count, deployments.length)}
          onClick={() => setCount(count + PAGE_SIZE)}
          testId="satflow-more-deployments"
        />
      )}
    </>
  );
}

function matches(one: Deployment, { text, tag }: IChoice): boolean {
  const names = [one.flow_name, one.name, one.notebook ?? ''];
  const wanted = text.trim().toLowerCase();
  return (
    (tag === '' || one.tags.includes(tag)) &&
    names.some(name => name.toLowerCase().includes(wanted))
  );
}

/** Sort deployments, which the server lists with the newest first. */
export function sortDeployments(
  deployments: readonly Deployment[],
  order: Order
): Deployment[] {
  const sorted = [...deployments];
  if (order === 'name') {
    sorted.sort((one, other) => one.name.localeCompare(other.name));
  } else if (order === 'next') {
    // Those without a next run are last.
    const next = ({ next_runs }: Deployment) =>
      next_runs.length > 0 ? Date.parse(next_runs[0]) : Infinity;
    sorted.sort((one, other) => Math.sign(next(one) - next(other) || 0));
  }
  return sorted;
}

function tagOptions(
  deployments: readonly Deployment[],
  trans: TranslationBundle
): { value: string; label: string }[] {
  const tags = [...new Set(deployments.flatMap(one => one.tags))].sort();
  const options = tags.map(tag => ({ value: tag, label: tag }));
  return [{ value: '', label: trans.__('All tags') }, ...options];
}

const orderOptions = (
  trans: TranslationBundle
): { value: Order; label: string }[] => [
  { value: 'newest', label: trans.__('Newest first') },
  { value: 'name', label: trans.__('By name') },
  { value: 'next', label: trans.__('By next run') }
];
