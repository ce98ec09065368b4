import { Signal } from '@lumino/signaling';

import type { Run } from '../_api';
import { FailedRunsWatcher } from '../runs/failedRuns';
import type { RunsModel } from '../runs/runs';
import { run } from './fakes';

class Runs {
  items: Run[] = [];
  readonly changed = new Signal<this, void>(this);
  readonly runStarted = new Signal<this, Run>(this);

  read(...items: Run[]): void {
    this.items = items;
    this.changed.emit();
  }
}

const later = () => new Date(Date.now() + 1000).toISOString();
const failed = (id: string, change: Partial<Run> = {}) =>
  run({ id, state_type: 'FAILED', end: later(), ...change });

describe('FailedRunsWatcher', () => {
  it('reports a run that fails elsewhere, once', () => {
    const [runs, reported] = [new Runs(), jest.fn()];
    const watcher = new FailedRunsWatcher(
      runs as unknown as RunsModel,
      reported
    );
    const old = failed('old', { end: '2020-01-01T00:00:00Z' });
    runs.runStarted.emit(run({ id: 'mine' }));
    runs.read(old, failed('mine'), run({ id: 'a', state_type: 'RUNNING' }));
    expect(reported).not.toHaveBeenCalled();
    runs.read(old, failed('a', { state_type: 'CRASHED' }), failed('b'));
    runs.read(old, failed('a'), failed('b'));
    expect(reported.mock.calls.map(([some]) => some.length)).toEqual([2]);
    watcher.dispose();
    runs.read(failed('c'));
    expect(reported).toHaveBeenCalledTimes(1);
  });
});
