import { fireEvent, render, screen } from '@testing-library/react';
import React from 'react';

import type { RecentRun } from '../_api';
import { formatDateTime } from '../format';
import {
  DeploymentsSection,
  PAGE_SIZE,
  sortDeployments
} from '../runs/DeploymentsSection';
import { RecentRunsModel } from '../runs/recentRuns';
import { RunsModel } from '../runs/runs';
import { deployment, FakeStream, run } from './fakes';

const recent = (id: string, change: Partial<RecentRun> = {}): RecentRun => ({
  id,
  name: `run ${id}`,
  state_type: 'COMPLETED',
  state_name: 'Completed',
  start: '2026-01-01T00:00:00Z',
  ...change
});

describe('the deployments section', () => {
  const actions = {
    onOpen: jest.fn(),
    onShowFlows: jest.fn(),
    onRunDeployment: jest.fn(),
    onRunMany: jest.fn(),
    onPause: jest.fn(),
    onVersions: jest.fn(),
    onDelete: jest.fn()
  };
  const props = {
    deployments: [deployment()],
    error: null,
    recentRuns: (): RecentRun[] => [],
    onShown: jest.fn(),
    actions
  };
  const names = () =>
    screen
      .queryAllByTestId('satflow-deployment')
      .map(row => row.dataset.deployment);
  const three = [
    deployment({ id: 'a', name: 'alpha', tags: ['nightly'], notebook: null }),
    deployment({ id: 'b', name: 'beta', flow_name: 'other' }),
    deployment({ id: 'c', name: 'gamma', tags: ['nightly', 'big'] })
  ];

  it('searches names of deployments, flows and notebooks', () => {
    render(<DeploymentsSection {...props} deployments={three} />);
    const search = screen.getByTestId('satflow-search-deployments');
    fireEvent.change(search, { target: { value: ' OTHER' } });
    expect(names()).toEqual(['beta']);
    fireEvent.change(search, { target: { value: 'tiles.ipynb' } });
    expect(names()).toEqual(['beta', 'gamma']);
    fireEvent.change(search, { target: { value: 'nothing' } });
    fireEvent.click(screen.getByText('Show all deployments'));
    expect(names()).toHaveLength(3);
  });

  it('filters by tag', () => {
    render(<DeploymentsSection {...props} deployments={three} />);
    fireEvent.change(screen.getByLabelText('Filter by tag'), {
      target: { value: 'nightly' }
    });
    expect(names()).toEqual(['alpha', 'gamma']);
  });

  it('filters by the tag of a deployment that is clicked', () => {
    render(<DeploymentsSection {...props} deployments={three} />);
    fireEvent.click(screen.getByRole('button', { name: 'big' }));
    expect(names()).toEqual(['gamma']);
    const filter = screen.getByLabelText('Filter by tag');
    expect((filter as HTMLSelectElement).value).toBe('big');
  });

  it('draws a part of many, and reports which', () => {
    const many = Array.from({ length: 45 }, (_, n) =>
      deployment({ id: `d${n}`, name: `d${n}` })
    );
    render(<DeploymentsSection {...props} deployments={many} />);
    expect(names()).toHaveLength(PAGE_SIZE);
    expect(props.onShown).toHaveBeenLastCalledWith(
      many.slice(0, PAGE_SIZE).map(one => one.id)
    );
    fireEvent.click(screen.getByText('Show more (20 of 45)'));
    fireEvent.click(screen.getByText('Show more (40 of 45)'));
    expect(names()).toHaveLength(45);
    expect(screen.queryByTestId('satflow-more-deployments')).toBeNull();
  });

  it('shows the last runs, the newest at the end, and opens them', () => {
    const failed = recent('2', { state_type: 'FAILED', state_name: 'Failed' });
    const recentRuns = () => [failed, recent('1')];
    render(<DeploymentsSection {...props} recentRuns={recentRuns} />);
    const marks = screen.getByRole('group', { name: 'Last runs of tiles' });
    const buttons = [...marks.querySelectorAll('button')];
    expect(buttons.map(one => one.dataset.state)).toEqual([
      'COMPLETED',
      'FAILED'
    ]);
    expect(buttons[1].getAttribute('aria-label')).toContain('run 2: Failed');
    fireEvent.click(buttons[1]);
    expect(actions.onOpen).toHaveBeenCalledWith(failed);
  });

  it('is never blank', () => {
    render(<DeploymentsSection {...props} deployments={[]} />);
    fireEvent.click(screen.getByRole('button', { name: 'Show flows' }));
    expect(actions.onShowFlows).toHaveBeenCalled();
  });

  it('pauses and resumes a schedule', () => {
    const schedule = {
      kind: 'cron',
      cron: '0 6 * * *',
      timezone: 'UTC',
      start: null,
      end: null,
      name: null,
      parameters: {},
      active: true
    } as const;
    const scheduled = deployment({ schedules: [schedule] });
    const shown = render(
      <DeploymentsSection {...props} deployments={[scheduled]} />
    );
    fireEvent.click(screen.getByTestId('satflow-pause'));
    expect(actions.onPause).toHaveBeenCalledWith(scheduled, true);
    const paused = { ...scheduled, paused: true };
    shown.rerender(<DeploymentsSection {...props} deployments={[paused]} />);
    fireEvent.click(screen.getByTestId('satflow-resume'));
    expect(actions.onPause).toHaveBeenCalledWith(paused, false);
  });

  it('shows changes in Prefect', () => {
    const drift = [{ name: 'tags', before: 'a', after: null }];
    render(
      <DeploymentsSection {...props} deployments={[deployment({ drift })]} />
    );
    expect(screen.getByText('Changed in Prefect (1)')).toBeTruthy();
    expect(screen.getByText('not set')).toBeTruthy();
  });

  it('shows the next run in the zone of its schedule and in local time', () => {
    const schedule = {
      kind: 'cron',
      cron: '30 6 * * *',
      timezone: 'Asia/Kathmandu',
      start: null,
      end: null,
      name: null,
      parameters: {},
      active: true
    } as const;
    const next_runs = ['2026-01-02T00:45:00Z'];
    const scheduled = deployment({ schedules: [schedule], next_runs });
    render(<DeploymentsSection {...props} deployments={[scheduled]} />);
    const words = screen.getByTestId('satflow-next-run');
    expect(words.textContent).toMatch(/06:30, Asia\/Kathmandu/);
    expect(words.querySelector('time')?.title).toContain(
      formatDateTime(next_runs[0])
    );
  });

  it('shows the usage of the worker size in the last runs', () => {
    const needed = 'peak 2.1 of 16 GiB over 3 runs: medium is enough';
    render(
      <DeploymentsSection {...props} deployments={[deployment({ needed })]} />
    );
    expect(screen.getByTestId('satflow-needed').textContent).toBe(needed);
  });
});

describe('sorted deployments', () => {
  const soon = deployment({ name: 'z', next_runs: ['2026-01-01T00:00:00Z'] });
  const late = deployment({ name: 'a', next_runs: ['2026-02-01T00:00:00Z'] });
  const never = [deployment({ name: 'y' }), deployment({ name: 'b' })];
  const all = [never[0], late, never[1], soon];

  it.each([
    ['newest', ['y', 'a', 'b', 'z']],
    ['name', ['a', 'b', 'y', 'z']],
    ['next', ['z', 'a', 'y', 'b']]
  ] as const)('by %s', (order, expected) => {
    const sorted = sortDeployments(all, order);
    expect(sorted.map(one => one.name)).toEqual(expected);
  });
});

describe('recent runs', () => {
  function makeModel() {
    const requests: string[][] = [];
    const client = {
      runs: async () => ({ runs: [] }),
      startRun: async () => run(),
      cancelRun: async () => run(),
      retryRun: async () => run(),
      recentRuns: async (request: { deployment_ids: string[] }) => {
        requests.push(request.deployment_ids);
        return { runs: { d1: [recent('1')] } };
      }
    };
    const runs = new RunsModel(client, new FakeStream());
    return { model: new RecentRunsModel(client, runs), requests };
  }

  const rest = () => new Promise(resolve => setTimeout(resolve, 0));

  it('are read for the shown deployments while they are watched', async () => {
    const { model, requests } = makeModel();
    model.show(['d1']);
    expect(requests).toEqual([]);
    model.watch();
    await rest();
    expect(requests).toEqual([['d1']]);
    expect(model.of('d1')).toHaveLength(1);
    expect(model.of('d2')).toEqual([]);
    model.show(['d1']);
    model.show(['d1', 'd2']);
    await rest();
    expect(requests).toEqual([['d1'], ['d1', 'd2']]);
    model.dispose();
  });

  it('are read in parts that the server accepts', async () => {
    const { model, requests } = makeModel();
    model.watch();
    model.show(Array.from({ length: 120 }, (_, n) => `d${n}`));
    await rest();
    expect(requests.map(ids => ids.length)).toEqual([50, 50, 20]);
    expect(model.of('d1')).toHaveLength(1);
    model.dispose();
  });
});
