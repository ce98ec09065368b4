import React from 'react';

import type { ClusterStatus } from '../_api';
import { useTrans } from '../components/translation';
import { MemoryMeter } from './MemoryMeter';
import type { ISample } from './sampleHistory';
import { TaskCounts } from './TaskCounts';

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

interface ISparklineProps {
  label: string;
  /** The newest value, formatted. */
  text: string;
  values: number[];
}

const WIDTH = 240;
const HEIGHT = 40;

/** A quantity over time, scaled to its maximum. */
function Sparkline(props: ISparklineProps): JSX.Element {
  const { label, text, values } = props;
  return (
    <figure className="jp-Satflow-sparkline">
      <figcaption>
        {label} <strong>{text}</strong>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${label}: ${text}`}
      >
        <path className="jp-Satflow-area" d={areaPath(values)} />
        <polyline
          points={linePoints(values)}
          vectorEffect="non-scaling-stroke"
        />
      </svg>
    </figure>
  );
}

function linePoints(values: number[]): string {
  const top = Math.max(...values, 1e-9);
  const step = WIDTH / Math.max(1, values.length - 1);
  return values
    .map((value, index) => {
      const y = HEIGHT - 2 - (value / top) * (HEIGHT - 4);
      return `${(index * step).toFixed(1)},${y.toFixed(1)}`;
    })
    .join(' ');
}

function areaPath(values: number[]): string {
  return values.length > 1
    ? `M0,${HEIGHT} L${linePoints(values).replace(/ /g, ' L')} L${WIDTH},${HEIGHT} Z`
    : '';
}
