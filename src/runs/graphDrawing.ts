import type { ILayout } from './graphLayout';
import {
  type IPlacedGraph,
  type IPoint,
  NODE_HEIGHT,
  NODE_WIDTH
} from './graphScene';
import type { IGraphEdge, IGraphNode } from './taskGraph';
import { BAR_HEIGHT, fillBar, SIGNS } from './timelineBars';
import { shorten } from './timelineDrawing';
import type { BarKind } from './timelineRows';
import type { IPalette } from './timelineScene';

/** Everything that is drawn in one frame. */
export interface IGraphScene {
  placed: IPlacedGraph;
  scale: number;
  origin: IPoint;
  /** Size of the canvas in CSS pixels. */
  width: number;
  height: number;
  /** Position of the node with the keyboard focus, or null. */
  active: number | null;
  /** Position of the node whose edges are emphasized, or null. */
  emphasized: number | null;
  /** The id of the selected task run, or null. */
  selected: string | null;
  /** The first line of a node. */
  title: (node: IGraphNode) => string;
  /** The text next to the state of a node. */
  note: (node: IGraphNode) => string;
  palette: IPalette;
}

/** Scale below which nodes have no text, because it would be illegible. */
const TEXT_SCALE = 0.4;
const INSET = 9;
const SWATCH_WIDTH = 20;
const ARROW = 6;

/** The kinds of states in the order in which they represent a node with several ones. */
const PRECEDENCE: readonly BarKind[] = [
  'failed',
  'crashed',
  'running',
  'cancelled',
  'waiting',
  'completed',
  'cached'
];

/** Return the state that represents a node. */
export function mainState({ counts }: IGraphNode): BarKind {
  return PRECEDENCE.find(kind => counts.has(kind)) ?? 'waiting';
}

/** Draw the nodes and edges that are visible. */
export function drawGraph(
  context: CanvasRenderingContext2D,
  scene: IGraphScene
): void {
  const { width, height, palette, placed, emphasized } = scene;
  context.clearRect(0, 0, width, height);
  context.fillStyle = palette.background;
  context.fillRect(0, 0, width, height);
  context.save();
  context.translate(scene.origin.x, scene.origin.y);
  context.scale(scene.scale, scene.scale);
  context.textBaseline = 'middle';
  const { edges, nodes } = placed.graph;
  const isNear = (edge: IGraphEdge) =>
    edge.from === emphasized || edge.to === emphasized;
  edges.forEach((edge, index) => {
    if (!isNear(edge)) {
      drawEdge(context, scene, index, palette.mutedText);
    }
  });
  edges.forEach((edge, index) => {
    if (isNear(edge)) {
      drawEdge(context, scene, index, palette.active);
    }
  });
  nodes.forEach((node, index) => {
    if (isVisible(scene, placed.layout.nodes[index])) {
      drawNode(context, scene, node, index);
    }
  });
  context.restore();
}

function isVisible({ origin, scale, width, height }: IGraphScene, at: IPoint) {
  const [x, y] = [origin.x + at.x * scale, origin.y + at.y * scale];
  const [across, down] = [NODE_WIDTH * scale, NODE_HEIGHT * scale];
  return x + across > 0 && x < width && y + down > 0 && y < height;
}

/** Draw an edge through its points, with an arrow at its end. Calls are dashed, several dependencies are thicker. */
function drawEdge(
  context: CanvasRenderingContext2D,
  { placed, scale }: IGraphScene,
  index: number,
  color: string
): void {
  const edge = placed.graph.edges[index];
  const points = placed.layout.edges[index] as ILayout['edges'][0] | undefined;
  if (!points || points.length < 2) {
    return;
  }
  const last = points[points.length - 1];
  const before = points[points.length - 2];
  context.strokeStyle = color;
  context.fillStyle = color;
  context.lineWidth = (edge.count > 1 ? 2 : 1.2) / Math.max(scale, 0.5);
  context.setLineDash(edge.isCall ? [4, 4] : []);
  context.beginPath();
  context.moveTo(points[0].x, points[0].y);
  for (let place = 1; place < points.length - 1; place += 1) {
    const next = points[place + 1];
    const isEnd = place === points.length - 2;
    const x = isEnd ? next.x : (points[place].x + next.x) / 2;
    const y = isEnd ? next.y : (points[place].y + next.y) / 2;
    context.quadraticCurveTo(points[place].x, points[place].y, x, y);
  }
  context.lineTo(last.x, last.y);
  context.stroke();
  context.setLineDash([]);
  const angle = Math.atan2(last.y - before.y, last.x - before.x);
  context.beginPath();
  context.moveTo(last.x, last.y);
  for (const turn of [-0.45, 0.45]) {
    const x = last.x - ARROW * 1.4 * Math.cos(angle + turn);
    context.lineTo(x, last.y - ARROW * 1.4 * Math.sin(angle + turn));
  }
  context.fill();
}

function drawNode(
  context: CanvasRenderingContext2D,
  scene: IGraphScene,
  node: IGraphNode,
  index: number
): void {
  const { palette, placed } = scene;
  const { x, y } = placed.layout.nodes[index];
  const isNested = node.runs.some(run => run.nested_run_id !== null);
  if (node.kind === 'group') {
    drawBox(context, palette, { x: x + 5, y: y + 5 }, isNested);
  }
  drawBox(context, palette, { x, y }, isNested);
  if (scene.scale < TEXT_SCALE) {
    context.fillStyle = palette.kinds[mainState(node)];
    context.fillRect(x + 4, y + 4, NODE_WIDTH - 8, NODE_HEIGHT - 8);
  } else {
    drawText(context, scene, node, { x, y });
  }
  const isSelected = node.kind === 'run' && node.runs[0].id === scene.selected;
  if (isSelected || index === scene.active) {
    context.strokeStyle = isSelected ? palette.text : palette.active;
    context.lineWidth = 2 / Math.min(1, scene.scale);
    context.strokeRect(x - 3, y - 3, NODE_WIDTH + 6, NODE_HEIGHT + 6);
  }
}

/** Draw the box of a node; that of a nested flow run has round ends. */
function drawBox(
  context: CanvasRenderingContext2D,
  palette: IPalette,
  { x, y }: IPoint,
  isNested: boolean
): void {
  const radius = isNested ? NODE_HEIGHT / 2 : 3;
  context.beginPath();
  context.roundRect(x, y, NODE_WIDTH, NODE_HEIGHT, radius);
  context.fillStyle = palette.background;
  context.strokeStyle = palette.mutedText;
  context.lineWidth = 1;
  context.fill();
  context.stroke();
}

/** Draw the name of a node, and its state below it: that of a task run with a note, those of a group as parts of a bar. */
function drawText(
  context: CanvasRenderingContext2D,
  scene: IGraphScene,
  node: IGraphNode,
  { x, y }: IPoint
): void {
  const { palette } = scene;
  const isNested = node.runs.some(run => run.nested_run_id !== null);
  const inset = isNested ? INSET + 7 : INSET;
  const space = NODE_WIDTH - 2 * inset;
  context.font = `12px ${palette.font}`;
  context.textAlign = 'left';
  context.fillStyle = palette.text;
  const title = shorten(context, scene.title(node), space);
  context.fillText(title, x + inset, y + 14);
  const place = { x: x + inset, y: y + 25, width: space };
  if (node.kind === 'group') {
    drawShares(context, palette, node, place);
    return;
  }
  const kind = mainState(node);
  fillBar(context, kind, { ...place, width: SWATCH_WIDTH }, palette);
  context.fillStyle = palette.text;
  const note = `${SIGNS[kind]} ${scene.note(node)}`;
  context.fillText(
    shorten(context, note, space - SWATCH_WIDTH - 6),
    place.x + SWATCH_WIDTH + 6,
    place.y + BAR_HEIGHT / 2 + 0.5
  );
}

/** Draw a bar with a part for each state, as long as its share of the runs. */
function drawShares(
  context: CanvasRenderingContext2D,
  palette: IPalette,
  { counts, runs }: IGraphNode,
  { x, y, width }: IPoint & { width: number }
): void {
  let from = x;
  const shown = [...PRECEDENCE].reverse().filter(kind => counts.has(kind));
  // Rare states, such as one failure of thousands, remain visible.
  const least = Math.min(6, width / shown.length);
  const rest = width - least * shown.length;
  for (const kind of shown) {
    const share = (counts.get(kind) ?? 0) / runs.length;
    const part = least + rest * share;
    fillBar(context, kind, { x: from, y, width: part }, palette);
    from += part;
  }
}
