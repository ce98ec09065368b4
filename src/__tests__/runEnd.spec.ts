import { Signal } from '@lumino/signaling';

import type { LogLine, RunDetail, TaskRun } from '../_api';
import { RunModel } from '../runs/run';
import type { RunsModel } from '../runs/runs';
import { failureOf } from './failures';
import { FakeStream, line, logs, run } from './fakes';
import { runDetail, task, taskRunClient } from './taskRuns';

describe('RunModel after the end of a run', () => {
  const known = { ...line(0), task_run_id: 'a' };
  const unknown = { ...line(1), task_run_id: 'b' };

  /** Return how often a run that has ended is read in ten seconds after the end of its log. */
  async function reads(
    lines: LogLine[],
    tasks: TaskRun[],
    change: Partial<RunDetail> = {}
  ): Promise<number> {
    jest.useFakeTimers({ doNotFake: ['performance'] });
    const ended = run({ state_type: 'COMPLETED', state_name: 'Completed' });
    const base = runDetail({ run: ended });
    let count = 0;
    const client = {
      ...taskRunClient(...tasks),
      run: async () => {
        count += 1;
        return { ...base, ...change };
      },
      log: async () => new Blob(),
      cancelRun: async () => ended
    };
    const frames = new FakeStream();
    const list = {
      requestedAt: 0,
      items: [],
      changed: new Signal<RunsModel, void>({} as RunsModel)
    };
    const model = new RunModel('r1', client, frames, list);
    model.watch();
    await jest.advanceTimersByTimeAsync(100);
    frames.send('logs', { ...logs(lines), ended: true });
    await jest.advanceTimersByTimeAsync(100);
    const before = count;
    await jest.advanceTimersByTimeAsync(10_000);
    model.dispose();
    jest.useRealTimers();
    return count - before;
  }

  it.each<[string, LogLine[], TaskRun[], Partial<RunDetail>]>([
    [
      'a task of the log is not recorded yet',
      [known, unknown],
      [task('a', true)],
      {}
    ],
    ['a task is still running', [known], [task('a', false)], {}],
    [
      'the traceback is missing',
      [known],
      [task('a', true)],
      {
        run: run({ state_type: 'FAILED' }),
        failure: failureOf({ traceback: null })
      }
    ]
  ])('continues to read if %s', async (_, lines, tasks, change) => {
    expect(await reads(lines, tasks, change)).toBeGreaterThan(1);
    expect(await reads(lines, tasks, { ...change, settled: true })).toBe(0);
  });

  it('stops reading when everything is loaded', async () => {
    const tasks = [task('a', true), task('c', true)];
    expect(await reads([line(3), known], tasks)).toBe(0);
  });
});
