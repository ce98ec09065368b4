import { Button } from '@jupyterlab/ui-components';
import React, { useEffect, useId, useMemo, useRef, useState } from 'react';

import type { TaskRun } from '../_api';
import { nameInvisible } from '../components/terminalText';
import { useTrans } from '../components/translation';
import { GraphCanvas, type IGraphTarget } from './graphCanvas';
import { type IPlacedGraph, NODE_HEIGHT, PADDING } from './graphScene';
import {
  describeGraphTarget,
  describeNode,
  nodeNote,
  nodeTitle
} from './graphText';
import {
  chooseGrouping,
  type IGraphNode,
  type ITaskGraph,
  makeTaskGraph
} from './taskGraph';
import type { ITaskGroup } from './tasks';
import { Tip } from './Timeline';
import { Legend, ZoomButtons } from './TimelineToolbar';

export interface ITaskGraphProps {
  groups: readonly ITaskGroup[];
  runs: readonly TaskRun[];
  /** The names of Dask workers by the ids of task runs. */
  workers: ReadonlyMap<string, string>;
  clockOffset: number;
  /** The id of the selected task run, or null. */
  selected: string | null;
  onSelect: (taskRunId: string | null) => void;
}

/** Limits of the height of a graph in pixels. */
const [MIN_HEIGHT, MAX_HEIGHT] = [NODE_HEIGHT + 4 * PADDING, 460];
/** Maximum number of nodes of which the list for assistive technology has one entry each. */
const LISTED_NODES = 500;

/** The task runs and their dependencies as they were executed. A list has the same as text, for assistive technology. */
export function TaskGraph(props: ITaskGraphProps): JSX.Element {
  const trans = useTrans();
  const { runs, groups, onSelect } = props;
  const { graph, grouping, opened, toggle } = useTaskGraph(groups);
  const [target, setTarget] = useState<IGraphTarget | null>(null);
  const canvas = useGraphCanvas(props, graph, {
    onTarget: setTarget,
    onOpen: ({ kind, task, runs: [first] }) =>
      kind === 'group' ? toggle(task) : onSelect(first.id),
    onDeselect: () => onSelect(null)
  });
  const helpId = useId();
  const lines = target && describeGraphTarget(target, props.workers, trans);
  return (
    <section
      className="jp-Satflow-timeline"
      aria-label={trans.__('Graph of dependencies')}
      data-testid="satflow-graph"
      data-nodes={graph.nodes.length}
      data-edges={graph.edges.length}
      data-laid-out={canvas.placed?.graph.nodes.length}
    >
      <div className="jp-Satflow-timelineBar">
        <Legend runs={runs} />
        <OpenedTasks opened={opened} onClose={toggle} />
        <span className="jp-Satflow-rowEnd">
          <GroupingField {...grouping} />
          <ZoomButtons
            onZoom={factor => canvas.view.current?.zoom(factor)}
            fitLabel={trans.__('Show the whole graph (0)')}
            onFit={() => canvas.view.current?.fit()}
          />
        </span>
      </div>
      <div className="jp-Satflow-timelineFrame">
        <GraphBox
          {...canvas}
          graph={graph}
          count={runs.length}
          helpId={helpId}
        />
        {target && lines && (
          <Tip
            target={target}
            lines={lines}
            box={canvas.box.current}
            height={NODE_HEIGHT + 24}
            testId="satflow-graph-tip"
          />
        )}
      </div>
      <GraphHint id={helpId} isIncomplete={graph.isIncomplete} />
      <p className="jp-Satflow-srOnly" role="status">
        {target?.isFocused && lines ? lines.join(', ') : ''}
      </p>
      <NodeList graph={graph} />
    </section>
  );
}

function GraphHint(props: { id: string; isIncomplete: boolean }): JSX.Element {
  const trans = useTrans();
  return (
    <p id={props.id} className="jp-Satflow-hint">
      {trans.__(
        'Ctrl + wheel zooms, drag moves. Keys: arrows follow the dependencies, Enter opens, + − 0, Shift + arrows.'
      )}{' '}
      {props.isIncomplete &&
        trans.__(
          'Some dependencies are not shown, because there are too many.'
        )}
    </p>
  );
}

/** The box with the canvas. */
function GraphBox(
  props: ICanvas & { graph: ITaskGraph; count: number; helpId: string }
): JSX.Element {
  const trans = useTrans();
  const { box, node, view, placed, graph, count, helpId } = props;
  const label = trans.__(
    'Graph of %1 with %2. The list below has the same as text.',
    trans._n('%1 task run', '%1 task runs', count),
    trans._n('%1 dependency', '%1 dependencies', graph.edges.length)
  );
  const needed = (placed?.layout.height ?? 0) + 3 * PADDING;
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
      className="jp-Satflow-graphBox"
      style={{ height: Math.max(MIN_HEIGHT, Math.min(MAX_HEIGHT, needed)) }}
      role="application"
      tabIndex={0}
      aria-label={label}
      aria-describedby={helpId}
      data-testid="satflow-graph-box"
      onKeyDown={onKeyDown}
    >
      <canvas ref={node} role="img" aria-label={label} />
      {!placed && (
        <p role="status" className="jp-Satflow-hint">
          {trans.__('Loading…')}
        </p>
      )}
    </div>
  );
}

/** The opened tasks, with buttons that close them. */
function OpenedTasks(props: {
  opened: readonly string[];
  onClose: (task: string) => void;
}): JSX.Element {
  const trans = useTrans();
  return (
    <>
      {props.opened.map(task => (
        <Button
          key={task}
          minimal
          small
          type="button"
          className="jp-Satflow-iconButton"
          data-testid="satflow-graph-close"
          onClick={() => props.onClose(task)}
        >
          {trans.__('Group %1 again', nameInvisible(task))}
        </Button>
      ))}
    </>
  );
}

interface IGrouping {
  isGrouped: boolean;
  /** True if the user can choose. */
  isOptional: boolean;
  onGroup: (isGrouped: boolean) => void;
}

function GroupingField(props: IGrouping): JSX.Element | null {
  const trans = useTrans();
  return props.isOptional ? (
    <label className="jp-Satflow-check">
      <input
        type="checkbox"
        checked={props.isGrouped}
        data-testid="satflow-graph-grouped"
        onChange={event => props.onGroup(event.target.checked)}
      />
      {trans.__('Group by task')}
    </label>
  ) : null;
}

/** The nodes and the names of those on which they depend, as text. */
function NodeList({ graph }: { graph: ITaskGraph }): JSX.Element {
  const trans = useTrans();
  const { nodes } = graph;
  const items = useMemo(
    () =>
      nodes
        .slice(0, LISTED_NODES)
        .map((node, index) => describeNode(graph, node, index, trans)),
    [graph]
  );
  return (
    <ul
      className="jp-Satflow-srOnly"
      aria-label={trans.__('Dependencies')}
      data-testid="satflow-graph-list"
    >
      {items.map((lines, index) => (
        <li key={nodes[index].key}>{lines.join(', ')}</li>
      ))}
    </ul>
  );
}

/** Return the graph, the choices that it depends on, and a function that opens or closes a task. */
function useTaskGraph(groups: readonly ITaskGroup[]) {
  const [chosen, setChosen] = useState<boolean | null>(null);
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const { isNecessary, isDefault } = chooseGrouping(groups);
  const isGrouped = isNecessary || (chosen ?? isDefault);
  const graph = useMemo(
    () => makeTaskGraph(groups, { isGrouped, opened }),
    [groups, isGrouped, opened]
  );
  const toggle = (task: string) =>
    setOpened(before => {
      const after = new Set(before);
      return after.delete(task) ? after : after.add(task);
    });
  const isMapped = groups.some(group => group.runs.length > 1);
  const grouping: IGrouping = {
    isGrouped,
    isOptional: isMapped && !isNecessary,
    onGroup: setChosen
  };
  return { graph, grouping, opened: isGrouped ? [...opened] : [], toggle };
}

/** The elements of a graph, what draws into them, and the last layout, or null. */
interface ICanvas {
  box: React.RefObject<HTMLDivElement>;
  node: React.RefObject<HTMLCanvasElement>;
  view: React.RefObject<GraphCanvas>;
  placed: IPlacedGraph | null;
}

/** Create the canvas when it is mounted, and give it the newest data and actions. */
function useGraphCanvas(
  { selected, clockOffset }: ITaskGraphProps,
  graph: ITaskGraph,
  actions: {
    onTarget: (target: IGraphTarget | null) => void;
    onOpen: (node: IGraphNode) => void;
    onDeselect: () => void;
  }
): ICanvas {
  const trans = useTrans();
  const box = useRef<HTMLDivElement>(null);
  const node = useRef<HTMLCanvasElement>(null);
  const view = useRef<GraphCanvas | null>(null);
  const [placed, setPlaced] = useState<IPlacedGraph | null>(null);
  const newest = useRef(actions);
  newest.current = actions;
  useEffect(() => {
    if (!box.current || !node.current) {
      return;
    }
    const created = new GraphCanvas(box.current, node.current, {
      onTarget: target => newest.current.onTarget(target),
      onOpen: opened => newest.current.onOpen(opened),
      onDeselect: () => newest.current.onDeselect(),
      onLayout: setPlaced
    });
    view.current = created;
    return () => created.dispose();
  }, []);
  useEffect(() => {
    view.current?.update({
      graph,
      selected,
      title: one => nodeTitle(one, trans),
      note: ({ runs: [run] }) => nodeNote(run, Date.now() + clockOffset, trans)
    });
  }, [graph, selected, clockOffset]);
  return { box, node, view, placed };
}
