import React from 'react';

import type { ClusterStatus, ClusterWorker } from '../_api';
import { EmptyState } from '../components/EmptyState';
import { useTrans } from '../components/translation';
import { ClusterCharts } from './ClusterCharts';
import { ClusterEvents } from './ClusterEvents';
import { ClusterBadge, ClusterFacts } from './ClusterFacts';
import type { OnDaskPages } from './daskPages';
import { DaskPagesButton } from './DaskPagesButton';
import { MemoryMeter } from './MemoryMeter';
import type { ISample } from './sampleHistory';
import { TaskCounts } from './TaskCounts';

export interface IClusterViewProps {
  cluster: ClusterStatus | null;
  samples: readonly ISample[];
  onDaskPages: OnDaskPages;
}

/** The Dask cluster of a run: its workers and tasks, now and over time. */
export function ClusterView(props: IClusterViewProps): JSX.Element {
  const trans = useTrans();
  const { cluster, samples, onDaskPages } = props;
  if (!cluster) {
    return (
      <EmptyState
        testId="satflow-no-cluster"
        message={trans.__(
          'This run has no Dask cluster, or the cluster has not started yet.'
        )}
      />
    );
  }
  return (
    <div className="jp-Satflow-cluster" data-testid="satflow-cluster-view">
      <div className="jp-Satflow-rowHead">
        <ClusterBadge cluster={cluster} />
        <DaskPagesButton cluster={cluster} onDaskPages={onDaskPages} />
      </div>
      <ClusterFacts cluster={cluster} />
      <TaskCounts tasks={cluster.tasks} />
      <ClusterCharts samples={samples} events={cluster.events} />
      <ul className="jp-Satflow-workers" aria-label={trans.__('Dask workers')}>
        {cluster.workers.map(worker => (
          <WorkerRow key={worker.name} worker={worker} />
        ))}
      </ul>
      <ClusterEvents events={cluster.events} />
    </div>
  );
}

function WorkerRow(props: { worker: ClusterWorker }): JSX.Element {
  const trans = useTrans();
  const { worker } = props;
  const { name, threads, cpu, state } = worker;
  return (
    <li data-testid="satflow-worker">
      <div className="jp-Satflow-facts">
        <span className="jp-Satflow-name">{name}</span>
        <span>{trans._n('%1 thread', '%1 threads', threads)}</span>
        {state !== 'running' && (
          <span className="jp-Satflow-badge jp-mod-changed">{state}</span>
        )}
        <span>
          {trans.__('%1 executing, %2 ready', worker.executing, worker.ready)}
        </span>
      </div>
      <Meter
        label={trans.__('CPU')}
        value={cpu}
        limit={100 * threads}
        text={`${Math.round(cpu)} %`}
      />
      <MemoryMeter workers={[worker]} />
    </li>
  );
}

interface IMeterProps {
  label: string;
  value: number;
  /** The value of a full bar; if it is 0, there is no limit and the bar stays empty. */
  limit: number;
  /** The formatted value. */
  text: string;
}

/** A quantity as a bar with its value. */
function Meter({ label, value, limit, text }: IMeterProps): JSX.Element {
  const share = limit > 0 ? Math.min(1, value / limit) : 0;
  return (
    <div className="jp-Satflow-meter">
      <span>{label}</span>
      <span
        className={`jp-Satflow-bar${share > 0.9 ? ' jp-mod-warning' : ''}`}
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share * 100)}
        aria-valuetext={text}
      >
        <span style={{ width: `${share * 100}%` }} />
      </span>
      <span>{text}</span>
    </div>
  );
}
