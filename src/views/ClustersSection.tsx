import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import React from 'react';

import type { ClusterStatus, ErrorBody } from '../_api';
import type { ISharedCluster } from '../models/sharedClusters';
import { bytes, workersOf } from '../words';
import { EmptyState } from './EmptyState';
import { ErrorNote } from './ErrorNote';
import { Meter } from './Meter';
import {
  type ISharedClusterActions,
  SharedClusterList
} from './SharedClusterList';
import { TaskCounts } from './TaskCounts';

export interface IClustersSectionProps {
  clusters: ClusterStatus[];
  shared: ISharedCluster[];
  error: ErrorBody | null;
  onOpen: (runId: string, name: string) => void;
  onShowFlows: () => void;
  actions: ISharedClusterActions;
  trans: TranslationBundle;
}

/** The Dask clusters that deployments' runs share, and those of the runs that are going. */
export function ClustersSection(props: IClustersSectionProps): JSX.Element {
  const { shared, actions, trans } = props;
  return (
    <>
      <SharedClusterList clusters={shared} actions={actions} trans={trans} />
      <RunClusters {...props} />
    </>
  );
}

function RunClusters(props: IClustersSectionProps): JSX.Element | null {
  const { clusters, shared, error, onOpen, onShowFlows, trans } = props;
  if (error) {
    return <ErrorNote error={error} />;
  }
  if (clusters.length === 0 && shared.length > 0) {
    return null;
  }
  if (clusters.length === 0) {
    return (
      <EmptyState
        testId="satflow-no-clusters"
        message={trans.__(
          'No cluster is running. A flow registered with a Dask executor brings one along for each run.'
        )}
        action={{ label: trans.__('Show flows'), run: onShowFlows }}
      />
    );
  }
  return (
    <ul
      className="jp-Satflow-list"
      aria-label={trans.__('Clusters')}
      data-testid="satflow-clusters"
    >
      {clusters.map(one => (
        <ClusterRow
          key={one.run_id}
          cluster={one}
          onOpen={onOpen}
          trans={trans}
        />
      ))}
    </ul>
  );
}

interface IClusterRowProps {
  cluster: ClusterStatus;
  onOpen: (runId: string, name: string) => void;
  trans: TranslationBundle;
}

function ClusterRow({ cluster, onOpen, trans }: IClusterRowProps): JSX.Element {
  const used = cluster.workers.reduce((sum, one) => sum + one.memory, 0);
  const limit = cluster.workers.reduce((sum, one) => sum + one.memory_limit, 0);
  return (
    <li
      className="jp-Satflow-row"
      data-testid="satflow-cluster"
      data-run={cluster.run_id}
    >
      <div className="jp-Satflow-rowHead">
        <Button
          minimal
          className="jp-Satflow-link jp-Satflow-name"
          title={trans.__('Open run %1', cluster.run_name)}
          onClick={() => onOpen(cluster.run_id, cluster.run_name)}
        >
          {cluster.deployment_name ?? cluster.run_name}
        </Button>
        <span className={`jp-Satflow-badge jp-mod-${cluster.state}`}>
          {clusterState(cluster.state, trans)}
        </span>
      </div>
      <div className="jp-Satflow-facts">
        <span>{cluster.executor}</span>
        <span data-testid="satflow-cluster-workers">
          {workersOf(cluster.observed, cluster.plan, trans)}
        </span>
        {cluster.worker_size && <span>{cluster.worker_size}</span>}
      </div>
      <Meter
        label={trans.__('Memory')}
        value={used}
        limit={limit}
        words={limit ? `${bytes(used)} / ${bytes(limit)}` : bytes(used)}
      />
      <TaskCounts tasks={cluster.tasks} trans={trans} />
      {cluster.problem && (
        <p className="jp-Satflow-note jp-mod-warning">{cluster.problem}</p>
      )}
    </li>
  );
}

/** A cluster's state in words. */
export function clusterState(
  state: ClusterStatus['state'],
  trans: TranslationBundle
): string {
  const words = {
    starting: trans.__('starting'),
    running: trans.__('running'),
    lost: trans.__('lost'),
    closed: trans.__('closed')
  };
  return words[state];
}
