import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import { act, fireEvent, screen } from '@testing-library/react';
import React, { useState } from 'react';

import type { StackStatus } from '../_api';
import { Preferences } from '../components/preferences';
import { DeploymentsModel } from '../flows/deployments';
import { runPanels } from '../plugins/extensionPoints';
import { FailedCells } from '../runs/failedCells';
import { RunModel } from '../runs/run';
import type { IRunPanel, RunPanels } from '../runs/runPanels';
import type { RunsModel } from '../runs/runs';
import { RunTab } from '../runs/runTab';
import { StackModel } from '../stack/stack';
import { FakeNotebookCells } from './failures';
import { deployment, FakeStream, run } from './fakes';
import { runDetail, taskRunClient } from './taskRuns';

const READY: StackStatus = {
  kind: 'local',
  state: 'ready',
  step: null,
  prefect_api: null,
  prefect_profile: null,
  store: null,
  stays: false
};

/** Return a run's tab with a server that has one run. */
function createTab(panels: RunPanels): RunTab {
  const detail = runDetail();
  const client = {
    ...taskRunClient(),
    run: async () => detail,
    log: async () => new Blob(),
    cancelRun: async () => run(),
    deployments: async () => ({ deployments: [] }),
    register: jest.fn(),
    pauseDeployment: async () => deployment(),
    deleteDeployment: async () => undefined,
    stack: async () => READY,
    startStack: async () => READY
  };
  const list = {
    requestedAt: 0,
    items: [],
    changed: new Signal<RunsModel, void>({} as RunsModel)
  };
  const model = new RunModel('r1', client, new FakeStream(), list);
  return new RunTab(model, new FailedCells(new FakeNotebookCells()), {
    debugRun: jest.fn(),
    baseUrl: 'http://127.0.0.1:8888/user/ada/',
    deployments: new DeploymentsModel(client),
    preferences: new Preferences(),
    stack: new StackModel(client),
    actions: {
      onCancel: jest.fn(),
      onRetry: jest.fn(),
      onRunAgain: jest.fn(),
      onCompare: jest.fn(),
      onInsertResult: jest.fn(),
      onShowVersions: jest.fn(),
      onOpen: jest.fn(),
      onDaskPages: null
    },
    rendermime: null,
    panels,
    trans: nullTranslator.load('satflow_ext')
  });
}

function Costs({ name }: { name: string }): JSX.Element {
  const [cost] = useState(7);
  return <p>{`${name} costs ${cost}`}</p>;
}

const OURS = ['Log', 'Result', 'Tasks', 'Cluster', 'Artifacts', 'Details'];

const COSTS: IRunPanel = {
  id: 'my-ext:costs',
  label: 'Costs',
  rank: 250,
  render: ({ detail }) => <Costs name={detail.run.name} />
};

describe('a panel of another extension', () => {
  const labels = () =>
    screen.getAllByRole('tab').map(one => one.textContent?.split(' ')[0]);
  const settle = () =>
    act(() => new Promise(resolve => setTimeout(resolve, 50)));
  let panels: RunPanels;
  let tab: RunTab;

  beforeEach(async () => {
    panels = runPanels.activate({} as never) as RunPanels;
    tab = createTab(panels);
    Widget.attach(tab, document.body);
    await settle();
  });

  afterEach(() => act(() => tab.dispose()));

  it('has its tab between ours, in a view that is already open', async () => {
    expect(labels()).toEqual(OURS);
    panels.add(COSTS);
    await settle();
    const [log, result, tasks, ...rest] = OURS;
    expect(labels()).toEqual([log, result, tasks, 'Costs', ...rest]);
    fireEvent.click(screen.getByRole('tab', { name: 'Costs' }));
    expect(screen.getByRole('tabpanel').textContent).toBe(
      `${run().name} costs 7`
    );
  });

  it('is gone after it was removed, and the first panel is shown', async () => {
    const added = panels.add(COSTS);
    await settle();
    fireEvent.click(screen.getByRole('tab', { name: 'Costs' }));
    added.dispose();
    await settle();
    expect(labels()).toEqual(OURS);
    const log = screen.getByRole('tab', { name: 'Log' });
    expect(log.getAttribute('aria-selected')).toBe('true');
  });

  it('shows its error in its place, and the other tabs stay', async () => {
    jest.spyOn(console, 'error').mockImplementation();
    const render = () => {
      throw new Error('No prices.');
    };
    panels.add({ ...COSTS, render });
    await settle();
    fireEvent.click(screen.getByRole('tab', { name: 'Costs' }));
    expect(screen.getByRole('tabpanel').textContent).toContain('No prices.');
    fireEvent.click(screen.getByRole('tab', { name: 'Details' }));
    expect(screen.getByTestId('satflow-details')).toBeTruthy();
    jest.restoreAllMocks();
  });

  it('is added once, with ours, however many tabs are open', () => {
    const second = createTab(panels);
    expect(panels.items.map(one => one.id)).toEqual([
      'log',
      'result',
      'tasks',
      'cluster',
      'artifacts',
      'details'
    ]);
    second.dispose();
  });
});
