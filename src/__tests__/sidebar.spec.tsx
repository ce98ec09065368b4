import { fireEvent, render, screen } from '@testing-library/react';
import React from 'react';

import type { ErrorBody } from '../_api';
import type { FlowsState } from '../flows/flows';
import { FlowsSection, INSTALL_COMMAND } from '../flows/FlowsSection';
import { formatDateTime } from '../format';
import { RunsSection } from '../runs/RunsSection';
import { deployment, flow, run } from './fakes';

const wrong = (change: Partial<ErrorBody> = {}): ErrorBody => ({
  error: 'Wrong',
  message: 'It is wrong.',
  fix: 'Do this.',
  field: null,
  ...change
});

describe('FlowsSection', () => {
  const list = {
    flows: [flow()],
    at: '2026-01-01T12:03:00Z',
    notebook: 'tiles.ipynb'
  };
  const show = (state: FlowsState, deployments = [deployment()]) => {
    const actions = {
      onNewNotebook: jest.fn(),
      onInsertExample: jest.fn(),
      onInsertInstall: jest.fn(),
      onSelectKernel: jest.fn(),
      onOpenNotebook: jest.fn(),
      onRunAllCells: jest.fn(),
      onRefresh: jest.fn(),
      onRegister: jest.fn(),
      onRun: jest.fn()
    };
    const props = { state, deployments, actions };
    render(<FlowsSection {...props} />);
    return actions;
  };

  it.each<[FlowsState, string, string]>([
    [{ kind: 'no-notebook' }, 'New notebook', 'onNewNotebook'],
    [{ kind: 'closed', path: 'a.ipynb' }, 'Open it again', 'onOpenNotebook'],
    [
      { kind: 'restarted', list: { ...list, flows: [] } },
      'Run all cells',
      'onRunAllCells'
    ],
    [
      { kind: 'not-run', list: { ...list, flows: [] } },
      'Run all cells',
      'onRunAllCells'
    ],
    [{ kind: 'no-kernel' }, 'Select kernel', 'onSelectKernel'],
    [{ kind: 'not-python', language: 'R' }, 'Change kernel', 'onSelectKernel'],
    [{ kind: 'starting' }, 'Refresh', 'onRefresh'],
    [
      { kind: 'lacks-package', error: wrong() },
      'Insert cell',
      'onInsertInstall'
    ],
    [{ kind: 'server-missing', error: wrong() }, 'Try again', 'onRefresh'],
    [{ kind: 'failed', error: wrong() }, 'Try again', 'onRefresh'],
    [
      { kind: 'listed', list: { ...list, flows: [] } },
      'Insert an example',
      'onInsertExample'
    ]
  ])('is never blank: %j', (state, label, action) => {
    const actions = show(state);
    fireEvent.click(screen.getByRole('button', { name: label }));
    expect(actions[action as keyof typeof actions]).toHaveBeenCalledTimes(1);
  });

  it('shows the command that installs the package', () => {
    show({ kind: 'lacks-package', error: wrong() });
    expect(screen.getByText(INSTALL_COMMAND)).toBeTruthy();
  });

  it('shows a flow with its drift, and what can be done with it', () => {
    const actions = show({ kind: 'listed', list });
    expect(screen.getByTestId('satflow-drift').textContent).toBe(
      'registered v3'
    );
    fireEvent.click(screen.getByRole('button', { name: 'Register tiles' }));
    fireEvent.click(screen.getByRole('button', { name: 'Run tiles' }));
    expect(actions.onRegister).toHaveBeenCalledWith(flow());
    expect(actions.onRun).toHaveBeenCalledWith(flow(), [deployment()]);
  });

  it.each([
    ['another notebook', deployment({ notebook: 'other.ipynb' })],
    ['an unknown notebook', deployment({ notebook: null, fingerprint: null })]
  ])('runs and compares with nothing that %s registered', (_, other) => {
    const actions = show({ kind: 'listed', list }, [other]);
    expect(screen.getByTestId('satflow-drift').textContent).toBe('new');
    fireEvent.click(screen.getByRole('button', { name: 'Run tiles' }));
    expect(actions.onRun).toHaveBeenCalledWith(flow(), []);
  });

  it('names the deployment that it compares with, and offers all to run', () => {
    const older = deployment({
      id: 'd2',
      registered_at: '2025-01-01T00:00:00Z'
    });
    const nightly = deployment({ name: 'nightly', fingerprint: 'f0' });
    const actions = show({ kind: 'listed', list }, [older, nightly]);
    expect(screen.getByTestId('satflow-drift').textContent).toBe(
      'nightly: changed since v3'
    );
    fireEvent.click(screen.getByRole('button', { name: 'Run tiles' }));
    expect(actions.onRun).toHaveBeenCalledWith(flow(), [nightly, older]);
  });

  it('keeps the list of a busy kernel, with its time', () => {
    show({ kind: 'busy', list });
    expect(screen.getByRole('status').textContent).toMatch(/Listed at .*03/);
    expect(screen.getByTestId('satflow-flow')).toBeTruthy();
  });

  it('shows a message if a busy kernel has no list yet', () => {
    show({ kind: 'busy', list: null });
    expect(screen.getByTestId('satflow-kernel-busy')).toBeTruthy();
  });
});

describe('RunsSection', () => {
  const actions = {
    onFilter: jest.fn(),
    onOpen: jest.fn(),
    onCancel: jest.fn(),
    onRunAgain: jest.fn(),
    onShowFlows: jest.fn(),
    onRunDeployment: jest.fn(),
    onRunMany: jest.fn(),
    onRetryGroup: jest.fn(),
    onCancelGroup: jest.fn(),
    onInsertResults: jest.fn(),
    onOpenPoints: jest.fn(),
    onClosePoints: jest.fn(),
    onPause: jest.fn(),
    onVersions: jest.fn(),
    onDelete: jest.fn()
  };
  const props = {
    runs: [run()],
    isLoaded: true,
    error: null,
    deploymentsError: null,
    groups: [],
    groupsError: null,
    pointsOf: () => undefined,
    deployments: [deployment()],
    filter: {},
    actions
  };

  it('shows state as icon and word, the last line and why a run waits', () => {
    const waiting = run({
      state_type: 'SCHEDULED',
      state_name: 'Late',
      last_line: '\u001b[32mgreen\u001b[0m',
      why_waiting: 'No Prefect worker polls team.'
    });
    render(<RunsSection {...props} runs={[waiting]} />);
    const state = screen.getByTestId('satflow-state');
    expect(state.textContent).toContain('Late');
    expect(state.querySelector('svg')).toBeTruthy();
    expect(screen.getByText('green')).toBeTruthy();
    expect(screen.getByTestId('satflow-why').textContent).toContain('team');
  });

  it('opens, cancels and runs again', () => {
    render(<RunsSection {...props} />);
    fireEvent.click(screen.getByTestId('satflow-open-run'));
    fireEvent.click(screen.getByTestId('satflow-cancel-run'));
    fireEvent.click(screen.getByTestId('satflow-run-again'));
    expect(actions.onOpen).toHaveBeenCalledWith(run());
    expect(actions.onCancel).toHaveBeenCalledWith(run());
    expect(actions.onRunAgain).toHaveBeenCalledWith(run());
  });

  it('offers no cancelling of what has ended', () => {
    render(<RunsSection {...props} runs={[run({ state_type: 'FAILED' })]} />);
    expect(screen.queryByTestId('satflow-cancel-run')).toBeNull();
  });

  it('filters by state', () => {
    render(<RunsSection {...props} />);
    const select = screen.getByLabelText('Filter by state');
    fireEvent.change(select, { target: { value: 'FAILED' } });
    expect(actions.onFilter).toHaveBeenCalledWith({ state_type: 'FAILED' });
  });

  it('goes back to all, with nothing left of the filter', () => {
    const filter = { state_type: 'FAILED', deployment_id: 'd1' } as const;
    render(<RunsSection {...props} filter={filter} />);
    const state = screen.getByLabelText('Filter by state');
    fireEvent.change(state, { target: { value: '' } });
    const named = screen.getByLabelText('Filter by deployment');
    fireEvent.change(named, { target: { value: '' } });
    const filters = actions.onFilter.mock.calls.slice(-2).map(([one]) => one);
    expect(filters).toStrictEqual([
      { deployment_id: 'd1' },
      { state_type: 'FAILED' }
    ]);
  });

  it('shows why the runs could not be read between their filter and their list', () => {
    const error = wrong();
    const deployments = Array.from({ length: 30 }, (_, number) =>
      deployment({ id: `d${number}` })
    );
    render(<RunsSection {...props} error={error} deployments={deployments} />);
    const note = screen.getByRole('alert');
    const filter = screen
      .getByLabelText('Filter by state')
      .closest('.jp-Satflow-filters');
    expect(note.previousElementSibling).toBe(filter);
    expect(note.nextElementSibling).toBe(screen.getByTestId('satflow-runs'));
  });

  it('shows an error of both lists once', () => {
    const error = wrong();
    render(<RunsSection {...props} error={error} deploymentsError={error} />);
    expect(screen.getAllByRole('alert')).toHaveLength(1);
  });

  it('pauses and resumes a schedule', () => {
    const schedule = {
      kind: 'cron',
      cron: '0 6 * * *',
      timezone: 'UTC',
      name: null,
      parameters: {},
      active: true
    } as const;
    const scheduled = deployment({ schedules: [schedule] });
    const shown = render(<RunsSection {...props} deployments={[scheduled]} />);
    fireEvent.click(screen.getByTestId('satflow-pause'));
    expect(actions.onPause).toHaveBeenCalledWith(scheduled, true);
    const paused = { ...scheduled, paused: true };
    shown.rerender(<RunsSection {...props} deployments={[paused]} />);
    fireEvent.click(screen.getByTestId('satflow-resume'));
    expect(actions.onPause).toHaveBeenCalledWith(paused, false);
  });

  it('shows changes in Prefect', () => {
    const drift = [{ name: 'tags', before: 'a', after: null }];
    render(<RunsSection {...props} deployments={[deployment({ drift })]} />);
    expect(screen.getByText('Changed in Prefect (1)')).toBeTruthy();
    expect(screen.getByText('not set')).toBeTruthy();
  });

  it('shows the next run in the zone of its schedule and in local time', () => {
    const schedule = {
      kind: 'cron',
      cron: '30 6 * * *',
      timezone: 'Asia/Kathmandu',
      name: null,
      parameters: {},
      active: true
    } as const;
    const next_runs = ['2026-01-02T00:45:00Z'];
    const scheduled = deployment({ schedules: [schedule], next_runs });
    render(<RunsSection {...props} deployments={[scheduled]} />);
    const words = screen.getByTestId('satflow-next-run');
    expect(words.textContent).toMatch(/06:30, Asia\/Kathmandu/);
    expect(words.querySelector('time')?.title).toContain(
      formatDateTime(next_runs[0])
    );
  });

  it('shows the usage of the worker size in the last runs', () => {
    const needed = 'peak 2.1 of 16 GiB over 3 runs: medium is enough';
    render(<RunsSection {...props} deployments={[deployment({ needed })]} />);
    expect(screen.getByTestId('satflow-needed').textContent).toBe(needed);
  });

  it('is never blank', () => {
    const shown = render(<RunsSection {...props} runs={[]} />);
    fireEvent.click(screen.getByRole('button', { name: 'Show flows' }));
    expect(actions.onShowFlows).toHaveBeenCalled();
    shown.rerender(
      <RunsSection {...props} runs={[]} filter={{ state_type: 'FAILED' }} />
    );
    fireEvent.click(screen.getByRole('button', { name: 'Show all runs' }));
    expect(actions.onFilter).toHaveBeenCalledWith({});
    shown.rerender(<RunsSection {...props} runs={[]} isLoaded={false} />);
    expect(screen.getByTestId('satflow-runs-loading')).toBeTruthy();
  });
});
