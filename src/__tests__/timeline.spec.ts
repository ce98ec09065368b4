import type { TaskRun } from '../_api';
import { groupTasks } from '../runs/tasks';
import {
  fitRange,
  formatTick,
  makeTicks,
  MIN_SPAN,
  panRange,
  TimeWindow,
  zoomRange
} from '../runs/timeAxis';
import {
  findBounds,
  firstBarAfter,
  type IBar,
  makeTaskRows,
  makeWorkerRows,
  measureProfile,
  packLanes,
  placeBar,
  placeBars
} from '../runs/timelineRows';
import { at, randomNumbers, START, taskRun } from './taskRuns';

const STATES: Partial<TaskRun>[] = [
  { state_type: 'COMPLETED', state_name: 'Completed' },
  { state_type: 'COMPLETED', state_name: 'Cached' },
  { state_type: 'FAILED', state_name: 'Failed' },
  { state_type: 'CRASHED', state_name: 'Crashed' },
  { state_type: 'CANCELLED', state_name: 'Cancelled' }
];

/** Return task runs with all states and all kinds of times: overlapping, without length, never started, skewed clocks. */
function someRuns(count: number, seed: number): TaskRun[] {
  const random = randomNumbers(seed);
  const pick = <T>(values: T[]) => values[Math.floor(random() * values.length)];
  return Array.from({ length: count }, (_, index) => {
    const start = random() * 1000;
    const length = pick([0, 0.001, random() * 30, -random() * 5]);
    const base = { task: pick(['load', 'tile', 'mosaic']) };
    const expected = at(start - random());
    const change = pick<Partial<TaskRun>>([
      { ...pick(STATES), start: at(start), end: at(start + length) },
      { state_type: 'RUNNING', state_name: 'Running', start: at(start) },
      { state_type: 'RUNNING', start: at(start), interrupted: true },
      { state_type: 'PENDING', state_name: 'Pending' },
      { ...pick(STATES), end: at(start) },
      { state_type: 'SCHEDULED', state_name: 'AwaitingRetry', attempts: 2 }
    ]);
    return taskRun(`${index}`, {
      expected_start: expected,
      ...base,
      ...change
    });
  });
}

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const NOW = START + 1_000_000;
const END = START + 1_100_000;

describe('placeBar', () => {
  it.each(SEEDS)('gives every bar a length of at least zero (%i)', seed => {
    for (const run of someRuns(300, seed)) {
      const bar = placeBar(run, END);
      expect(bar).not.toBeNull();
      expect(bar?.to ?? Infinity).toBeGreaterThanOrEqual(bar?.from ?? Infinity);
    }
  });

  const started = { start: at(10) };

  it.each<[string, Partial<TaskRun>, string, number, number | null]>([
    ['completed', { ...started, end: at(12) }, 'completed', 10, 12],
    ['without length', { ...started, end: at(10) }, 'completed', 10, 10],
    [
      'of a clock that is behind',
      { ...started, end: at(7) },
      'completed',
      10,
      10
    ],
    ['running', { ...started, state_type: 'RUNNING' }, 'running', 10, null],
    ['cached', { state_name: 'Cached', end: at(5) }, 'cached', 5, 5],
    [
      'interrupted',
      { ...started, state_type: 'RUNNING', interrupted: true },
      'crashed',
      10,
      1100
    ],
    [
      'cancelled before its start',
      { state_type: 'CANCELLED', expected_start: at(3), end: at(4) },
      'cancelled',
      4,
      4
    ],
    [
      'waiting for its second attempt',
      { ...started, state_type: 'SCHEDULED', attempts: 1 },
      'waiting',
      10,
      null
    ]
  ])('shows a task run %s', (_, change, kind, from, to) => {
    expect(placeBar(taskRun('a', change), END)).toMatchObject({
      kind,
      from: START + from * 1000,
      to: to === null ? null : START + to * 1000
    });
  });

  it('shows nothing without any time', () => {
    const pending = taskRun('a', { state_type: 'PENDING' });
    expect(placeBar(pending, null)).toBeNull();
    expect(makeTaskRows(groupTasks([pending]), new Set(), null)).toHaveLength(
      1
    );
  });
});

describe('packLanes', () => {
  const overlaps = (a: IBar, b: IBar) =>
    a.from < (b.to ?? Infinity) && b.from < (a.to ?? Infinity);

  it.each(SEEDS)('uses as many lanes as bars overlap (%i)', seed => {
    const bars = placeBars(someRuns(200, seed), END);
    const lanes = packLanes(bars);
    expect(lanes.flat()).toHaveLength(bars.length);
    for (const lane of lanes) {
      const pairs = lane.slice(1).map((bar, index) => [lane[index], bar]);
      expect(pairs.some(([before, bar]) => overlaps(before, bar))).toBe(false);
    }
    expect(lanes.length).toBeGreaterThanOrEqual(measureProfile(bars).peak);
  });

  it('sorts workers by their numbers, unknown ones last', () => {
    const runs = ['a', 'b', 'c', 'd'].map((id, index) =>
      taskRun(id, { start: at(index), end: at(index + 2) })
    );
    const workers = new Map([
      ['a', 'worker-10'],
      ['b', 'worker-9'],
      ['c', 'worker-10']
    ]);
    const rows = makeWorkerRows(runs, workers, 'unknown', null);
    const labels = rows.map(row => [row.label, row.bars.length]);
    expect(labels).toEqual([
      ['worker-9', 1],
      ['worker-10', 2],
      ['unknown', 1]
    ]);
  });
});

describe('measureProfile', () => {
  it.each(SEEDS)('counts what a comparison of all bars counts (%i)', seed => {
    const all = placeBars(someRuns(150, seed), END);
    const bars = all.filter(bar => bar.kind !== 'waiting');
    const { times, counts, peak } = measureProfile(all);
    times.forEach((time, index) => {
      const count = bars.filter(
        bar => bar.from <= time && (bar.to ?? Infinity) > time
      ).length;
      expect(counts[index]).toBe(count);
    });
    expect(peak).toBe(Math.max(...counts));
  });
});

describe('firstBarAfter', () => {
  it.each(SEEDS)('finds it in each lane (%i)', seed => {
    const random = randomNumbers(seed);
    for (const lane of packLanes(placeBars(someRuns(100, seed), END))) {
      const time = START + random() * 1_000_000;
      const found = lane.findIndex(bar => (bar.to ?? Infinity) >= time);
      expect(firstBarAfter(lane, time)).toBe(found < 0 ? lane.length : found);
    }
  });
});

describe('makeTaskRows', () => {
  it('has one row for a mapped task, and all of its runs when it is open', () => {
    const runs = Array.from({ length: 5000 }, (_, index) =>
      taskRun(`${index}`, { start: at(index / 100), end: at(index / 100 + 1) })
    );
    const single = taskRun('load', { task: 'load', start: at(0), end: at(1) });
    const groups = groupTasks([single, ...runs]);
    const closed = makeTaskRows(groups, new Set(), null);
    expect(closed.map(row => row.kind)).toEqual(['run', 'group']);
    expect(closed[1].bars).toHaveLength(5000);
    const open = makeTaskRows(groups, new Set(['square']), null);
    expect(open).toHaveLength(1 + 1 + 5000);
    expect(open.filter(row => row.isChild)).toHaveLength(5000);
    expect(findBounds(open, NOW)).toEqual({ from: START, to: START + 50_990 });
  });

  it.each(SEEDS)('shows each task run once, closed or open (%i)', seed => {
    const groups = groupTasks(someRuns(100, seed));
    const names = new Set(groups.map(group => group.task));
    for (const opened of [new Set<string>(), names]) {
      const rows = makeTaskRows(groups, opened, END);
      const ids = rows
        .filter(row => row.kind === (opened.size ? 'run' : 'group'))
        .flatMap(row => row.bars.map(bar => bar.run.id));
      expect(new Set(ids).size).toBe(100);
      expect(ids).toHaveLength(100);
    }
  });
});

describe('the range of time', () => {
  const bounds = { from: START, to: START + 60_000 };
  const whole = fitRange(bounds);

  it.each(SEEDS)(
    'stays within the bounds, whatever the user does (%i)',
    seed => {
      const random = randomNumbers(seed);
      let range = whole;
      for (let step = 0; step < 200; step += 1) {
        const time = range.from + random() * (range.to - range.from);
        range =
          random() < 0.5
            ? zoomRange(range, bounds, time, random() * 2 + 0.01)
            : panRange(range, bounds, (random() - 0.5) * 100_000);
        expect(range.from).toBeGreaterThanOrEqual(whole.from - 1e-3);
        expect(range.to).toBeLessThanOrEqual(whole.to + 1e-3);
        expect(range.to - range.from).toBeGreaterThanOrEqual(MIN_SPAN - 1e-3);
      }
    }
  );

  it('keeps the time at the pointer in its place', () => {
    const time = START + 20_000;
    const share = (range: typeof whole) =>
      (time - range.from) / (range.to - range.from);
    const range = zoomRange(whole, bounds, time, 0.1);
    expect(share(range)).toBeCloseTo(share(whole), 6);
  });

  it('is zoomed around its middle if the focus is outside of it', () => {
    const [zoomed, other] = [new TimeWindow(), new TimeWindow()];
    zoomed.zoom(bounds, 0.1, whole.to + 1);
    other.zoom(bounds, 0.1);
    expect(zoomed.range(bounds)).toEqual(other.range(bounds));
  });

  it('has an extent even if all bars are at one time', () => {
    const range = fitRange({ from: START, to: START });
    expect(range.to - range.from).toBeGreaterThanOrEqual(MIN_SPAN);
  });

  it.each([0.5, 3, 40, 900, 40_000, 86_400 * 400])(
    'has readable ticks for %d seconds',
    seconds => {
      const range = { from: START + 123, to: START + 123 + seconds * 1000 };
      const { times, step } = makeTicks(range, 10);
      expect(times.length).toBeGreaterThanOrEqual(2);
      expect(times.length).toBeLessThanOrEqual(11);
      const labels = times.map(time => formatTick(time, step));
      expect(new Set(labels).size).toBeGreaterThan(1);
    }
  );
});
