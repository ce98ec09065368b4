import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  type IRunningSessions,
  IRunningSessionManagers
} from '@jupyterlab/running';
import { IStatusBar } from '@jupyterlab/statusbar';
import {
  ITranslator,
  nullTranslator,
  type TranslationBundle
} from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import React from 'react';

import type { ClusterStatus, Run } from '../_api';
import { ActiveClusters } from '../clusters/activeClusters';
import { ModelView } from '../components/modelView';
import { formatWorkerCount, stateName } from '../format';
import { satflowIcon } from '../icons';
import { ActiveRunCount } from '../runs/ActiveRunCount';
import { ActiveRuns } from '../runs/activeRuns';
import { RunsModel } from '../runs/runs';
import { IActions, IClient, IStack, IStream } from '../tokens';

const ID = 'satflow-ext:active-runs';

export const activeRuns: JupyterFrontEndPlugin<void> = {
  id: ID,
  description:
    'Lists the runs that have not ended and their Dask clusters in the Running panel, and counts the runs in the status bar.',
  autoStart: true,
  requires: [IClient, IStream, IStack, IActions],
  optional: [IRunningSessionManagers, IStatusBar, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    client: IClient,
    stream: IStream,
    stack: IStack,
    actions: IActions,
    sessions: IRunningSessionManagers | null,
    statusBar: IStatusBar | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('satflow_ext');
    const all = new RunsModel(client, stream, { active: true });
    const runs = new ActiveRuns(all, stack);
    const refresh = () => void stack.checkStack().then(() => all.refresh());
    sessions?.add({
      ...createManager(runs, actions, trans),
      refreshRunning: refresh
    });
    const clusters = new ActiveClusters(client, runs, stack);
    sessions?.add({
      ...createClusterManager(clusters, actions, trans),
      refreshRunning: () => void clusters.refresh()
    });
    statusBar?.registerStatusItem(
      ID,
      createStatusItem(runs, app.commands, trans)
    );
  }
};

/** Create the section of runs of the Running panel, without its refresh. */
function createManager(
  runs: ActiveRuns,
  actions: IActions,
  trans: TranslationBundle
): Omit<IRunningSessions.IManager, 'refreshRunning'> {
  return {
    name: trans.__('Flow Runs'),
    running: () => runs.items.map(run => describeRun(run, actions, trans)),
    runningChanged: runs.changed,
    shutdownAll: () => actions.onCancelAll(runs.items),
    shutdownLabel: trans.__('Cancel Run…'),
    shutdownAllLabel: trans.__('Cancel All'),
    shutdownAllConfirmationText: trans.__(
      'Are you sure you want to cancel all flow runs? Their logs are kept.'
    )
  };
}

function describeRun(
  run: Run,
  actions: IActions,
  trans: TranslationBundle
): IRunningSessions.IRunningItem {
  const name = run.deployment_name ?? run.flow_name;
  return {
    label: () => `${name}: ${run.name}`,
    labelTitle: () => `${run.flow_name}/${name}`,
    detail: () => stateName(run.state_name, trans),
    icon: () => satflowIcon,
    open: () => actions.onOpen(run),
    shutdown: () => actions.onCancel(run)
  };
}

/** Create the section of clusters of the Running panel, without its refresh. A cluster ends with its run. */
function createClusterManager(
  clusters: ActiveClusters,
  actions: IActions,
  trans: TranslationBundle
): Omit<IRunningSessions.IManager, 'refreshRunning'> {
  const runs = () => clusters.items.map(runOf);
  return {
    name: trans.__('Dask Clusters'),
    running: () =>
      clusters.items.map(one => describeCluster(one, actions, trans)),
    runningChanged: clusters.changed,
    shutdownAll: () => actions.onCancelAll(runs()),
    shutdownLabel: trans.__('Cancel its run…'),
    shutdownAllLabel: trans.__('Cancel All'),
    shutdownAllConfirmationText: trans.__(
      'Are you sure you want to cancel the runs of all Dask clusters? Their logs are kept.'
    )
  };
}

const runOf = ({ run_id, run_name }: ClusterStatus) => ({
  id: run_id ?? '',
  name: run_name ?? ''
});

function describeCluster(
  cluster: ClusterStatus,
  actions: IActions,
  trans: TranslationBundle
): IRunningSessions.IRunningItem {
  const run = runOf(cluster);
  return {
    label: () => `${cluster.deployment_name ?? ''}: ${run.name}`,
    labelTitle: () => cluster.executor,
    detail: () => formatWorkerCount(cluster.observed, cluster.plan, trans),
    icon: () => satflowIcon,
    open: () => actions.onOpen(run),
    shutdown: () => actions.onCancel(run)
  };
}

function createStatusItem(
  runs: ActiveRuns,
  commands: CommandRegistry,
  trans: TranslationBundle
): IStatusBar.IItem {
  const show = () => void commands.execute('satflow:show-runs');
  return {
    item: new ModelView(trans, [runs], () => (
      <ActiveRunCount count={runs.items.length} onClick={show} />
    )),
    align: 'left',
    rank: 30,
    isActive: () => runs.items.length > 0,
    activeStateChanged: runs.changed
  };
}
