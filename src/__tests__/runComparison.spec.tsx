import { fireEvent, render, screen } from '@testing-library/react';
import React from 'react';

import { RequestFailed } from '../errors';
import {
  compareParameters,
  differs,
  RunComparison
} from '../runs/runComparison';
import { RunComparisonView } from '../runs/RunComparisonView';
import { run } from './fakes';
import { runDetail, taskRun, taskRunPage } from './taskRuns';

/** A server with two runs: the second has another parameter, a failed task and a task of its own. */
function makeComparison() {
  const before = run({ id: 'r1', name: 'owl', parameters: { n: 1, at: 'x' } });
  const after = run({
    id: 'r2',
    name: 'fox',
    version: 4,
    parameters: { at: 'x', n: 2 }
  });
  const cursors: (string | undefined)[] = [];
  const client = {
    run: async (id: string) => ({
      ...runDetail(),
      run: id === 'r1' ? before : after
    }),
    taskRuns: async (id: string, { cursor }: { cursor?: string } = {}) => {
      if (id === 'r1') {
        return taskRunPage([taskRun('t1', { task: 'tile' })]);
      }
      cursors.push(cursor);
      const failed = taskRun('t2', { task: 'tile', state_type: 'FAILED' });
      return cursor
        ? taskRunPage([taskRun('t3', { task: 'extra' })])
        : taskRunPage([failed], { cursor: 'next', more: true });
    },
    runVersion: async () => ({ number: 3, defaults: { n: 1, size: 8 } }),
    log: async (id: string) => {
      const text = `log of ${id}\nend`;
      return { text: async () => text } as Blob;
    }
  };
  const comparison = new RunComparison(['r1', 'r2'], client);
  return { comparison, client, cursors };
}

const actions = {
  onOpen: jest.fn(),
  onShowVersions: jest.fn(),
  onShowLogs: jest.fn()
};

const show = (comparison: RunComparison) =>
  render(
    <RunComparisonView
      runs={comparison.runs}
      logs={comparison.logs}
      error={comparison.error}
      isBusy={comparison.isBusy}
      actions={actions}
    />
  );

const rowOf = (name: string) =>
  document.querySelector(`tr[data-row='${name}']`) as HTMLElement;

describe('differs', () => {
  it.each([
    [1, 1, false],
    [1, '1', true],
    [null, undefined, true],
    [{ a: [1] }, { a: [1] }, false],
    [undefined, undefined, false]
  ])('compares %p with %p', (before, after, expected) => {
    expect(differs([before, after])).toBe(expected);
  });
});

describe('compareParameters', () => {
  it('lists those that differ first', () => {
    const names = compareParameters({ a: 1, b: 2 }, { a: 1, b: 3, c: 4 }).map(
      one => one.name
    );
    expect(names).toEqual(['b', 'c', 'a']);
  });
});

describe('RunComparison', () => {
  it('shows facts, parameters and tasks, and says what differs', async () => {
    const { comparison, cursors } = makeComparison();
    await comparison.load();
    show(comparison);
    expect(cursors).toEqual([undefined, 'next']);
    expect(rowOf('n').textContent).toContain('differs');
    expect(rowOf('at').textContent).not.toContain('differs');
    expect(rowOf('size').textContent).toContain('88');
    expect(rowOf('tile').textContent).toContain('1 failed');
    expect(rowOf('extra').textContent).toContain('did not run');
    fireEvent.click(screen.getByText('fox'));
    expect(actions.onOpen).toHaveBeenCalledWith(
      expect.objectContaining({ id: 'r2' })
    );
    fireEvent.click(screen.getByText('v4'));
    expect(actions.onShowVersions).toHaveBeenCalledTimes(1);
  });

  it('shows both logs when asked for', async () => {
    const { comparison } = makeComparison();
    await comparison.load();
    const { unmount } = show(comparison);
    fireEvent.click(screen.getByTestId('satflow-compare-logs'));
    expect(actions.onShowLogs).toHaveBeenCalledTimes(1);
    unmount();
    await comparison.loadLogs();
    show(comparison);
    const logs = screen.getAllByTestId('satflow-compared-log');
    expect(logs.map(one => one.textContent)).toEqual([
      'log of r1\nend',
      'log of r2\nend'
    ]);
    expect(screen.getByLabelText('Log of owl')).toBeTruthy();
  });

  it('compares the other parameters if the version cannot be read', async () => {
    const { comparison, client } = makeComparison();
    client.runVersion = () => Promise.reject(new Error('gone'));
    await comparison.load();
    show(comparison);
    expect(rowOf('n').textContent).toContain('differs');
    expect(rowOf('size')).toBeNull();
  });

  it('shows why the runs cannot be read', async () => {
    const { comparison, client } = makeComparison();
    client.run = async () => {
      const message = 'No flow run has the id r1.';
      const error = 'RunNotFound';
      throw new RequestFailed({ error, message, fix: null, field: null });
    };
    await comparison.load();
    show(comparison);
    expect(screen.getByRole('alert').textContent).toContain('No flow run');
  });
});
