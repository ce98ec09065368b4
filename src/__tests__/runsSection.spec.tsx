import { fireEvent, render, screen } from '@testing-library/react';
import React from 'react';

import { RunsSection } from '../runs/RunsSection';
import { wrong } from './failures';
import { deployment, run } from './fakes';

describe('RunsSection', () => {
  const actions = {
    onFilter: jest.fn(),
    onLoadMore: jest.fn(),
    onOpen: jest.fn(),
    onCancel: jest.fn(),
    onRunAgain: jest.fn(),
    onShowFlows: jest.fn(),
    onOpenRunsPage: jest.fn(),
    onRetryGroup: jest.fn(),
    onCancelGroup: jest.fn(),
    onInsertResults: jest.fn(),
    onOpenPoints: jest.fn(),
    onClosePoints: jest.fn()
  };
  const props = {
    runs: [run()],
    isLoaded: true,
    hasMore: false,
    error: null,
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

  it('searches by name and offers older runs', () => {
    const { rerender } = render(<RunsSection {...props} />);
    const search = screen.getByLabelText('Search by run name');
    fireEvent.change(search, { target: { value: 'owl' } });
    expect(actions.onFilter).toHaveBeenLastCalledWith({ name: 'owl' });
    expect(screen.queryByTestId('satflow-older-runs')).toBeNull();
    rerender(<RunsSection {...props} hasMore={true} />);
    fireEvent.click(screen.getByTestId('satflow-older-runs'));
    expect(actions.onLoadMore).toHaveBeenCalledTimes(1);
    rerender(<RunsSection {...props} runs={[]} filter={{ name: 'owl' }} />);
    expect(screen.getByTestId('satflow-no-matching-runs')).toBeTruthy();
    expect(screen.getByLabelText('Search by run name')).toBeTruthy();
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
    render(<RunsSection {...props} error={error} groupsError={error} />);
    expect(screen.getAllByRole('alert')).toHaveLength(1);
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
