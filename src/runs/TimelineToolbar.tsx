import type { TranslationBundle } from '@jupyterlab/translation';
import { Button, HTMLSelect } from '@jupyterlab/ui-components';
import React, { useEffect, useMemo, useRef } from 'react';

import type { TaskRun } from '../_api';
import { useTrans } from '../components/translation';
import { ZOOM_STEP } from './timeAxis';
import { drawSwatch } from './timelineBars';
import { type BarKind, barKind } from './timelineRows';

const KINDS: BarKind[] = [
  'waiting',
  'running',
  'completed',
  'cached',
  'failed',
  'crashed',
  'cancelled'
];

export interface ITimelineToolbarProps {
  runs: readonly TaskRun[];
  /** True if the Dask workers of task runs are known. */
  hasWorkers: boolean;
  isByWorker: boolean;
  onByWorker: (isByWorker: boolean) => void;
  onZoom: (factor: number) => void;
  onFit: () => void;
}

/** The legend of a timeline, and its controls. */
export function TimelineToolbar(props: ITimelineToolbarProps): JSX.Element {
  const trans = useTrans();
  const { runs, hasWorkers, isByWorker, onByWorker, onZoom, onFit } = props;
  return (
    <div className="jp-Satflow-timelineBar">
      <Legend runs={runs} />
      <span className="jp-Satflow-rowEnd">
        {hasWorkers && (
          <HTMLSelect
            aria-label={trans.__('Rows of the timeline')}
            data-testid="satflow-timeline-rows"
            value={isByWorker ? 'worker' : 'task'}
            options={[
              { value: 'task', label: trans.__('By task') },
              { value: 'worker', label: trans.__('By Dask worker') }
            ]}
            onChange={event => onByWorker(event.target.value === 'worker')}
          />
        )}
        <ZoomButton
          text="−"
          label={trans.__('Zoom out (-)')}
          onClick={() => onZoom(ZOOM_STEP)}
        />
        <ZoomButton
          text="+"
          label={trans.__('Zoom in (+)')}
          onClick={() => onZoom(1 / ZOOM_STEP)}
        />
        <ZoomButton
          text={trans.__('Fit')}
          label={trans.__('Show the whole time (0)')}
          onClick={onFit}
        />
      </span>
    </div>
  );
}

function ZoomButton(props: {
  text: string;
  label: string;
  onClick: () => void;
}): JSX.Element {
  return (
    <Button
      minimal
      small
      type="button"
      className="jp-Satflow-iconButton"
      title={props.label}
      aria-label={props.label}
      onClick={props.onClick}
    >
      {props.text}
    </Button>
  );
}

/** The bars of the states that occur, with the number of task runs. */
function Legend(props: { runs: readonly TaskRun[] }): JSX.Element {
  const trans = useTrans();
  const counts = useMemo(() => countKinds(props.runs), [props.runs]);
  return (
    <ul
      className="jp-Satflow-legend"
      aria-label={trans.__('States of the task runs')}
    >
      {KINDS.filter(kind => counts.has(kind)).map(kind => (
        <li key={kind} data-kind={kind}>
          <Swatch kind={kind} />
          {kindName(kind, trans)} <strong>{counts.get(kind)}</strong>
        </li>
      ))}
    </ul>
  );
}

function Swatch({ kind }: { kind: BarKind }): JSX.Element {
  const node = useRef<HTMLCanvasElement>(null);
  // After each rendering, because the theme may have changed.
  useEffect(() => {
    if (node.current) {
      drawSwatch(node.current, kind);
    }
  });
  return <canvas ref={node} aria-hidden="true" />;
}

/** Return the name of a kind of bar. */
function kindName(kind: BarKind, trans: TranslationBundle): string {
  const names: Record<BarKind, string> = {
    waiting: trans.__('Waiting'),
    running: trans.__('Running'),
    completed: trans.__('Completed'),
    cached: trans.__('Cached'),
    failed: trans.__('Failed'),
    crashed: trans.__('Crashed or interrupted'),
    cancelled: trans.__('Cancelled')
  };
  return names[kind];
}

function countKinds(runs: readonly TaskRun[]): Map<BarKind, number> {
  const counts = new Map<BarKind, number>();
  for (const run of runs) {
    const kind = barKind(run);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}
