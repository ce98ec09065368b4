import { Button, HTMLSelect } from '@jupyterlab/ui-components';
import React, { useEffect, useMemo, useRef } from 'react';

import type { TaskRun } from '../_api';
import { useTrans } from '../components/translation';
import { ZOOM_STEP } from './timeAxis';
import { drawSwatch } from './timelineBars';
import { type BarKind, barKind } from './timelineRows';
import { kindName } from './timelineText';

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
        <ZoomButtons
          onZoom={onZoom}
          fitLabel={trans.__('Show the whole time (0)')}
          onFit={onFit}
        />
      </span>
    </div>
  );
}

/** Buttons that zoom out and in by a factor, and show everything. */
export function ZoomButtons(props: {
  onZoom: (factor: number) => void;
  fitLabel: string;
  onFit: () => void;
}): JSX.Element {
  const trans = useTrans();
  const { onZoom, fitLabel, onFit } = props;
  return (
    <>
      <ZoomButton
        text="−"
        label={trans.__('Zoom out (-)')}
        onClick={() => onZoom(1 / ZOOM_STEP)}
      />
      <ZoomButton
        text="+"
        label={trans.__('Zoom in (+)')}
        onClick={() => onZoom(ZOOM_STEP)}
      />
      <ZoomButton text={trans.__('Fit')} label={fitLabel} onClick={onFit} />
    </>
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
export function Legend(props: { runs: readonly TaskRun[] }): JSX.Element {
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

function countKinds(runs: readonly TaskRun[]): Map<BarKind, number> {
  const counts = new Map<BarKind, number>();
  for (const run of runs) {
    const kind = barKind(run);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}
