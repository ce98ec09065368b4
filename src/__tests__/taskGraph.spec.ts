import type { TaskRun } from '../_api';
import { type ILayout, layOutGraph } from '../runs/graphLayout';
import { GraphPlacer } from '../runs/graphPlacer';
import {
  findAnchor,
  findNeighbor,
  GraphWindow,
  type IPlacedGraph,
  NODE_HEIGHT,
  NODE_WIDTH
} from '../runs/graphScene';
import {
  chooseGrouping,
  type ITaskGraph,
  makeTaskGraph,
  OPENED_RUNS
} from '../runs/taskGraph';
import { groupTasks } from '../runs/tasks';
import { randomNumbers, taskRun } from './taskRuns';

// Browsers have it, jsdom does not.
window.structuredClone ??= value => JSON.parse(JSON.stringify(value));

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

/** Return task runs of some tasks; each depends on earlier ones, some on others that are not known. */
function randomRuns(count: number, tasks: number, seed: number): TaskRun[] {
  const random = randomNumbers(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  return Array.from({ length: count }, (_, index) => {
    const known = index > 0 ? below(4) : 0;
    const inputs = [
      ...new Set(Array.from({ length: known }, () => `${below(index)}`)),
      ...(random() < 0.1 ? [`elsewhere-${index}`] : [])
    ];
    const caller = index > 0 && random() < 0.2 ? `${below(index)}` : null;
    const task = `task-${below(tasks)}`;
    const change = { task, inputs, input_count: inputs.length, caller };
    return taskRun(`${index}`, change);
  });
}

function graphOf(
  runs: TaskRun[],
  isGrouped: boolean,
  ...opened: string[]
): ITaskGraph {
  const choices = { isGrouped, opened: new Set(opened) };
  return makeTaskGraph(groupTasks(runs), choices);
}

function layOut({ nodes, edges }: ITaskGraph): ILayout {
  return layOutGraph({
    count: nodes.length,
    edges: edges.map(({ from, to }) => [from, to] as const),
    width: NODE_WIDTH,
    height: NODE_HEIGHT
  });
}

/** Check that nodes of one column do not overlap; columns do not, because nodes have one width. */
function expectNoOverlap({ nodes }: ILayout): void {
  const sorted = [...nodes].sort((a, b) => a.x - b.x || a.y - b.y);
  const overlapping = sorted.filter(({ x, y }, index) => {
    const next = sorted[index + 1] as (typeof nodes)[0] | undefined;
    return next && next.x - x < 1 && next.y - y < NODE_HEIGHT - 0.01;
  });
  expect(overlapping).toEqual([]);
}

describe('makeTaskGraph', () => {
  const cases = SEEDS.flatMap(seed =>
    [false, true].map(isGrouped => [seed, isGrouped] as const)
  );

  it.each(cases)(
    'has each task run and each dependency once (%i, grouped: %s)',
    (seed, isGrouped) => {
      const runs = randomRuns(150, 12, seed);
      const graph = graphOf(runs, isGrouped, 'task-1', 'task-2');
      const shown = graph.nodes.flatMap(node => node.runs.map(run => run.id));
      expect(shown.sort()).toEqual(runs.map(run => run.id).sort());
      const given = runs.map(run => run.inputs.length + (run.caller ? 1 : 0));
      const total = (values: number[]) => values.reduce((a, b) => a + b, 0);
      expect(total(graph.edges.map(edge => edge.count))).toBe(
        total(given) - total(graph.nodes.map(node => node.inner + node.outer))
      );
      const pairs = graph.edges.map(({ from, to }) => `${from} ${to}`);
      expect(new Set(pairs).size).toBe(pairs.length);
      expect(graph.edges.every(({ from, to }) => from !== to)).toBe(true);
      for (const { from, to } of graph.edges) {
        const ids = new Set(graph.nodes[from].runs.map(run => run.id));
        const users = graph.nodes[to].runs.filter(
          run => ids.has(run.caller ?? '') || run.inputs.some(id => ids.has(id))
        );
        expect(users.length).toBeGreaterThan(0);
      }
    }
  );

  it.each(cases)(
    'is laid out from left to right without overlaps (%i, grouped: %s)',
    (seed, isGrouped) => {
      const graph = graphOf(randomRuns(40, 30, seed), isGrouped);
      const layout = layOut(graph);
      expectNoOverlap(layout);
      expect(layout.edges.every(points => points.length >= 2)).toBe(true);
      if (!isGrouped) {
        for (const { from, to } of graph.edges) {
          expect(layout.nodes[from].x).toBeLessThan(layout.nodes[to].x);
        }
      }
    }
  );

  it('shows the failed runs of an opened task, and the first ones', () => {
    const runs = Array.from({ length: 480 }, (_, index) =>
      taskRun(`${index}`, index === 400 ? { state_type: 'FAILED' } : {})
    );
    const { nodes } = graphOf(runs, true, 'square');
    expect(nodes).toHaveLength(OPENED_RUNS + 1);
    expect(nodes[0].key).toBe('run 0');
    expect(nodes[OPENED_RUNS - 1].key).toBe('run 400');
    expect(nodes[OPENED_RUNS].runs).toHaveLength(480 - OPENED_RUNS);
  });

  it('groups 5,000 task runs, and has a few nodes', () => {
    const runs = Array.from({ length: 5000 }, (_, index) =>
      taskRun(`${index}`, { inputs: ['load'], input_count: 1 })
    );
    runs.push(taskRun('load', { task: 'load' }));
    const groups = groupTasks(runs);
    expect(chooseGrouping(groups).isNecessary).toBe(true);
    const { nodes, edges } = graphOf(runs, true);
    expect(nodes.map(node => node.runs.length).sort()).toEqual([1, 5000]);
    expect(edges).toMatchObject([{ count: 5000 }]);
  });

  it('is drawn without runs that are not mapped', () => {
    expect(chooseGrouping(groupTasks(randomRuns(10, 5, 1))).isDefault).toBe(
      false
    );
    const one = graphOf([taskRun('a', { inputs: ['a'] })], false);
    expect(one).toMatchObject({ nodes: [{ inner: 1 }], edges: [] });
  });

  it('reports that inputs are missing', () => {
    const cut = taskRun('a', { inputs: [], input_count: 3 });
    expect(graphOf([cut], false).isIncomplete).toBe(true);
  });
});

describe('layOutGraph', () => {
  const size = { width: NODE_WIDTH, height: NODE_HEIGHT };

  it.each([
    [
      'a cycle',
      3,
      [
        [0, 1],
        [1, 2],
        [2, 0]
      ]
    ],
    [
      'two nodes that depend on each other',
      2,
      [
        [0, 1],
        [1, 0]
      ]
    ],
    [
      'an edge to itself, and to no node',
      2,
      [
        [0, 0],
        [0, 7],
        [-1, 1]
      ]
    ],
    ['no edge', 7, []],
    ['no node', 0, []]
  ] as [string, number, [number, number][]][])(
    'places %s',
    (_, count, edges) => {
      const layout = layOutGraph({ count, edges, ...size });
      expect(layout.nodes).toHaveLength(count);
      expect(layout.edges).toHaveLength(edges.length);
      expectNoOverlap(layout);
      for (const { x, y } of layout.nodes) {
        expect(x + y).toBeGreaterThanOrEqual(0);
      }
    }
  );

  it('places a chain and a tangle of 5,000 nodes', () => {
    const random = randomNumbers(7);
    const count = 5000;
    const chain = Array.from({ length: count - 1 }, (_, index) => {
      return [index, index + 1] as const;
    });
    const tangle = Array.from({ length: 20_000 }, () => {
      const [from, to] = [random() * count, random() * count];
      return [Math.floor(from), Math.floor(to)] as const;
    });
    for (const edges of [chain, tangle, [...chain, ...tangle]]) {
      const layout = layOutGraph({ count, edges, ...size });
      expectNoOverlap(layout);
    }
  });
});

describe('the shown part of a graph', () => {
  const runs = ['a', 'b', 'c', 'd'].map((id, index) =>
    taskRun(id, { inputs: index > 0 ? ['a'] : [] })
  );

  function place(graph: ITaskGraph): IPlacedGraph {
    return { graph, layout: layOut(graph) };
  }

  it('is followed along edges by keys', () => {
    const placed = place(graphOf(runs, false));
    expect(findNeighbor(placed, null, 'ArrowRight')).toBe(0);
    const next = findNeighbor(placed, 0, 'ArrowRight');
    expect([1, 2, 3]).toContain(next);
    expect(findNeighbor(placed, next, 'ArrowLeft')).toBe(0);
    const reached = new Set([next]);
    let last = next;
    for (const key of ['ArrowUp', 'ArrowUp', 'ArrowDown', 'ArrowDown']) {
      last = findNeighbor(placed, last, key);
      reached.add(last);
    }
    expect(reached.size).toBe(3);
    expect(findNeighbor(placed, 0, 'x')).toBeNull();
  });

  it('keeps its place when the graph grows', () => {
    const before = place(graphOf(runs, false));
    const grown = [...runs, taskRun('e', { inputs: ['b'] })];
    const after = place(graphOf(grown, false));
    const anchor = findAnchor(before, after, 2, { x: 0, y: 0 });
    expect(anchor).toEqual([before.layout.nodes[2], after.layout.nodes[2]]);
  });

  it('keeps the point at which the user zooms', () => {
    const window = new GraphWindow();
    const layout = { width: 4000, height: 100 };
    const size = { width: 500, height: 300 };
    window.fit(layout, size);
    expect(window.scale).toBeGreaterThan(0.5);
    window.showAll();
    window.fit(layout, size);
    expect(window.scale).toBeLessThan(0.13);
    const point = window.toLayout({ x: 100, y: 50 });
    window.zoom(3, { x: 100, y: 50 });
    expect(window.toScreen(point).x).toBeCloseTo(100);
    expect(window.toScreen(point).y).toBeCloseTo(50);
    window.reveal({ x: 3900, y: 0 }, size);
    expect(window.toScreen({ x: 3900, y: 0 }).x).toBeLessThan(500);
  });
});

describe('GraphPlacer', () => {
  it('lays out the last of the graphs that wait, and keeps a layout while only states change', async () => {
    const asked: number[] = [];
    const worker = {
      onmessage: null as ((event: MessageEvent) => void) | null,
      onerror: null,
      terminate: jest.fn(),
      postMessage: (request: Parameters<typeof layOutGraph>[0]) => {
        asked.push(request.count);
        const data = layOutGraph(request);
        void Promise.resolve().then(() =>
          worker.onmessage?.({ data } as MessageEvent)
        );
      }
    };
    const sizes: number[] = [];
    const done = (after: IPlacedGraph) => sizes.push(after.graph.nodes.length);
    const placer = new GraphPlacer(() => worker, done);
    const runs = randomRuns(9, 3, 1);
    [2, 4, 6, 9].forEach(count =>
      placer.update(graphOf(runs.slice(0, count), false))
    );
    for (let step = 0; step < 20; step += 1) {
      await Promise.resolve();
    }
    expect(asked).toEqual([2, 9]);
    expect(sizes).toEqual([2, 9]);
    const failed = runs.map(run => ({ ...run, state_type: 'FAILED' as const }));
    placer.update(graphOf(failed, false));
    expect(asked).toHaveLength(2);
    expect(placer.placed?.graph.nodes[0].counts.has('failed')).toBe(true);
    placer.dispose();
    expect(worker.terminate).toHaveBeenCalled();
  });
});
