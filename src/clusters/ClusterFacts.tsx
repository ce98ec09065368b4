import React from 'react';

import type { ClusterStatus } from '../_api';
import { useTrans } from '../components/translation';
import { formatWorkerCount } from '../format';

export interface IClusterFactsProps {
  cluster: ClusterStatus;
}

/** The workers of a cluster, its problem, and the reason why it is waiting. */
export function ClusterFacts(props: IClusterFactsProps): JSX.Element {
  const trans = useTrans();
  const { cluster } = props;
  const { state, executor, observed, plan, worker_size: size } = cluster;
  return (
    <>
      <div className="jp-Satflow-facts">
        <span>{executor}</span>
        <span data-testid="satflow-cluster-workers">
          {formatWorkerCount(observed, plan, trans)}
        </span>
        {size && <span>{size}</span>}
        {state === 'closed' && <span>{trans.__('last known state')}</span>}
      </div>
      {cluster.problem && (
        <p className="jp-Satflow-note jp-mod-warning">{cluster.problem}</p>
      )}
      {cluster.pending && (
        <p className="jp-Satflow-note" data-testid="satflow-cluster-pending">
          {cluster.pending}
        </p>
      )}
    </>
  );
}

/** The state of a cluster as a label. */
export function ClusterBadge(props: IClusterFactsProps): JSX.Element {
  const trans = useTrans();
  const { cluster } = props;
  const words = {
    starting: trans.__('starting'),
    running: trans.__('running'),
    lost: trans.__('lost'),
    closed: trans.__('closed')
  };
  return (
    <span className={`jp-Satflow-badge jp-mod-${cluster.state}`}>
      {words[cluster.state]}
    </span>
  );
}
