import React from 'react';

import type { ClusterStatus } from '../_api';
import type { ISample } from '../models/sampleHistory';
import { MemoryMeter } from './MemoryMeter';
import { Sparkline } from './Sparkline';
import { TaskCounts } from './TaskCounts';
import { useTrans } from './translation';

export interface IClusterLoadProps {
  cluster: ClusterStatus;
  samples: readonly ISample[];
}

/** The load of a cluster, short enough for the sidebar. */
export function ClusterLoad(props: IClusterLoadProps): JSX.Element {
  const trans = useTrans();
  const { cluster, samples } = props;
  const last = samples[samples.length - 1];
  return (
    <>
      {last && (
        <div className="jp-Satflow-sparks" data-testid="satflow-cluster-sparks">
          <Sparkline
            label={trans.__('CPU')}
            text={trans.__('%1 cores', last.cpu.toFixed(1))}
            values={samples.map(one => one.cpu)}
          />
          <Sparkline
            label={trans.__('Tasks')}
            text={String(last.processing)}
            values={samples.map(one => one.processing)}
          />
        </div>
      )}
      <MemoryMeter workers={cluster.workers} />
      <TaskCounts tasks={cluster.tasks} />
    </>
  );
}
