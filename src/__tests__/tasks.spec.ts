import { LogStore } from '../runs/log';
import { TaskRunStore } from '../runs/taskRuns';
import { groupTasks, measureProgress } from '../runs/tasks';
import { line, logs } from './fakes';
import { at, START, task, taskRun, taskRunPage } from './taskRuns';

describe('groupTasks', () => {
  it('puts the runs of a mapped task together', () => {
    const mosaic = taskRun('m', { task: 'mosaic' });
    const groups = groupTasks([
      task('a', true),
      mosaic,
      task('b', false),
      task('c', true),
      taskRun('d', { state_type: 'RUNNING', interrupted: true })
    ]);
    expect(groups.map(one => one.task)).toEqual(['square', 'mosaic']);
    expect(groups[0]).toMatchObject({ duration: 6, finished: 3 });
    expect(groups[0].counts).toEqual([
      { type: 'COMPLETED', name: 'Completed', count: 2 },
      { type: 'RUNNING', name: 'Running', count: 1 },
      { type: 'CRASHED', name: null, count: 1 }
    ]);
  });
});

describe('TaskRunStore', () => {
  it('replaces changed task runs, adds new ones, and sorts them by their start', () => {
    const store = new TaskRunStore();
    const running = { state_type: 'RUNNING', start: at(2) } as const;
    store.addPage(taskRunPage([taskRun('b', running)], { more: true }));
    expect(store.isLoaded).toBe(false);
    const first = store.items;
    const done = taskRun('b', { start: at(2), end: at(3) });
    store.addPage(taskRunPage([done, taskRun('a', { start: at(1) })]));
    expect(store.items.map(run => [run.id, run.state_type])).toEqual([
      ['a', 'COMPLETED'],
      ['b', 'COMPLETED']
    ]);
    expect(first).toHaveLength(1);
    const before = store.items;
    store.addPage(taskRunPage([]));
    expect(store.items).toBe(before);
  });

  it('starts again after a reset', () => {
    const store = new TaskRunStore();
    store.addPage(taskRunPage([taskRun('a')]));
    store.addPage(taskRunPage([taskRun('b')], { reset: true }));
    expect(store.items.map(run => run.id)).toEqual(['b']);
  });
});

describe('measureProgress', () => {
  const NOW = START + 100_000;
  const done = (id: string, duration: number) =>
    taskRun(id, { duration, start: at(1), end: at(1 + duration) });
  const running = (id: string) =>
    taskRun(id, { state_type: 'RUNNING', start: at(96), duration: 0 });
  const waiting = (id: string, taskName = 'square') =>
    taskRun(id, { state_type: 'SCHEDULED', task: taskName, duration: 0 });
  const usual = [done('a', 9), done('b', 10), done('c', 500)];

  it('estimates by the median of the finished runs of each task', () => {
    const runs = [...usual, running('d'), running('e'), waiting('f')];
    expect(measureProgress(groupTasks(runs), NOW)).toEqual({
      finished: 3,
      running: 2,
      waiting: 1,
      remaining: (6 + 6 + 500 - 490) / 2
    });
  });

  it.each([
    [
      'too few runs have finished',
      [...usual.slice(1), running('d'), waiting('e')]
    ],
    [
      'a task has not finished once',
      [...usual, running('d'), waiting('e', 'new')]
    ],
    ['nothing is running', [...usual, waiting('e')]],
    ['the number of runs is not known', [...usual, running('d')]],
    [
      'the finished runs were cached',
      [
        ...usual.map(run => ({ ...run, state_name: 'Cached' })),
        running('d'),
        waiting('e')
      ]
    ]
  ])('does not estimate if %s', (_, runs) => {
    expect(measureProgress(groupTasks(runs), NOW).remaining).toBeNull();
  });
});

describe('LogStore', () => {
  it('knows the Dask workers of task runs from the names of loggers', () => {
    const store = new LogStore();
    const logger = 'prefect.task_runs on Dask worker worker-3';
    store.addFrame(
      logs([
        line(0, { logger, task_run_id: 'a' }),
        line(1, { task_run_id: 'b' }),
        line(2, { logger })
      ])
    );
    expect([...store.workers]).toEqual([['a', 'worker-3']]);
  });
});
