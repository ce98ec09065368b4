import React, { useEffect, useId, useMemo, useRef, useState } from 'react';

import type { TaskRun } from '../_api';
import { nameInvisible } from '../components/terminalText';
import { useTrans } from '../components/translation';
import type { ITaskGroup } from './tasks';
import { TimelineCanvas } from './timelineCanvas';
import {
  type ITimelineRow,
  makeTaskRows,
  makeWorkerRows,
  measureProfile
} from './timelineRows';
import {
  AXIS_HEIGHT,
  type ITimelineActions,
  type ITimelineTarget,
  ROW_HEIGHT
} from './timelineScene';
import { describeTarget, describeTimeline } from './timelineText';
import { TimelineToolbar } from './TimelineToolbar';

export interface ITimelineProps {
  groups: readonly ITaskGroup[];
  runs: readonly TaskRun[];
  /** The names of Dask workers by the ids of task runs. */
  workers: ReadonlyMap<string, string>;
  /** The end of the flow run, or null. */
  end: string | null;
  clockOffset: number;
  /** The id of the selected task run, or null. */
  selected: string | null;
  onSelect: (taskRunId: string | null) => void;
}

/** Maximum number of rows that are visible without scrolling. */
const VISIBLE_ROWS = 13;

/** The task runs as bars on a time axis, by task or by Dask worker. The table of task runs is the same as text. */
export function Timeline(props: ITimelineProps): JSX.Element {
  const trans = useTrans();
  const { runs, workers, onSelect } = props;
  const [isByWorker, setByWorker] = useState(false);
  const [target, setTarget] = useState<ITimelineTarget | null>(null);
  const { rows, toggle } = useTimelineRows(props, isByWorker);
  const canvas = useTimelineCanvas(
    { ...props, rows },
    {
      onTarget: setTarget,
      onToggle: toggle,
      onSelect: bar => onSelect(bar && bar.run.id)
    }
  );
  const helpId = useId();
  const lines = target && describeTarget(target, workers, trans);
  return (
    <section
      className="jp-Satflow-timeline"
      aria-label={trans.__('Timeline')}
      data-testid="satflow-timeline"
      data-rows={rows.length}
    >
      <TimelineToolbar
        runs={runs}
        hasWorkers={workers.size > 0}
        isByWorker={isByWorker}
        onByWorker={setByWorker}
        onZoom={factor => canvas.view.current?.zoom(1 / factor)}
        onFit={() => canvas.view.current?.fit()}
      />
      <div className="jp-Satflow-timelineFrame">
        <TimelineBox {...props} {...canvas} rows={rows} helpId={helpId} />
        {target && lines && (
          <Tip
            target={target}
            box={canvas.box.current}
            lines={lines}
            height={34}
            testId="satflow-timeline-tip"
          />
        )}
      </div>
      <p id={helpId} className="jp-Satflow-hint">
        {trans.__(
          'Ctrl + wheel zooms, drag or Shift + wheel moves. Keys: arrows, Enter, + − 0, Shift + arrows.'
        )}
      </p>
      <p className="jp-Satflow-srOnly" role="status">
        {target?.time === null && lines ? lines.join(', ') : ''}
      </p>
    </section>
  );
}

/** The box that scrolls the rows, with the canvas that stays in it and space for all rows. */
function TimelineBox(
  props: ITimelineProps &
    ICanvas & { rows: readonly ITimelineRow[]; helpId: string }
): JSX.Element {
  const trans = useTrans();
  const { groups, runs, rows, box, node, view, helpId } = props;
  const label = describeTimeline(groups, runs.length, trans);
  const shown = Math.min(VISIBLE_ROWS, Math.max(2, rows.length));
  const hidden = Math.max(0, rows.length - shown);
  const onKeyDown = (event: React.KeyboardEvent) => {
    const isShortcut = event.ctrlKey || event.metaKey || event.altKey;
    if (!isShortcut && view.current?.handleKey(event)) {
      event.preventDefault();
      event.stopPropagation();
    }
  };
  return (
    <div
      ref={box}
      className="jp-Satflow-timelineBox"
      style={{ height: AXIS_HEIGHT + shown * ROW_HEIGHT }}
      role="application"
      tabIndex={0}
      aria-label={label}
      aria-describedby={helpId}
      data-testid="satflow-timeline-box"
      onKeyDown={onKeyDown}
    >
      <canvas ref={node} role="img" aria-label={label} />
      <div style={{ height: hidden * ROW_HEIGHT }} />
    </div>
  );
}

/** A description of the target at the pointer or the focus, next to it. */
export function Tip(props: {
  /** A place below the target. */
  target: { x: number; y: number };
  /** The box in which the target is. */
  box: HTMLElement | null;
  lines: string[];
  /** Distance from the place to the top of the target. */
  height: number;
  testId: string;
}): JSX.Element {
  const [name, ...facts] = props.lines.map(nameInvisible);
  return (
    <div
      className="jp-Satflow-tip"
      data-testid={props.testId}
      style={placeTip(props.target, props.box, props.height)}
    >
      <strong>{name}</strong>
      {facts.map((line, index) => (
        <span key={index}>{line}</span>
      ))}
    </div>
  );
}

/** Return the rows, and a function that opens or closes a group. */
function useTimelineRows(props: ITimelineProps, isByWorker: boolean) {
  const trans = useTrans();
  const { groups, runs, workers } = props;
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const end = props.end === null ? null : Date.parse(props.end);
  const rows = useMemo(
    () =>
      isByWorker
        ? makeWorkerRows(runs, workers, trans.__('Worker unknown'), end)
        : makeTaskRows(groups, opened, end),
    [isByWorker, runs, workers.size, groups, opened, end]
  );
  const toggle = (row: ITimelineRow) => {
    const task = row.group?.task ?? '';
    setOpened(before => {
      const after = new Set(before);
      return after.delete(task) ? after : after.add(task);
    });
  };
  return { rows, toggle };
}

/** The elements of a timeline, and what draws into them. */
interface ICanvas {
  box: React.RefObject<HTMLDivElement>;
  node: React.RefObject<HTMLCanvasElement>;
  view: React.RefObject<TimelineCanvas>;
}

/** Create the canvas when it is mounted, and give it the newest data and actions. */
function useTimelineCanvas(
  props: ITimelineProps & { rows: readonly ITimelineRow[] },
  actions: ITimelineActions
): ICanvas {
  const { rows, selected, clockOffset } = props;
  const box = useRef<HTMLDivElement>(null);
  const node = useRef<HTMLCanvasElement>(null);
  const view = useRef<TimelineCanvas | null>(null);
  const newest = useRef(actions);
  newest.current = actions;
  const profiles = useMemo(
    () =>
      new Map(
        rows
          .filter(row => row.kind === 'group')
          .map(row => [row.key, measureProfile(row.bars)])
      ),
    [rows]
  );
  useEffect(() => {
    if (!box.current || !node.current) {
      return;
    }
    const created = new TimelineCanvas(box.current, node.current, {
      onTarget: target => newest.current.onTarget(target),
      onToggle: row => newest.current.onToggle(row),
      onSelect: bar => newest.current.onSelect(bar)
    });
    view.current = created;
    return () => created.dispose();
  }, []);
  useEffect(() => {
    view.current?.update({
      rows,
      profiles,
      selected,
      clockOffset,
      suffix: describeProgress
    });
  }, [rows, profiles, selected, clockOffset]);
  return { box, node, view };
}

/** Return the number of finished runs of a group, or the number of task runs in a lane. */
function describeProgress({ kind, group }: ITimelineRow): string {
  return kind === 'group' && group
    ? group.finished === group.runs.length
      ? `${group.finished}`
      : `${group.finished}/${group.runs.length}`
    : '';
}

/** Place the tip next to its target, within the box. */
function placeTip(
  { x, y }: { x: number; y: number },
  box: HTMLElement | null,
  targetHeight: number
): React.CSSProperties {
  const [width, height] = [box?.clientWidth ?? 0, box?.clientHeight ?? 0];
  return {
    ...(x > width / 2 ? { right: width - x + 8 } : { left: x + 8 }),
    ...(y > height - 60
      ? { bottom: height - y + targetHeight }
      : { top: y + 4 })
  };
}
