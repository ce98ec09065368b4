import type { TranslationBundle } from '@jupyterlab/translation';

import type { TaskRun } from '../_api';
import { nameInvisible } from '../components/terminalText';
import { formatDuration } from '../format';
import type { IGraphTarget } from './graphCanvas';
import { mainState } from './graphDrawing';
import { findLinked } from './graphScene';
import type { IGraphNode, ITaskGraph } from './taskGraph';
import { describeBar, kindName, stateText } from './timelineText';

/** Maximum number of names in the description of a node. */
const NAMED = 5;

/** Return the name of a node, with the number of finished runs of a group. */
export function nodeTitle(node: IGraphNode, trans: TranslationBundle): string {
  const { kind, label, finished, runs } = node;
  const name = nameInvisible(label);
  return kind === 'run'
    ? name
    : finished === runs.length
      ? trans.__('%1 (%2)', name, finished)
      : trans.__('%1 (%2 of %3)', name, finished, runs.length);
}

/** Return the duration of a task run, or its state if it has not started, and its attempts. */
export function nodeNote(
  run: TaskRun,
  now: number,
  trans: TranslationBundle
): string {
  const { start, end, attempts } = run;
  const isRunning = start !== null && end === null && !run.interrupted;
  const took = isRunning
    ? (now - Date.parse(start)) / 1000
    : start !== null && end !== null
      ? (Date.parse(end) - Date.parse(start)) / 1000
      : null;
  const text =
    took === null ? stateText(run, trans) : formatDuration(Math.max(0, took));
  return attempts > 1 ? `${text} ↻${attempts}` : text;
}

/** Describe a node: its name, its states, and the names of those on which it depends. */
export function describeNode(
  graph: ITaskGraph,
  node: IGraphNode,
  index: number,
  trans: TranslationBundle
): string[] {
  const states =
    node.kind === 'run'
      ? [kindName(mainState(node), trans)]
      : [...node.counts].map(
          ([kind, count]) => `${count} ${kindName(kind, trans)}`
        );
  return [
    nodeTitle(node, trans),
    ...states,
    ...describeLinks(graph, index, trans)
  ];
}

function describeLinks(
  graph: ITaskGraph,
  index: number,
  trans: TranslationBundle
): string[] {
  const { inner, outer } = graph.nodes[index];
  const names = (side: 'before' | 'after') => {
    const found = findLinked(graph, index, side);
    const shown = found.slice(0, NAMED).map(one => graph.nodes[one].label);
    const more = found.length - shown.length;
    const text = shown.map(nameInvisible).join(', ');
    return more > 0 ? trans.__('%1 and %2 more', text, more) : text;
  };
  const [before, after] = [names('before'), names('after')];
  return [
    ...(before ? [trans.__('depends on %1', before)] : []),
    ...(after ? [trans.__('followed by %1', after)] : []),
    ...(inner > 0
      ? [
          trans._n(
            '%1 dependency within it',
            '%1 dependencies within it',
            inner
          )
        ]
      : []),
    ...(outer > 0
      ? [trans._n('%1 input from elsewhere', '%1 inputs from elsewhere', outer)]
      : [])
  ];
}

/** Describe the node at which the user points, with the times of a task run. */
export function describeGraphTarget(
  { node: index, graph }: IGraphTarget,
  workers: ReadonlyMap<string, string>,
  trans: TranslationBundle
): string[] {
  const node = graph.nodes[index];
  if (node.kind === 'group') {
    return describeNode(graph, node, index, trans);
  }
  const [run] = node.runs;
  return [
    ...describeBar({ run, to: null }, workers.get(run.id) ?? null, trans),
    ...describeLinks(graph, index, trans)
  ];
}
