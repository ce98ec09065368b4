import type { TranslationBundle } from '@jupyterlab/translation';
import {
  Button,
  editIcon,
  refreshIcon,
  runIcon,
  stopIcon
} from '@jupyterlab/ui-components';
import React from 'react';

import type { ClusterStatus } from '../_api';
import { IconButton } from '../components/IconButton';
import { useTrans } from '../components/translation';
import { ClusterFacts } from './ClusterFacts';
import { ClusterLoad } from './ClusterLoad';
import { clusterKey } from './clusters';
import type { ISample } from './sampleHistory';
import { type ISharedCluster, ownStatus } from './sharedClusters';

/** Actions on the cluster that a deployment's runs share. */
export interface ISharedClusterActions {
  onStartCluster: (cluster: ISharedCluster) => void;
  onResizeCluster: (cluster: ISharedCluster) => void;
  onRestartCluster: (cluster: ISharedCluster) => void;
  onCloseCluster: (cluster: ISharedCluster) => void;
  onOpen: (runId: string, name: string) => void;
}

export interface ISharedClusterListProps {
  clusters: ISharedCluster[];
  /** The statuses that the clusters report, and those reported by the runs that use them. */
  statuses: ClusterStatus[];
  samples: ReadonlyMap<string, readonly ISample[]>;
  actions: ISharedClusterActions;
}

/** The clusters that deployments' runs share, including those that do not exist now. */
export function SharedClusterList(
  props: ISharedClusterListProps
): JSX.Element | null {
  const trans = useTrans();
  const { clusters, statuses, samples, actions } = props;
  if (clusters.length === 0) {
    return null;
  }
  return (
    <ul
      className="jp-Satflow-list"
      aria-label={trans.__('Shared clusters')}
      data-testid="satflow-shared-clusters"
    >
      {clusters.map(one => (
        <SharedClusterRow
          key={one.deployment_id}
          cluster={one}
          statuses={statuses.filter(
            ({ deployment_id: id }) => id === one.deployment_id
          )}
          samples={samples}
          actions={actions}
        />
      ))}
    </ul>
  );
}

interface ISharedClusterRowProps {
  cluster: ISharedCluster;
  statuses: ClusterStatus[];
  samples: ReadonlyMap<string, readonly ISample[]>;
  actions: ISharedClusterActions;
}

function SharedClusterRow(props: ISharedClusterRowProps): JSX.Element {
  const trans = useTrans();
  const { cluster } = props;
  const name = cluster.deployment_name;
  return (
    <li
      className="jp-Satflow-row jp-mod-compact"
      data-testid="satflow-shared-cluster"
      data-deployment={name}
    >
      <div className="jp-Satflow-rowHead">
        <span className="jp-Satflow-name" title={name}>
          {name.split('/').pop()}
        </span>
        <span className={`jp-Satflow-badge jp-mod-${cluster.state}`}>
          {describeState(cluster, trans)}
        </span>
        <span className="jp-Satflow-rowEnd">
          <ClusterButtons {...props} />
        </span>
      </div>
      <div className="jp-Satflow-facts">
        <span>{cluster.gateway || trans.__('this machine')}</span>
      </div>
      {cluster.state !== 'none' && <ClusterStatusView {...props} />}
    </li>
  );
}

/** The status of a shared cluster, reported by itself or else by a run that uses it, and those runs. */
function ClusterStatusView(props: ISharedClusterRowProps): JSX.Element | null {
  const trans = useTrans();
  const { statuses, samples, actions } = props;
  const own = ownStatus(statuses);
  if (!own) {
    return null;
  }
  const runs = statuses.filter(({ run_id }) => run_id !== null);
  return (
    <>
      <ClusterFacts cluster={own} />
      <ClusterLoad cluster={own} samples={samples.get(clusterKey(own)) ?? []} />
      {runs.length > 0 && (
        <div className="jp-Satflow-facts" data-testid="satflow-cluster-users">
          <span>{trans.__('used by')}</span>
          {runs.map(({ run_id, run_name }) => (
            <Button
              key={run_id}
              minimal
              className="jp-Satflow-link"
              onClick={() => actions.onOpen(run_id ?? '', run_name ?? '')}
            >
              {run_name}
            </Button>
          ))}
        </div>
      )}
    </>
  );
}

function ClusterButtons(props: ISharedClusterRowProps): JSX.Element {
  const trans = useTrans();
  const { cluster, actions } = props;
  const { deployment_name: name, isBusy: disabled } = cluster;
  if (cluster.state === 'unknown') {
    return <></>;
  }
  if (cluster.state === 'none') {
    return (
      <IconButton
        icon={runIcon}
        label={trans.__('Start the cluster of %1', name)}
        onClick={() => actions.onStartCluster(cluster)}
        disabled={disabled}
      />
    );
  }
  return (
    <>
      <IconButton
        icon={editIcon}
        label={trans.__('Resize the cluster of %1…', name)}
        onClick={() => actions.onResizeCluster(cluster)}
        disabled={disabled}
      />
      <IconButton
        icon={refreshIcon}
        label={trans.__('Restart the cluster of %1…', name)}
        onClick={() => actions.onRestartCluster(cluster)}
        disabled={disabled}
      />
      <IconButton
        icon={stopIcon}
        label={trans.__('Close the cluster of %1…', name)}
        onClick={() => actions.onCloseCluster(cluster)}
        disabled={disabled}
      />
    </>
  );
}

function describeState(
  cluster: ISharedCluster,
  trans: TranslationBundle
): string {
  const words = {
    unknown: trans.__('checking…'),
    none: trans.__('not running'),
    starting: trans.__('starting'),
    running: trans.__('running'),
    lost: trans.__('lost')
  };
  return cluster.isBusy ? trans.__('working…') : words[cluster.state];
}
