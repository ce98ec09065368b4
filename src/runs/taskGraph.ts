import type { TaskRun } from '../_api';
import { type ITaskGroup, isFinished } from './tasks';
import { type BarKind, barKind } from './timelineRows';

/** A node of a graph: a task run, or the runs of a task that are not shown one by one. */
export interface IGraphNode {
  key: string;
  kind: 'run' | 'group';
  task: string;
  label: string;
  runs: readonly TaskRun[];
  /** Number of task runs in each state. */
  counts: ReadonlyMap<BarKind, number>;
  /** Number of runs that will not change any more. */
  finished: number;
  /** Number of dependencies between the runs of a group. */
  inner: number;
  /** Number of inputs that are not task runs of this flow run, or not loaded. */
  outer: number;
}

/** Dependencies of the runs of one node on those of another one. */
export interface IGraphEdge {
  /** Positions of the nodes. */
  from: number;
  to: number;
  /** Number of dependencies between their task runs. */
  count: number;
  /** True if the task runs were called by those of the other node, and use none of their results. */
  isCall: boolean;
}

/** The task runs of a flow run, and their dependencies as they were executed. */
export interface ITaskGraph {
  nodes: readonly IGraphNode[];
  edges: readonly IGraphEdge[];
  /** True if task runs have more inputs than are known here. */
  isIncomplete: boolean;
}

/** How a graph shows mapped tasks. */
export interface IGraphChoices {
  /** True to show the runs of a task as one node. */
  isGrouped: boolean;
  /** The tasks whose runs are shown one by one nevertheless. */
  opened: ReadonlySet<string>;
}

/** Number of task runs from which they are grouped by task, unless the user chooses otherwise. */
const GROUPED_RUNS = 60;
/** Number of task runs and dependencies from which they are always grouped by task. */
const MAX_RUNS = 300;
const MAX_INPUTS = 1200;
/** Maximum number of runs of an opened task that are shown one by one. */
export const OPENED_RUNS = 100;

/** Return whether the user can choose to show each task run, and what is shown without a choice. */
export function chooseGrouping(groups: readonly ITaskGroup[]): {
  isNecessary: boolean;
  isDefault: boolean;
} {
  const runs = sum(groups, group => group.runs.length);
  const inputs = sum(groups, group => sum(group.runs, run => run.input_count));
  const isMapped = groups.length < runs;
  return {
    isNecessary: isMapped && (runs > MAX_RUNS || inputs > MAX_INPUTS),
    isDefault: isMapped && (runs > GROUPED_RUNS || inputs > MAX_INPUTS)
  };
}

/** Return the graph of task runs. */
export function makeTaskGraph(
  groups: readonly ITaskGroup[],
  choices: IGraphChoices
): ITaskGraph {
  const nodes = groups.flatMap(group => makeNodes(group, choices));
  const places = new Map<string, number>();
  nodes.forEach((node, index) =>
    node.runs.forEach(run => places.set(run.id, index))
  );
  const edges = new EdgeCounter(nodes, places);
  for (const { runs } of groups) {
    runs.forEach(run => edges.add(run));
  }
  const isIncomplete = groups.some(group =>
    group.runs.some(run => run.inputs.length < run.input_count)
  );
  return { nodes, edges: edges.items, isIncomplete };
}

function makeNodes(
  group: ITaskGroup,
  { isGrouped, opened }: IGraphChoices
): IGraphNode[] {
  const { task, runs } = group;
  if (!isGrouped || runs.length === 1) {
    return runs.map(run => makeNode('run', task, [run]));
  }
  if (!opened.has(task)) {
    return [makeNode('group', task, runs)];
  }
  const shown = new Set(chooseRuns(runs));
  const rest = runs.filter(run => !shown.has(run));
  return [
    ...[...shown].map(run => makeNode('run', task, [run])),
    ...(rest.length > 0 ? [makeNode('group', task, rest)] : [])
  ];
}

/** Choose the runs of an opened task that are shown one by one: those that failed, and the first ones. */
function chooseRuns(runs: readonly TaskRun[]): TaskRun[] {
  const failed = runs.filter(run => FAILURES.has(barKind(run)));
  const chosen = new Set([...failed, ...runs].slice(0, OPENED_RUNS));
  for (const run of failed.length < runs.length ? runs : []) {
    if (chosen.size >= Math.min(OPENED_RUNS, runs.length)) {
      break;
    }
    chosen.add(run);
  }
  return runs.filter(run => chosen.has(run));
}

const FAILURES: ReadonlySet<BarKind> = new Set(['failed', 'crashed']);

function makeNode(
  kind: IGraphNode['kind'],
  task: string,
  runs: readonly TaskRun[]
): IGraphNode {
  const counts = new Map<BarKind, number>();
  for (const run of runs) {
    const state = barKind(run);
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return {
    key: kind === 'run' ? `run ${runs[0].id}` : `task ${task}`,
    kind,
    task,
    label: kind === 'run' ? runs[0].name : task,
    runs,
    counts,
    finished: runs.filter(isFinished).length,
    inner: 0,
    outer: 0
  };
}

/** Counts the dependencies between nodes. */
class EdgeCounter {
  constructor(
    private readonly nodes: readonly IGraphNode[],
    private readonly places: ReadonlyMap<string, number>
  ) {}

  get items(): IGraphEdge[] {
    return [...this.byPair.values()];
  }

  /** Count the inputs of a task run, and the task run that called it. */
  add(run: TaskRun): void {
    const to = this.places.get(run.id);
    if (to !== undefined) {
      run.inputs.forEach(id => this.count(this.places.get(id), to, false));
      if (run.caller !== null) {
        this.count(this.places.get(run.caller), to, true);
      }
    }
  }

  private count(from: number | undefined, to: number, isCall: boolean): void {
    if (from === undefined) {
      this.nodes[to].outer += 1;
    } else if (from === to) {
      this.nodes[to].inner += 1;
    } else {
      const key = from * this.nodes.length + to;
      const edge = this.byPair.get(key);
      if (edge) {
        edge.count += 1;
        edge.isCall = edge.isCall && isCall;
      } else {
        this.byPair.set(key, { from, to, count: 1, isCall });
      }
    }
  }

  private readonly byPair = new Map<number, IGraphEdge>();
}

function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}
