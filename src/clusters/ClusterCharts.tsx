import React from 'react';

import type { ClusterEvent } from '../_api';
import { Chart, type ISeries } from '../components/Chart';
import { useTrans } from '../components/translation';
import { formatBytes } from '../format';
import { describeEvent } from './ClusterEvents';
import type { ISample } from './sampleHistory';

export interface IClusterChartsProps {
  samples: readonly ISample[];
  events: ClusterEvent[];
}

/** Charts of a cluster over time: workers, tasks, CPU and memory, with its events. */
export function ClusterCharts(props: IClusterChartsProps): JSX.Element | null {
  const trans = useTrans();
  const { samples, events } = props;
  if (samples.length === 0) {
    return null;
  }
  const shared = {
    times: samples.map(one => one.time),
    events: events.filter(isTrouble).map(event => ({
      time: Date.parse(event.time),
      label: describeEvent(event, trans)
    }))
  };
  return (
    <div className="jp-Satflow-charts" data-testid="satflow-cluster-charts">
      <Chart
        {...shared}
        label={trans.__('Workers')}
        unit={trans.__('workers')}
        series={[
          asStepped(
            createSeries(samples, 'observed', 'main', trans.__('current'))
          ),
          asStepped(createSeries(samples, 'plan', 'aim', trans.__('planned')))
        ]}
        format={formatCount}
      />
      <Chart
        {...shared}
        label={trans.__('Tasks')}
        unit={trans.__('tasks')}
        series={[
          createSeries(samples, 'processing', 'main', trans.__('processing')),
          createSeries(samples, 'held', 'aim', trans.__('held back'))
        ]}
        format={formatCount}
      />
      <Chart
        {...shared}
        label={trans.__('CPU')}
        unit={trans.__('cores')}
        series={[createSeries(samples, 'cpu', 'main', trans.__('cores busy'))]}
        format={value => value.toFixed(1)}
      />
      <Chart
        {...shared}
        label={trans.__('Memory')}
        series={[
          createSeries(samples, 'memory', 'main', trans.__('processes')),
          createSeries(samples, 'managed', 'part', trans.__('results')),
          createSeries(samples, 'spilled', 'aim', trans.__('on disk'))
        ]}
        format={formatBytes}
      />
    </div>
  );
}

/** Return whether an event explains a drop in the charts. */
function isTrouble({ kind }: ClusterEvent): boolean {
  return kind === 'lost' || kind === 'unreachable';
}

function createSeries(
  samples: readonly ISample[],
  name: Exclude<keyof ISample, 'time'>,
  kind: ISeries['kind'],
  label: string
): ISeries {
  return { label, kind, values: samples.map(one => one[name]) };
}

function asStepped(series: ISeries): ISeries {
  return { ...series, isStepped: true };
}

function formatCount(value: number): string {
  return String(Math.round(value));
}
