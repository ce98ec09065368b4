import { graphlib, layout } from '@dagrejs/dagre';

/** A graph to be laid out: its nodes have one size, and its edges are pairs of positions of nodes. */
export interface ILayoutRequest {
  count: number;
  edges: readonly (readonly [number, number])[];
  width: number;
  height: number;
}

/** Places in pixels from the top left corner. */
export interface ILayout {
  /** The top left corners of the nodes. */
  nodes: { x: number; y: number }[];
  /** The points of each edge, from its first to its second node. */
  edges: { x: number; y: number }[][];
  width: number;
  height: number;
}

/** Space between nodes that depend on each other, and between others. */
const RANK_SPACE = 56;
const NODE_SPACE = 14;
/** Number of nodes and edges from which the order within a column is not optimized, which would take seconds. */
const MAX_OPTIMIZED = 1200;
/** Number of columns of nodes without dependencies. */
const MIN_COLUMNS = 4;

/**
 * Lay out a graph in columns from left to right, so that edges lead to the right. Nodes without edges follow below, in rows.
 * Edges that close a cycle lead back: of correct data there are none between task runs, but there can be between tasks.
 */
export function layOutGraph(request: ILayoutRequest): ILayout {
  const { count, edges, width, height } = request;
  const isValid = ([from, to]: readonly [number, number]) =>
    from !== to && Math.max(from, to) < count && Math.min(from, to) >= 0;
  const valid = edges.map(edge => isValid(edge));
  const linked = new Set(edges.filter((_, index) => valid[index]).flat());
  const forward = directForward(
    count,
    edges.map((edge, index) => (valid[index] ? edge : null))
  );
  const isLarge = linked.size + edges.length > MAX_OPTIMIZED;
  const place = isLarge ? placeInColumns : placeWithDagre;
  const placed = place(request, [...linked], forward);
  const result: ILayout = { ...placed, nodes: placed.nodes };
  const rest = Array.from({ length: count }, (_, index) => index).filter(
    index => !linked.has(index)
  );
  const columns = Math.max(
    Math.floor((result.width + RANK_SPACE) / (width + NODE_SPACE)),
    Math.min(rest.length, MIN_COLUMNS),
    Math.ceil(Math.sqrt(rest.length / 2))
  );
  const top = result.height > 0 ? result.height + RANK_SPACE / 2 : 0;
  rest.forEach((index, position) => {
    const [row, column] = [Math.floor(position / columns), position % columns];
    const x = column * (width + NODE_SPACE);
    const y = top + row * (height + NODE_SPACE);
    result.nodes[index] = { x, y };
    result.width = Math.max(result.width, x + width);
    result.height = Math.max(result.height, y + height);
  });
  return result;
}

/** An edge in the direction in which it is drawn; `isBack` if that is not its own. Null for an edge that is not drawn. */
type ForwardEdge = { from: number; to: number; isBack: boolean } | null;

/** Turn the edges that close a cycle around, found by a depth-first search without recursion. */
function directForward(
  count: number,
  edges: readonly (readonly [number, number] | null)[]
): ForwardEdge[] {
  const outgoing: number[][] = Array.from({ length: count }, () => []);
  edges.forEach((edge, index) => edge && outgoing[edge[0]].push(index));
  const isBack = new Array<boolean>(edges.length).fill(false);
  const state = new Uint8Array(count); // 1: on the path, 2: done
  const next = new Uint32Array(count);
  for (let start = 0; start < count; start += 1) {
    const path = state[start] === 0 ? [start] : [];
    state[start] ||= 1;
    while (path.length > 0) {
      const node = path[path.length - 1];
      const index = outgoing[node][next[node]++];
      const to = index === undefined ? null : (edges[index]?.[1] ?? null);
      if (to === null) {
        state[node] = 2;
        path.pop();
      } else if (state[to] === 0) {
        state[to] = 1;
        path.push(to);
      } else {
        isBack[index] = state[to] === 1;
      }
    }
  }
  return edges.map((edge, index) => {
    if (!edge) {
      return null;
    }
    const [from, to] = isBack[index] ? [edge[1], edge[0]] : edge;
    return { from, to, isBack: isBack[index] };
  });
}

/** Lay out with few crossings of edges. */
function placeWithDagre(
  { count, width, height }: ILayoutRequest,
  linked: readonly number[],
  edges: readonly ForwardEdge[]
): ILayout {
  const result: ILayout = {
    nodes: new Array(count).fill({ x: 0, y: 0 }),
    edges: edges.map(() => []),
    width: 0,
    height: 0
  };
  if (linked.length === 0) {
    return result;
  }
  const graph = new graphlib.Graph();
  graph.setGraph({
    rankdir: 'LR',
    ranker: 'tight-tree',
    nodesep: NODE_SPACE,
    edgesep: NODE_SPACE,
    ranksep: RANK_SPACE
  });
  [...linked]
    .sort((a, b) => a - b)
    .forEach(index => graph.setNode(`${index}`, { width, height }));
  edges.forEach(
    edge => edge && graph.setEdge(`${edge.from}`, `${edge.to}`, {})
  );
  layout(graph);
  for (const index of linked) {
    const { x, y } = graph.node(`${index}`);
    result.nodes[index] = { x: x - width / 2, y: y - height / 2 };
    result.width = Math.max(result.width, x + width / 2);
    result.height = Math.max(result.height, y + height / 2);
  }
  edges.forEach((edge, index) => {
    if (edge) {
      const { points } = graph.edge(`${edge.from}`, `${edge.to}`);
      const path: { x: number; y: number }[] = points ?? [];
      result.edges[index] = edge.isBack ? [...path].reverse() : path;
    }
  });
  return result;
}

/** Lay out in time that grows with the number of nodes and edges only: each node below the previous one of its column. */
function placeInColumns(
  { count, width, height }: ILayoutRequest,
  linked: readonly number[],
  edges: readonly ForwardEdge[]
): ILayout {
  const ranks = rankNodes(count, edges);
  const heights: number[] = [];
  const nodes = new Array(count).fill({ x: 0, y: 0 });
  for (const index of [...linked].sort((a, b) => a - b)) {
    const rank = ranks[index];
    const y = heights[rank] ?? 0;
    nodes[index] = { x: rank * (width + RANK_SPACE), y };
    heights[rank] = y + height + NODE_SPACE;
  }
  const paths = edges.map(edge => {
    if (!edge) {
      return [];
    }
    const [from, to] = [nodes[edge.from], nodes[edge.to]];
    const path = [
      { x: from.x + width, y: from.y + height / 2 },
      { x: to.x, y: to.y + height / 2 }
    ];
    return edge.isBack ? path.reverse() : path;
  });
  return {
    nodes,
    edges: paths,
    width: heights.length * (width + RANK_SPACE) - RANK_SPACE,
    height: heights.reduce((a, b) => Math.max(a, b), 0) - NODE_SPACE
  };
}

/** Return the column of each node: one more than that of the last node on which it depends. */
function rankNodes(count: number, edges: readonly ForwardEdge[]): Uint32Array {
  const ranks = new Uint32Array(count);
  const waiting = new Uint32Array(count);
  const outgoing: number[][] = Array.from({ length: count }, () => []);
  for (const edge of edges) {
    if (edge) {
      outgoing[edge.from].push(edge.to);
      waiting[edge.to] += 1;
    }
  }
  const ready = [...ranks.keys()].filter(index => waiting[index] === 0);
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    for (const to of outgoing[node]) {
      ranks[to] = Math.max(ranks[to], ranks[node] + 1);
      waiting[to] -= 1;
      if (waiting[to] === 0) {
        ready.push(to);
      }
    }
  }
  return ranks;
}
