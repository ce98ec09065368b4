import { act, fireEvent, render, screen } from '@testing-library/react';
import React from 'react';

import type { Deployment, RunGroup, RunGroupRequest, RunPoint } from '../_api';
import { RequestFailed } from '../errors';
import { GroupRow } from '../runs/GroupRow';
import { formatResultsCell, RunGroupsModel } from '../runs/groups';
import { RunManyModel } from '../runs/runMany';
import { RunManyForm } from '../runs/RunManyForm';
import { deployment, FakeStream } from './fakes';

function group(change: Partial<RunGroup> = {}): RunGroup {
  return {
    id: 'g1',
    name: 'january',
    deployment_id: 'd1',
    deployment_name: 'tiles',
    flow_name: 'tiles',
    created: '2026-02-01T00:00:00Z',
    concurrency: 3,
    newest_first: false,
    state: 'running',
    total: 31,
    counts: { COMPLETED: 20, FAILED: 2, CRASHED: 1, RUNNING: 3, WAITING: 5 },
    varied: ['day'],
    problem: null,
    ...change
  };
}

function point(change: Partial<RunPoint> = {}): RunPoint {
  return {
    position: 1,
    parameters: { day: '2026-01-01', limit: 5 },
    state: 'COMPLETED',
    attempt: 1,
    run_id: 'r1',
    message: null,
    duration: 2,
    ...change
  };
}

describe('GroupRow', () => {
  const actions = {
    onRetryGroup: jest.fn(),
    onCancelGroup: jest.fn(),
    onInsertResults: jest.fn(),
    onOpenPoints: jest.fn(),
    onClosePoints: jest.fn(),
    onOpen: jest.fn()
  };
  const show = (change = {}, points = [point()]) =>
    render(
      <GroupRow group={group(change)} points={points} actions={actions} />
    );

  it('shows the progress as a bar and in words', () => {
    show();
    const bar = screen.getByRole('progressbar');
    expect(bar.getAttribute('aria-valuenow')).toBe('20');
    expect(bar.getAttribute('aria-valuetext')).toBe(
      '20 of 31 completed, 3 running, 5 waiting, 3 failed'
    );
    expect(screen.getByTestId('satflow-group-counts').textContent).toContain(
      '20 of 31 completed'
    );
  });

  it('offers to run failed ones again and to cancel only if there are any', () => {
    const { unmount } = show();
    fireEvent.click(screen.getByTestId('satflow-retry-group'));
    fireEvent.click(screen.getByTestId('satflow-cancel-group'));
    expect(actions.onRetryGroup).toHaveBeenCalledTimes(1);
    expect(actions.onCancelGroup).toHaveBeenCalledTimes(1);
    unmount();
    show({ state: 'completed', counts: { COMPLETED: 31 } });
    expect(screen.queryByTestId('satflow-retry-group')).toBeNull();
    expect(screen.queryByTestId('satflow-cancel-group')).toBeNull();
  });

  it('offers a cell with the results as soon as there is one', () => {
    const { unmount } = show();
    fireEvent.click(screen.getByTestId('satflow-group-results'));
    expect(actions.onInsertResults).toHaveBeenCalledTimes(1);
    unmount();
    show({ counts: { RUNNING: 31 } });
    expect(screen.queryByTestId('satflow-group-results')).toBeNull();
  });

  it.each([
    ['running', 'results(partial=True)'],
    ['completed', 'results()'],
    ['stopped', 'results(partial=True)']
  ] as const)('reads the results of a group that is %s', (state, call) => {
    expect(formatResultsCell(group({ state, name: 'a "b"' }))).toContain(
      `get_run_group("a \\"b\\"").${call}\n`
    );
  });

  it('opens to its runs, the failed ones first, with their reason', () => {
    show({}, [
      point(),
      point({ position: 2, state: 'FAILED', message: 'ValueError: no data' }),
      point({ position: 3, state: 'WAITING', run_id: null, duration: 0 })
    ]);
    fireEvent.click(screen.getByTestId('satflow-open-group'));
    expect(actions.onOpenPoints).toHaveBeenCalledTimes(1);
    const rows = screen.getAllByTestId('satflow-point');
    expect(rows.map(row => row.dataset.state)).toEqual([
      'FAILED',
      'COMPLETED',
      'WAITING'
    ]);
    expect(rows[0]?.textContent).toContain('ValueError: no data');
    expect(screen.getAllByTestId('satflow-open-point')).toHaveLength(2);
  });
});

describe('RunGroupsModel', () => {
  it('reads the points of open groups again with the list', async () => {
    const read: string[] = [];
    const client = {
      runGroups: async () => ({ groups: [group()] }),
      runGroup: async (id: string) => {
        read.push(id);
        return { group: group(), points: [point()] };
      },
      planRunGroup: jest.fn(),
      startRunGroup: jest.fn(),
      retryRunGroup: async () => group(),
      cancelRunGroup: async () => group()
    };
    const model = new RunGroupsModel(client, new FakeStream());
    await model.openPoints('g1');
    await model.retryFailed('g1');
    expect(read).toEqual(['g1', 'g1']);
    model.closePoints('g1');
    await model.cancel('g1');
    expect(read).toHaveLength(2);
    expect(model.items).toHaveLength(1);
  });
});

describe('RunManyForm', () => {
  const many = deployment({
    parameters: { limit: 5 },
    parameter_schema: {
      type: 'object',
      properties: {
        limit: { type: 'integer', position: 0 },
        day: { type: 'string', format: 'date', position: 1 },
        region: { enum: ['north', 'south'], type: 'string', position: 2 },
        code: { type: 'string', position: 3 }
      },
      required: ['day']
    }
  } as Partial<Deployment>);
  const plan = {
    name: 'tiles',
    deployment_name: 'tiles',
    flow_name: 'tiles',
    points: 31,
    duplicates: 0,
    runs: 31,
    first: [{ day: '2026-01-01' }],
    exists: false
  };
  const type = (testId: string, value: string) =>
    fireEvent.change(screen.getByTestId(testId), { target: { value } });

  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  function show(
    groups = { plan: jest.fn(async () => plan), start: jest.fn() }
  ) {
    const model = new RunManyModel(many, groups as never);
    const shown = render(<RunManyForm model={model} />);
    model.changed.connect(() =>
      shown.rerender(<RunManyForm key={Math.random()} model={model} />)
    );
    return { model, groups };
  }

  it('has inputs by the types of the parameters, and requests the plan of complete values', async () => {
    const { model, groups } = show();
    await act(async () => {
      type('satflow-over-first-day', '2026-01-01');
      await jest.advanceTimersByTimeAsync(500);
    });
    expect(groups.plan).not.toHaveBeenCalled();
    await act(async () => {
      type('satflow-over-last-day', '2026-01-31');
      fireEvent.click(screen.getByTestId('satflow-vary-region'));
    });
    await act(async () => {
      fireEvent.click(screen.getByTestId('satflow-over-region-south'));
      type('satflow-group-name', ' january ');
      await jest.advanceTimersByTimeAsync(500);
    });
    const expected: RunGroupRequest = {
      deployment: 'd1',
      name: 'january',
      over: { day: '2026-01-01..2026-01-31', region: ['south'] },
      parameters: {},
      concurrency: 4,
      newest_first: false,
      only: 'missing'
    };
    expect(groups.plan).toHaveBeenLastCalledWith(expected);
    expect(screen.getByTestId('satflow-plan').textContent).toContain('31 runs');
    expect(model.createRequest()).toEqual(expected);
  });

  it('keeps the choice of points of an existing group while the plan is determined', async () => {
    const exists = { ...plan, exists: true };
    show({ plan: jest.fn(async () => exists), start: jest.fn() });
    await act(async () => {
      type('satflow-over-first-day', '2026-01-01');
      type('satflow-over-last-day', '2026-01-31');
      await jest.advanceTimersByTimeAsync(500);
    });
    type('satflow-group-only', 'failed');
    expect(screen.getByTestId('satflow-plan').textContent).toContain(
      'Determining'
    );
    const only = screen.getByTestId('satflow-group-only') as HTMLSelectElement;
    expect(only.value).toBe('failed');
  });

  it('shows the reason of a refusal at the values', async () => {
    const body = {
      error: 'InvalidParameter',
      message: 'The range ends before it begins.',
      fix: null,
      field: 'over.day'
    };
    const refuse = jest.fn(async () => {
      throw new RequestFailed(body);
    });
    const { model } = show({ plan: refuse as never, start: refuse as never });
    await act(async () => {
      type('satflow-over-first-day', '2026-02-01');
      type('satflow-over-last-day', '2026-01-01');
      await jest.advanceTimersByTimeAsync(500);
    });
    const input = screen.getByTestId('satflow-over-first-day');
    expect(input.getAttribute('aria-invalid')).toBe('true');
    expect(await model.start()).toBe(false);
  });
});
