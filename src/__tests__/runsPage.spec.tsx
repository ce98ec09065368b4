import { fireEvent, render, screen } from '@testing-library/react';
import React from 'react';

import type { RunChangeRequest } from '../_api';
import { PERIODS, queryNow, type RunsFilter, RunsModel } from '../runs/runs';
import { type RunsMode, RunsPage } from '../runs/runsPage';
import { groupByDay } from '../runs/RunsAgenda';
import { changeFilter } from '../runs/RunSelects';
import { toLocalInput } from '../runs/RunsPageFilters';
import { RunsPageView } from '../runs/RunsPageView';
import { deployment, FakeStream, run } from './fakes';

const IDS = ['r1', 'r2', 'r3', 'r4'];

/** A page of four runs, of which the server refuses to change the last one. */
async function makePage(mode: RunsMode = 'table') {
  let listed = IDS;
  const requests: RunChangeRequest[] = [];
  const client = {
    runs: async () => ({ runs: listed.map(id => run({ id, name: id })) }),
    startRun: async () => run(),
    cancelRun: async () => run(),
    retryRun: async () => run(),
    changeRuns: async (request: RunChangeRequest) => {
      requests.push(request);
      const changed = request.ids.filter(id => id !== 'r4');
      const refused = request.ids
        .filter(id => id === 'r4')
        .map(id => ({ id, reason: 'Run r4 had already ended.' }));
      return { changed, refused };
    }
  };
  const runs = new RunsModel(client, new FakeStream());
  const page = new RunsPage(runs, client, mode);
  await runs.refresh();
  return { page, requests, list: (ids: string[]) => (listed = ids) };
}

describe('the selection of runs', () => {
  it('has single runs and ranges, and can be removed again', async () => {
    const { page } = await makePage();
    page.toggle('r1');
    page.toggle('r3', true);
    expect([...page.selected]).toEqual(['r1', 'r2', 'r3']);
    page.toggle('r2');
    expect([...page.selected]).toEqual(['r1', 'r3']);
    page.toggle('r1', true);
    expect([...page.selected]).toEqual(['r3']);
  });

  it('has all runs or none', async () => {
    const { page } = await makePage();
    page.toggle('r2');
    page.toggleAll();
    expect([...page.selected]).toEqual(IDS);
    page.toggleAll();
    expect(page.selected.size).toBe(0);
  });

  it('has only listed runs', async () => {
    const { page, list } = await makePage();
    page.toggleAll();
    list(['r1']);
    await page.runs.refresh();
    expect([...page.selected]).toEqual(['r1']);
  });

  it('keeps only the runs that were not changed', async () => {
    const { page, requests } = await makePage();
    page.toggleAll();
    const done = await page.change('cancel');
    expect(requests).toEqual([{ action: 'cancel', ids: IDS }]);
    expect(done.changed).toEqual(['r1', 'r2', 'r3']);
    expect(done.refused[0].reason).toBe('Run r4 had already ended.');
    expect([...page.selected]).toEqual(['r4']);
    expect(page.isBusy).toBe(false);
  });

  it('is changed in parts that the server accepts', async () => {
    const { page, requests, list } = await makePage();
    list(Array.from({ length: 450 }, (_, n) => `n${n}`));
    await page.runs.refresh();
    page.toggleAll();
    await page.change('delete');
    expect(requests.map(({ ids }) => ids.length)).toEqual([200, 200, 50]);
    expect(page.selected.size).toBe(0);
  });
});

describe('the page of runs', () => {
  const actions = {
    onOpen: jest.fn(),
    onFilter: jest.fn(),
    onLoadMore: jest.fn(),
    onToggle: jest.fn(),
    onToggleAll: jest.fn(),
    onChange: jest.fn(),
    onMode: jest.fn()
  };
  const props = {
    runs: [run({ id: 'r1', tags: ['nightly'], parameters: { n: 1 } })],
    upcoming: [],
    mode: 'table' as const,
    deployments: [deployment()],
    filter: { name: 'owl' },
    selected: new Set<string>(),
    isLoaded: true,
    isBusy: false,
    hasMore: true,
    error: null,
    actions
  };

  it('changes runs only if some are selected', () => {
    const { rerender } = render(<RunsPageView {...props} />);
    const cancel = () =>
      screen.getByTestId<HTMLButtonElement>('satflow-cancel-selected');
    expect(cancel().disabled).toBe(true);
    rerender(<RunsPageView {...props} selected={new Set(['r1'])} />);
    expect(screen.getByTestId('satflow-selected-count').textContent).toBe(
      '1 run selected'
    );
    fireEvent.click(cancel());
    expect(actions.onChange).toHaveBeenCalledWith('cancel');
  });

  it('extends the selection with the Shift key', () => {
    render(<RunsPageView {...props} />);
    fireEvent.click(screen.getByLabelText('Select run brave-owl'), {
      shiftKey: true
    });
    expect(actions.onToggle).toHaveBeenCalledWith('r1', true);
  });

  it('filters by a tag in addition to the other filters', () => {
    render(<RunsPageView {...props} />);
    fireEvent.click(screen.getByText('nightly'));
    expect(actions.onFilter).toHaveBeenCalledWith({
      name: 'owl',
      tag: 'nightly'
    });
  });

  it('filters by a period, which replaces the two times and is replaced by them', () => {
    const times = { since: '2026-01-01T00:00:00Z', until: '' };
    const { rerender } = render(
      <RunsPageView {...props} filter={{ name: 'owl', ...times }} />
    );
    fireEvent.change(screen.getByLabelText('Filter by time'), {
      target: { value: 'day' }
    });
    const chosen = { name: 'owl', period: 'day' as const };
    expect(actions.onFilter).toHaveBeenLastCalledWith(chosen);
    rerender(<RunsPageView {...props} filter={chosen} />);
    expect(screen.getByLabelText('Filter by time')).toHaveProperty(
      'value',
      'day'
    );
    fireEvent.change(screen.getByLabelText('From'), {
      target: { value: '2026-01-02T03:04' }
    });
    const since = new Date('2026-01-02T03:04').toISOString();
    expect(actions.onFilter).toHaveBeenLastCalledWith({ name: 'owl', since });
  });

  it('shows planned and past runs by day as an agenda', () => {
    const planned = run({
      id: 'r9',
      name: 'later',
      state_type: 'SCHEDULED',
      start: null,
      expected_start: '2100-01-01T12:00:00Z'
    });
    render(<RunsPageView {...props} mode="agenda" upcoming={[planned]} />);
    expect(screen.getAllByTestId('satflow-agenda-run')).toHaveLength(2);
    expect(screen.queryByTestId('satflow-cancel-selected')).toBeNull();
    fireEvent.click(screen.getByTestId('satflow-mode-table'));
    expect(actions.onMode).toHaveBeenCalledWith('table');
  });

  it('offers to remove filters that match nothing', () => {
    render(<RunsPageView {...props} runs={[]} />);
    fireEvent.click(screen.getByText('Show all runs'));
    expect(actions.onFilter).toHaveBeenCalledWith({});
  });
});

describe('the agenda', () => {
  it('has each run once, the last day and the last run first', () => {
    const at = (id: string, start: string) => run({ id, start });
    const runs = [
      at('a', '2026-01-01T10:00:00'),
      at('b', '2026-01-02T10:00:00'),
      at('c', '2026-01-01T11:00:00'),
      at('b', '2026-01-02T10:00:00')
    ];
    const days = groupByDay(runs).map(day => [
      day.date,
      day.runs.map(each => each.id)
    ]);
    expect(days).toEqual([
      ['2026-01-02', ['b']],
      ['2026-01-01', ['c', 'a']]
    ]);
  });

  it('is shown again, and reads the planned runs with the others', async () => {
    const { page } = await makePage('agenda');
    await new Promise(resolve => setTimeout(resolve, 0));
    expect(page.mode).toBe('agenda');
    expect(page.upcoming.map(each => each.id)).toEqual(IDS);
    page.dispose();
  });

  it('reads planned runs with the filter of the page', async () => {
    const { page } = await makePage();
    const rest = () => new Promise(resolve => setTimeout(resolve, 0));
    page.runs.setFilter({ tag: 'nightly' });
    page.setMode('agenda');
    await rest();
    expect(page.upcoming.map(each => each.id)).toEqual(IDS);
    page.runs.setFilter({ state_type: 'FAILED' });
    await rest();
    expect(page.upcoming).toEqual([]);
    page.dispose();
  });
});

describe('filters', () => {
  it('have a period before each request, also after it was restored', () => {
    const before = Date.now() - PERIODS.hour;
    const { since, ...rest } = queryNow({ tag: 'a', period: 'hour' });
    expect(rest).toEqual({ tag: 'a' });
    expect(Date.parse(since!)).toBeGreaterThanOrEqual(before);
    const unknown = { tag: 'a', period: 'century' } as unknown as RunsFilter;
    expect(queryNow(unknown)).toEqual({ tag: 'a' });
  });

  it('are left out if they are empty', () => {
    expect(
      changeFilter({ name: 'b', tag: 'a' }, { name: '', since: '' })
    ).toEqual({
      tag: 'a'
    });
  });

  it('show times of the browser’s time zone, to the minute', () => {
    const shown = toLocalInput('2026-01-02T03:04:59Z');
    expect(new Date(shown).toISOString()).toBe('2026-01-02T03:04:00.000Z');
  });
});
