import { Button } from '@jupyterlab/ui-components';
import React from 'react';

import type { ClusterStatus, ErrorBody } from '../_api';
import { EmptyState } from '../components/EmptyState';
import { ErrorNote } from '../components/ErrorNote';
import { useTrans } from '../components/translation';
import { ClusterBadge, ClusterFacts } from './ClusterFacts';
import { ClusterLoad } from './ClusterLoad';
import { clusterKey } from './clusters';
import type { OnDaskPages } from './daskPages';
import { DaskPagesButton } from './DaskPagesButton';
import type { ISample } from './sampleHistory';
import {
  type ISharedClusterActions,
  SharedClusterList
} from './SharedClusterList';
import { type ISharedCluster, SHARED_EXECUTOR } from './sharedClusters';

export interface IClustersSectionProps {
  clusters: ClusterStatus[];
  /** Samples of the last minutes, by cluster key. */
  samples: ReadonlyMap<string, readonly ISample[]>;
  shared: ISharedCluster[];
  error: ErrorBody | null;
  onOpen: (runId: string, name: string) => void;
  onShowFlows: () => void;
  actions: Omit<ISharedClusterActions, 'onOpen'> & { onDaskPages: OnDaskPages };
}

/** The shared clusters of deployments, the existing clusters that they use, and the clusters of active runs. */
export function ClustersSection(props: IClustersSectionProps): JSX.Element {
  const { clusters, samples, shared, error, actions, onOpen } = props;
  const isShared = (one: ClusterStatus) =>
    one.executor === SHARED_EXECUTOR &&
    shared.some(({ deployment_id: id }) => id === one.deployment_id);
  const others = clusters.filter(one => !isShared(one));
  return (
    <>
      <SharedClusterList
        clusters={shared}
        statuses={clusters.filter(isShared)}
        samples={samples}
        actions={{ ...actions, onOpen }}
      />
      {error ? (
        <ErrorNote error={error} />
      ) : (
        <OtherClusters {...props} clusters={others} />
      )}
    </>
  );
}

function OtherClusters(props: IClustersSectionProps): JSX.Element | null {
  const trans = useTrans();
  const { clusters, samples, shared, onOpen, onShowFlows, actions } = props;
  if (clusters.length === 0 && shared.length > 0) {
    return null;
  }
  if (clusters.length === 0) {
    return (
      <EmptyState
        testId="satflow-no-clusters"
        message={trans.__(
          'No cluster is running. Register a flow with a Dask executor to start a cluster for each run.'
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
          key={clusterKey(one)}
          cluster={one}
          samples={samples.get(clusterKey(one)) ?? []}
          onOpen={onOpen}
          onDaskPages={actions.onDaskPages}
        />
      ))}
    </ul>
  );
}

interface IClusterRowProps {
  cluster: ClusterStatus;
  samples: readonly ISample[];
  onOpen: (runId: string, name: string) => void;
  onDaskPages: OnDaskPages;
}

function ClusterRow(props: IClusterRowProps): JSX.Element {
  const trans = useTrans();
  const { cluster, samples, onOpen } = props;
  const { run_id, run_name, deployment_name, executor } = cluster;
  const name = deployment_name ?? run_name ?? executor;
  return (
    <li
      className="jp-Satflow-row"
      data-testid="satflow-cluster"
      data-run={run_id}
    >
      <div className="jp-Satflow-rowHead">
        {run_id === null ? (
          <span className="jp-Satflow-name">{name}</span>
        ) : (
          <Button
            minimal
            className="jp-Satflow-link jp-Satflow-name"
            title={trans.__('Open run %1', run_name)}
            onClick={() => onOpen(run_id, run_name ?? '')}
          >
            {name}
          </Button>
        )}
        <ClusterBadge cluster={cluster} />
        <span className="jp-Satflow-rowEnd">
          <DaskPagesButton {...props} />
        </span>
      </div>
      <ClusterFacts cluster={cluster} />
      <ClusterLoad cluster={cluster} samples={samples} />
    </li>
  );
}
