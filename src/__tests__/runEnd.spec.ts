import { Signal } from '@lumino/signaling';

import type { LogLine, RunDetail } from '../_api';
import { RunModel } from '../runs/run';
import type { RunsModel } from '../runs/runs';
import { failureOf } from './failures';
import { FakeStream, line, logs, run } from './fakes';
import { task } from './taskRuns';

describe('RunModel after the end of a run', () => {
  const known = { ...line(0), task_run_id: 'a' };
  const unknown = { ...line(1), task_run_id: 'b' };

  /** Return how often a run that has ended is read in ten seconds after the end of its log. */
  async function reads(
    lines: LogLine[],
    change: Partial<RunDetail>
  ): Promise<number> {
    jest.useFakeTimers({ doNotFake: ['performance'] });
    const ended = run({ state_type: 'COMPLETED', state_name: 'Completed' });
    const base = { run: ended, tasks: [], failure: null, artifacts: [] };
    let count = 0;
    const client = {
      run: async () => {
        count += 1;
        return { ...base, settled: false, version: null, ...change };
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

  it.each<[string, LogLine[], Partial<RunDetail>]>([
    ['a task of the log is not recorded yet', [known, unknown], {}],
    ['a task is still running', [known], { tasks: [task('a', false)] }],
    [
      'the traceback is missing',
      [known],
      {
        run: run({ state_type: 'FAILED' }),
        tasks: [task('a', true)],
        failure: failureOf({ traceback: null })
      }
    ]
  ])('continues to read if %s', async (_, lines, change) => {
    expect(await reads(lines, change)).toBeGreaterThan(1);
    expect(await reads(lines, { ...change, settled: true })).toBe(0);
  });

  it('stops reading when everything is loaded', async () => {
    const tasks = [task('a', true), task('c', true)];
    expect(await reads([line(3), known], { tasks })).toBe(0);
  });
});
