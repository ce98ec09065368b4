import { nullTranslator } from '@jupyterlab/translation';
import {
  act,
  fireEvent,
  render,
  screen,
  waitFor
} from '@testing-library/react';
import React from 'react';

import { createRunPanels } from '../runs/ownRunPanels';
import { RunView } from '../runs/RunView';
import { line } from './fakes';
import { at, runDetail, storeOf, taskRun, taskRunPage } from './taskRuns';

jest.mock('../runs/startGraphWorker', () => ({
  startGraphWorker: () => {
    throw new Error('forbidden by the policy of the page');
  }
}));

/** Number of runs of the mapped task. */
const COUNT = 450;

const PATIENCE = { timeout: 60_000 };

class NoResizes implements ResizeObserver {
  observe = jest.fn();
  unobserve = jest.fn();
  disconnect = jest.fn();
}

describe('the panel of task runs', () => {
  const load = taskRun('load', {
    name: 'load-0',
    task: 'load',
    start: at(0),
    end: at(1),
    tags: ['north']
  });
  const tiles = Array.from({ length: COUNT }, (_, index) =>
    taskRun(`${index}`, { start: at(index), end: at(index + 3) })
  );
  const onReadTaskRun = jest.fn(async (id: string) => ({
    id,
    states: [
      {
        type: 'SCHEDULED' as const,
        name: 'AwaitingRetry',
        time: at(0),
        message: 'No space.'
      }
    ],
    inputs: [{ name: 'scene', task_runs: ['load'], count: 1 }]
  }));
  const onOpen = jest.fn();
  const props = {
    detail: runDetail(),
    version: 3,
    workers: new Map([['0', 'worker-1']]),
    lines: [line(0), line(1, { task_run_id: '3', message: 'from a tile' })],
    progress: 'live' as const,
    cluster: null,
    samples: [],
    error: null,
    streamError: null,
    follow: false,
    panels: createRunPanels(nullTranslator.load('satflow_ext')),
    failureActions: {
      matchCell: () => null,
      cellOf: () => null,
      onOpenCell: jest.fn(),
      onCopy: jest.fn(),
      onDebug: null
    },
    actions: {
      onCancel: jest.fn(),
      onRetry: jest.fn(),
      onRunAgain: jest.fn(),
      onCompare: jest.fn(),
      onInsertResult: jest.fn(),
      onShowVersions: jest.fn(),
      onOpen,
      onDownload: jest.fn(),
      onCopyLines: jest.fn(),
      onCopyLink: jest.fn(),
      onReadVersion: async () => ({ number: 2, defaults: { size: 64 } }),
      onReadResult: jest.fn(),
      onReadTaskRun,
      onDaskPages: null
    }
  };
  const tasks = storeOf(load, ...tiles);
  const press = (key: string) =>
    fireEvent.keyDown(screen.getByTestId('satflow-timeline-box'), { key });
  const tip = () => screen.getByTestId('satflow-timeline-tip').textContent;

  beforeEach(() => {
    window.ResizeObserver = NoResizes;
    // A promise in Chromium, which must not become the clean-up of an effect.
    Element.prototype.scrollIntoView = jest.fn(async () => undefined);
    window.matchMedia = jest.fn(() => ({ matches: true }) as MediaQueryList);
    jest.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue(null);
  });

  function open(shown = tasks): void {
    render(<RunView {...props} tasks={shown} />);
    fireEvent.click(screen.getByTestId('satflow-tab-tasks'));
  }

  it('opens a mapped task and one of its runs by keyboard', async () => {
    open();
    const timeline = screen.getByTestId('satflow-timeline');
    expect(timeline.dataset.rows).toBe('2');
    press('End');
    expect(tip()).toContain(`${COUNT} task runs`);
    press('ArrowRight');
    expect(timeline.dataset.rows).toBe(`${2 + COUNT}`);
    press('ArrowDown');
    expect(tip()).toContain('square-0');
    await act(async () => void press('Enter'));
    expect(
      screen.getByTestId('satflow-selected-task').scrollIntoView
    ).toHaveBeenCalled();
    const card = screen.getByTestId('satflow-task-card').textContent;
    expect(card).toContain('AwaitingRetry');
    expect(card).toContain('scene ← load-0');
    press('ArrowLeft');
    press('ArrowLeft');
    expect(timeline.dataset.rows).toBe('2');
  });

  it('shows the dependencies as a graph, also without a web worker', async () => {
    jest.spyOn(console, 'error').mockImplementation();
    // Browsers have it, jsdom does not.
    window.structuredClone = value => JSON.parse(JSON.stringify(value));
    // Compiled before, which takes longer than the steps of the test may take.
    await Promise.all([
      import('../runs/TaskGraph'),
      import('../runs/graphLayout')
    ]);
    open(storeOf(load, ...tiles.map(run => ({ ...run, inputs: ['load'] }))));
    fireEvent.click(screen.getByTestId('satflow-show-graph'));
    const graph = await screen.findByTestId('satflow-graph', {}, PATIENCE);
    await waitFor(() => expect(graph.dataset.laidOut).toBe('2'), PATIENCE);
    expect([graph.dataset.nodes, graph.dataset.edges]).toEqual(['2', '1']);
    const list = screen.getByTestId('satflow-graph-list');
    expect(list.textContent).toContain('followed by square');
    expect(list.textContent).toContain(`square (${COUNT})`);
    const go = (key: string) =>
      fireEvent.keyDown(screen.getByTestId('satflow-graph-box'), { key });
    go('Home');
    go('ArrowRight');
    const described = screen.getByTestId('satflow-graph-tip').textContent;
    expect(described).toContain('depends on load-0');
    go('Enter');
    await waitFor(() => expect(graph.dataset.laidOut).toBe('102'), PATIENCE);
    fireEvent.click(screen.getByTestId('satflow-graph-close'));
    await waitFor(() => expect(graph.dataset.laidOut).toBe('2'), PATIENCE);
    go('Home');
    await act(async () => void go('Enter'));
    expect(screen.getByTestId('satflow-selected-task').textContent).toContain(
      'load-0'
    );
  }, 120_000);

  it('lists all runs of a mapped task, part by part', () => {
    open();
    fireEvent.click(screen.getByTitle(`square × ${COUNT}`));
    const listed = () => screen.getAllByTestId('satflow-task-run').length - 1;
    expect(listed()).toBe(200);
    fireEvent.click(screen.getByText('Show 200 more of 250'));
    fireEvent.click(screen.getByText('Show 50 more of 50'));
    expect(listed()).toBe(COUNT);
  });

  it('leads to the log of a task, and back to the whole log', () => {
    open();
    fireEvent.click(screen.getAllByTestId('satflow-task-log')[1]);
    const select = screen.getByTestId('satflow-log-task');
    expect(select).toHaveProperty('value', 'square');
    const count = screen.getByTestId('satflow-log-count');
    expect(count.textContent).toBe('1 line');
    fireEvent.change(select, { target: { value: '' } });
    expect(count.textContent).toBe('2 lines');
  });

  it('opens a nested run from its row and from its details', () => {
    const nested = { id: 'child', name: 'load-0' };
    open(storeOf({ ...load, nested_run_id: nested.id }));
    fireEvent.click(screen.getByTestId('satflow-open-nested'));
    expect(onOpen).toHaveBeenLastCalledWith(nested);
    expect(screen.queryByTestId('satflow-task-log')).toBeNull();
    fireEvent.click(screen.getByTitle('load-0'));
    fireEvent.click(screen.getByText('Open the run of load'));
    expect(onOpen).toHaveBeenCalledTimes(2);
  });

  it('shows how many of the task runs are loaded', () => {
    const store = storeOf();
    store.addPage(taskRunPage([load], { more: true, total: 3000 }));
    open(store);
    expect(screen.getByText('Loading: 1 of 3000 task runs')).toBeTruthy();
    expect(screen.getByTestId('satflow-tab-tasks').textContent).toContain(
      '3000'
    );
  });
});
