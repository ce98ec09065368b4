import type { TranslationBundle } from '@jupyterlab/translation';
import {
  editIcon,
  refreshIcon,
  runIcon,
  stopIcon
} from '@jupyterlab/ui-components';
import React from 'react';

import type { SharedCluster } from '../_api';
import type { ISharedCluster } from '../models/sharedClusters';
import { workersOf } from '../words';
import { IconButton } from './IconButton';

/** What the user can do with the cluster that a deployment's runs share. */
export interface ISharedClusterActions {
  onStartCluster: (cluster: SharedCluster) => void;
  onResizeCluster: (cluster: SharedCluster) => void;
  onRestartCluster: (cluster: SharedCluster) => void;
  onCloseCluster: (cluster: SharedCluster) => void;
}

export interface ISharedClusterListProps {
  clusters: ISharedCluster[];
  actions: ISharedClusterActions;
  trans: TranslationBundle;
}

/** The clusters that deployments' runs share, also those that are not there now. */
export function SharedClusterList(
  props: ISharedClusterListProps
): JSX.Element | null {
  const { clusters, actions, trans } = props;
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
          actions={actions}
          trans={trans}
        />
      ))}
    </ul>
  );
}

interface ISharedClusterRowProps {
  cluster: ISharedCluster;
  actions: ISharedClusterActions;
  trans: TranslationBundle;
}

function SharedClusterRow(props: ISharedClusterRowProps): JSX.Element {
  const { cluster, trans } = props;
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
          {stateOf(cluster, trans)}
        </span>
        <span className="jp-Satflow-rowEnd">
          <Buttons {...props} />
        </span>
      </div>
      <div className="jp-Satflow-facts">
        <span>{cluster.gateway || trans.__('this machine')}</span>
        {cluster.state === 'running' && (
          <span>{workersOf(cluster.workers, null, trans)}</span>
        )}
        {cluster.worker_size && <span>{cluster.worker_size}</span>}
      </div>
    </li>
  );
}

function Buttons(props: ISharedClusterRowProps): JSX.Element {
  const { cluster, actions, trans } = props;
  const { deployment_name: name, isBusy: disabled } = cluster;
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

function stateOf(cluster: ISharedCluster, trans: TranslationBundle): string {
  const words = {
    none: trans.__('not running'),
    starting: trans.__('starting'),
    running: trans.__('running')
  };
  return cluster.isBusy ? trans.__('working…') : words[cluster.state];
}
