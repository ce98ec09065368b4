import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { ClusterEvent } from '../_api';
import type { ISample } from '../models/history';
import { bytes } from '../words';
import { Chart, type ISeries } from './Chart';
import { eventWords } from './ClusterEvents';

export interface IClusterChartsProps {
  samples: readonly ISample[];
  events: ClusterEvent[];
  trans: TranslationBundle;
}

/** Charts of a cluster over time: workers, tasks, CPU and memory, with its events. */
export function ClusterCharts(props: IClusterChartsProps): JSX.Element | null {
  const { samples, events, trans } = props;
  if (samples.length === 0) {
    return null;
  }
  const shared = {
    times: samples.map(one => one.time),
    marks: events.filter(isTrouble).map(event => ({
      time: Date.parse(event.time),
      label: eventWords(event, trans)
    }))
  };
  return (
    <div className="jp-Satflow-charts" data-testid="satflow-cluster-charts">
      <Chart
        {...shared}
        label={trans.__('Workers')}
        series={[
          stepped(line(samples, 'observed', 'main', trans.__('current'))),
          stepped(line(samples, 'plan', 'aim', trans.__('planned')))
        ]}
        words={whole}
      />
      <Chart
        {...shared}
        label={trans.__('Tasks')}
        series={[
          line(samples, 'processing', 'main', trans.__('processing')),
          line(samples, 'held', 'aim', trans.__('held back'))
        ]}
        words={whole}
      />
      <Chart
        {...shared}
        label={trans.__('CPU')}
        series={[line(samples, 'cpu', 'main', trans.__('cores busy'))]}
        words={value => value.toFixed(1)}
      />
      <Chart
        {...shared}
        label={trans.__('Memory')}
        series={[
          line(samples, 'memory', 'main', trans.__('processes')),
          line(samples, 'managed', 'part', trans.__('results')),
          line(samples, 'spilled', 'aim', trans.__('on disk'))
        ]}
        words={bytes}
      />
    </div>
  );
}

/** Return whether an event explains a drop in the charts. */
function isTrouble({ kind }: ClusterEvent): boolean {
  return kind === 'lost' || kind === 'unreachable';
}

function line(
  samples: readonly ISample[],
  name: Exclude<keyof ISample, 'time'>,
  kind: ISeries['kind'],
  label: string
): ISeries {
  return { label, kind, values: samples.map(one => one[name]) };
}

function stepped(series: ISeries): ISeries {
  return { ...series, isStepped: true };
}

function whole(value: number): string {
  return String(Math.round(value));
}
