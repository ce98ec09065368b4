import type { ILayout } from './graphLayout';
import type { ITaskGraph } from './taskGraph';

export const NODE_WIDTH = 176;
export const NODE_HEIGHT = 46;

/** Space around the graph, in pixels of the screen. */
export const PADDING = 16;
const MIN_SCALE = 0.02;
/** The smallest scale at which text is legible, which a graph has at first. */
const LEGIBLE_SCALE = 0.6;
const MAX_SCALE = 2;

/** A graph whose nodes and edges have places. */
export interface IPlacedGraph {
  graph: ITaskGraph;
  layout: ILayout;
}

export interface IPoint {
  x: number;
  y: number;
}

export interface ISize {
  width: number;
  height: number;
}

/** Return the position of the node at a point, or null. */
export function findNode(
  { layout }: IPlacedGraph,
  { x, y }: IPoint
): number | null {
  const found = layout.nodes.findIndex(
    node =>
      x >= node.x &&
      x <= node.x + NODE_WIDTH &&
      y >= node.y &&
      y <= node.y + NODE_HEIGHT
  );
  return found < 0 ? null : found;
}

/** Return the text that identifies the structure of a graph: graphs with the same one have the same layout. */
export function describeStructure({ nodes, edges }: ITaskGraph): string {
  const keys = nodes.map(node => node.key).join('\n');
  return `${keys}\n${edges.map(({ from, to }) => `${from}>${to}`).join(' ')}`;
}

/** Return the positions of the nodes on which a node depends, or of those that depend on it. */
export function findLinked(
  { edges }: ITaskGraph,
  node: number,
  side: 'before' | 'after'
): number[] {
  return edges
    .filter(edge => (side === 'before' ? edge.to : edge.from) === node)
    .map(edge => (side === 'before' ? edge.from : edge.to));
}

const DIRECTIONS: Record<string, IPoint> = {
  ArrowRight: { x: 1, y: 0 },
  ArrowLeft: { x: -1, y: 0 },
  ArrowDown: { x: 0, y: 1 },
  ArrowUp: { x: 0, y: -1 }
};

/**
 * Return the node to which a key moves the focus: along an edge to the right or left, or else to the nearest node in the
 * direction of the arrow. Null if the key does not move it.
 */
export function findNeighbor(
  placed: IPlacedGraph,
  from: number | null,
  key: string
): number | null {
  const { graph, layout } = placed;
  const last = graph.nodes.length - 1;
  const direction = DIRECTIONS[key] as IPoint | undefined;
  if (key === 'Home' || (direction && from === null)) {
    return nearestTo(layout, [...layout.nodes.keys()], { x: 0, y: 0 });
  }
  if (key === 'End') {
    return last;
  }
  if (!direction || from === null) {
    return null;
  }
  const start = layout.nodes[from];
  const side = direction.x > 0 ? 'after' : 'before';
  const linked = direction.x === 0 ? [] : findLinked(graph, from, side);
  const ahead =
    linked.length > 0 ? linked : nodesAhead(layout, from, direction);
  return nearestTo(layout, ahead, start, direction) ?? from;
}

/** Return the nodes in a direction: for up and down, those of the same column if there are any. */
function nodesAhead(
  { nodes }: ILayout,
  from: number,
  { x, y }: IPoint
): number[] {
  const start = nodes[from];
  const ahead = [...nodes.keys()].filter(
    index => (nodes[index].x - start.x) * x + (nodes[index].y - start.y) * y > 1
  );
  const column = ahead.filter(
    index => y !== 0 && Math.abs(nodes[index].x - start.x) < NODE_WIDTH / 2
  );
  return column.length > 0 ? column : ahead;
}

/** Return the node with the smallest distance; across the direction it counts double. */
function nearestTo(
  { nodes }: ILayout,
  indices: readonly number[],
  { x, y }: IPoint,
  direction: IPoint = { x: 1, y: 1 }
): number | null {
  let best: number | null = null;
  let least = Infinity;
  for (const index of indices) {
    const across = Math.abs(nodes[index].x - x) * (direction.x ? 1 : 2);
    const distance =
      across + Math.abs(nodes[index].y - y) * (direction.y ? 1 : 2);
    if (distance < least) {
      [best, least] = [index, distance];
    }
  }
  return best;
}

/** The part of a graph that is shown: at first all of it or what is legible, then what the user chose. */
export class GraphWindow {
  /** Pixels of the screen per pixel of the layout. */
  scale = 1;
  /** The place of the layout's top left corner on the screen. */
  origin: IPoint = { x: PADDING, y: PADDING };

  /** True if the shown part changes with the graph. */
  get isFitted(): boolean {
    return this.leastScale !== null;
  }

  /** Show all, whatever its scale is. */
  showAll(): void {
    this.leastScale = MIN_SCALE;
  }

  /** Fit a graph, unless the user chose the shown part. If it is too large to be legible, show its top left part. */
  fit(layout: ISize, size: ISize): void {
    if (this.leastScale === null) {
      return;
    }
    const across = (size.width - 2 * PADDING) / Math.max(1, layout.width);
    const down = (size.height - 2 * PADDING) / Math.max(1, layout.height);
    this.scale = Math.max(this.leastScale, Math.min(1, across, down));
    const center = (space: number, length: number) =>
      Math.max(PADDING, (space - length * this.scale) / 2);
    this.origin = {
      x: center(size.width, layout.width),
      y: center(size.height, layout.height)
    };
  }

  /** Change the scale so that a point of the screen keeps its place. */
  zoom(factor: number, at: IPoint): void {
    const scale = Math.max(MIN_SCALE, Math.min(MAX_SCALE, this.scale * factor));
    const ratio = scale / this.scale;
    this.origin = {
      x: at.x - (at.x - this.origin.x) * ratio,
      y: at.y - (at.y - this.origin.y) * ratio
    };
    this.scale = scale;
    this.leastScale = null;
  }

  /** Move the graph by pixels of the screen. */
  pan(right: number, down: number): void {
    this.origin = { x: this.origin.x + right, y: this.origin.y + down };
    this.leastScale = null;
  }

  /** Move as little as possible so that a node is visible. */
  reveal(node: IPoint, size: ISize): void {
    const { x, y } = this.toScreen(node);
    const right = reach(x, NODE_WIDTH * this.scale, size.width);
    const down = reach(y, NODE_HEIGHT * this.scale, size.height);
    if (right !== 0 || down !== 0) {
      this.pan(right, down);
    }
  }

  toScreen({ x, y }: IPoint): IPoint {
    return {
      x: this.origin.x + x * this.scale,
      y: this.origin.y + y * this.scale
    };
  }

  toLayout({ x, y }: IPoint): IPoint {
    return {
      x: (x - this.origin.x) / this.scale,
      y: (y - this.origin.y) / this.scale
    };
  }

  /** The smallest scale of a graph that is fitted again when it grows; null if the user chose the shown part. */
  private leastScale: number | null = LEGIBLE_SCALE;
}

/** Return the distance that moves a range into the visible one. */
function reach(from: number, length: number, space: number): number {
  const least = Math.min(0, space - PADDING - (from + length));
  return from + least < PADDING ? PADDING - from : least;
}

/** Return the position in a graph of the node of another one, or null. */
export function findSame(
  before: ITaskGraph,
  node: number | null,
  after: ITaskGraph
): number | null {
  const key = node === null ? null : before.nodes[node].key;
  const found = after.nodes.findIndex(one => one.key === key);
  return found < 0 ? null : found;
}

/**
 * Return the places in an earlier layout and in the next one of a node that both have: the preferred one, or the one next to
 * the middle. Null if they have none.
 */
export function findAnchor(
  before: IPlacedGraph,
  after: IPlacedGraph,
  preferred: number | null,
  middle: IPoint
): [IPoint, IPoint] | null {
  const keys = new Set(after.graph.nodes.map(node => node.key));
  const { nodes } = before.graph;
  const kept = [...nodes.keys()].filter(index => keys.has(nodes[index].key));
  const chosen =
    preferred !== null && keys.has(nodes[preferred].key)
      ? preferred
      : nearestTo(before.layout, kept, middle);
  const same = findSame(before.graph, chosen, after.graph);
  return chosen === null || same === null
    ? null
    : [before.layout.nodes[chosen], after.layout.nodes[same]];
}
