import { fireEvent, render, screen } from '@testing-library/react';
import React from 'react';

import type { FlowsState } from '../flows/flows';
import { FlowsSection } from '../flows/FlowsSection';
import { wrong } from './failures';
import { deployment, flow } from './fakes';

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
      onInsertCell: jest.fn(),
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

  it.each([
    [[], '%register_flow tiles'],
    [[deployment({ name: 'daily' })], '%run_flow tiles/daily --follow'],
    [[deployment({ name: 'a day' })], '%run_flow "tiles/a day" --follow']
  ])('is a line of code when it is dragged', (deployments, text) => {
    show({ kind: 'listed', list }, deployments);
    const setData = jest.fn();
    const drag = new Event('dragstart', { bubbles: true });
    fireEvent(
      screen.getByText('tiles'),
      Object.assign(drag, { dataTransfer: { setData } })
    );
    expect(setData).toHaveBeenCalledWith('text/plain', text);
  });

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
    [{ kind: 'lacks-package', error: wrong() }, 'Insert cell', 'onInsertCell'],
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

  it('shows and inserts the lines that install the package', () => {
    const fix = 'Run `!python -m ensurepip` and `%pip install x` in it.';
    const actions = show({ kind: 'lacks-package', error: wrong({ fix }) });
    const lines = '!python -m ensurepip\n%pip install x';
    const { textContent } = screen.getByTestId('satflow-lacks-package');
    expect(textContent).toContain(lines);
    fireEvent.click(screen.getByRole('button', { name: 'Insert cell' }));
    expect(actions.onInsertCell).toHaveBeenCalledWith(lines);
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
