import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { ClusterStatus, ClusterWorker } from '../_api';
import type { ISample } from '../models/history';
import { bytes, workersOf } from '../words';
import { clusterState } from './ClustersSection';
import { EmptyState } from './EmptyState';
import { Meter } from './Meter';
import { Sparkline } from './Sparkline';
import { TaskCounts } from './TaskCounts';

export interface IClusterViewProps {
  cluster: ClusterStatus | null;
  samples: readonly ISample[];
  trans: TranslationBundle;
}

/** A run's Dask cluster: its workers, its tasks, and both over time. */
export function ClusterView(props: IClusterViewProps): JSX.Element {
  const { cluster, samples, trans } = props;
  if (!cluster) {
    return (
      <EmptyState
        testId="satflow-no-cluster"
        message={trans.__('This run has no Dask cluster, or not yet.')}
      />
    );
  }
  return (
    <div className="jp-Satflow-cluster" data-testid="satflow-cluster-view">
      <div className="jp-Satflow-facts">
        <span className={`jp-Satflow-badge jp-mod-${cluster.state}`}>
          {clusterState(cluster.state, trans)}
        </span>
        <span data-testid="satflow-cluster-workers">
          {workersOf(cluster.observed, cluster.plan, trans)}
        </span>
        {cluster.worker_size && <span>{cluster.worker_size}</span>}
        {cluster.state === 'closed' && (
          <span>{trans.__('as it was last seen')}</span>
        )}
      </div>
      {cluster.problem && (
        <p className="jp-Satflow-note jp-mod-warning">{cluster.problem}</p>
      )}
      <TaskCounts tasks={cluster.tasks} trans={trans} />
      <OverTime samples={samples} trans={trans} />
      <ul className="jp-Satflow-workers" aria-label={trans.__('Dask workers')}>
        {cluster.workers.map(worker => (
          <WorkerRow key={worker.name} worker={worker} trans={trans} />
        ))}
      </ul>
    </div>
  );
}

function OverTime(props: {
  samples: readonly ISample[];
  trans: TranslationBundle;
}): JSX.Element | null {
  const { samples, trans } = props;
  const last = samples[samples.length - 1];
  if (!last) {
    return null;
  }
  return (
    <div className="jp-Satflow-columns">
      <Sparkline
        label={trans.__('Tasks processing')}
        words={String(last.processing)}
        values={samples.map(sample => sample.processing)}
      />
      <Sparkline
        label={trans.__('Memory')}
        words={bytes(last.memory)}
        values={samples.map(sample => sample.memory)}
      />
    </div>
  );
}

function WorkerRow(props: {
  worker: ClusterWorker;
  trans: TranslationBundle;
}): JSX.Element {
  const { worker, trans } = props;
  const { name, threads, cpu, memory, memory_limit: limit } = worker;
  return (
    <li data-testid="satflow-worker">
      <div className="jp-Satflow-facts">
        <span className="jp-Satflow-name">{name}</span>
        <span>{trans._n('%1 thread', '%1 threads', threads)}</span>
        <span>
          {trans.__('%1 executing, %2 ready', worker.executing, worker.ready)}
        </span>
      </div>
      <Meter
        label={trans.__('CPU')}
        value={cpu}
        limit={100 * threads}
        words={`${Math.round(cpu)} %`}
      />
      <Meter
        label={trans.__('Memory')}
        value={memory}
        limit={limit}
        words={limit ? `${bytes(memory)} / ${bytes(limit)}` : bytes(memory)}
      />
    </li>
  );
}
