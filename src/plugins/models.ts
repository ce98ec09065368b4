import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';

import { ClustersModel } from '../clusters/clusters';
import { SharedClustersModel } from '../clusters/sharedClusters';
import { DeploymentsModel } from '../flows/deployments';
import { FlowsModel } from '../flows/flows';
import { ActiveNotebook } from '../kernel';
import { RunGroupsModel } from '../runs/groups';
import { RunsModel } from '../runs/runs';
import { StackModel } from '../stack/stack';
import {
  IActiveNotebook,
  IClient,
  IClusters,
  IDeployments,
  IFlows,
  IRunGroups,
  IRuns,
  ISharedClusters,
  IStack,
  IStream
} from '../tokens';

type Plugin<T> = JupyterFrontEndPlugin<T>;

export const notebook: Plugin<IActiveNotebook> = {
  id: 'satflow-ext:notebook',
  description:
    'Provides the active notebook and the flows that its kernel pushes.',
  autoStart: true,
  requires: [INotebookTracker],
  provides: IActiveNotebook,
  activate: (_: JupyterFrontEnd, tracker: INotebookTracker) =>
    new ActiveNotebook(tracker)
};

export const flows: Plugin<IFlows> = {
  id: 'satflow-ext:flows',
  description: 'Provides the flows of the active notebook.',
  autoStart: true,
  requires: [IClient, IActiveNotebook],
  provides: IFlows,
  activate: (_: JupyterFrontEnd, client: IClient, source: IActiveNotebook) =>
    new FlowsModel(client, source)
};

export const deployments: Plugin<IDeployments> = {
  id: 'satflow-ext:deployments',
  description: 'Provides the deployments.',
  autoStart: true,
  requires: [IClient],
  provides: IDeployments,
  activate: (_: JupyterFrontEnd, client: IClient) =>
    new DeploymentsModel(client)
};

export const runs: Plugin<IRuns> = {
  id: 'satflow-ext:runs',
  description: 'Provides the newest flow runs.',
  autoStart: true,
  requires: [IClient, IStream],
  provides: IRuns,
  activate: (_: JupyterFrontEnd, client: IClient, stream: IStream) =>
    new RunsModel(client, stream)
};

export const runGroups: Plugin<IRunGroups> = {
  id: 'satflow-ext:run-groups',
  description: 'Provides the run groups.',
  autoStart: true,
  requires: [IClient, IStream],
  provides: IRunGroups,
  activate: (_: JupyterFrontEnd, client: IClient, stream: IStream) =>
    new RunGroupsModel(client, stream)
};

export const clusters: Plugin<IClusters> = {
  id: 'satflow-ext:clusters',
  description: 'Provides the Dask clusters of runs and deployments.',
  autoStart: true,
  requires: [IStream],
  provides: IClusters,
  activate: (_: JupyterFrontEnd, stream: IStream) => new ClustersModel(stream)
};

export const sharedClusters: Plugin<ISharedClusters> = {
  id: 'satflow-ext:shared-clusters',
  description:
    'Provides the Dask clusters that the runs of a deployment share.',
  autoStart: true,
  requires: [IClient, IDeployments, IClusters],
  provides: ISharedClusters,
  activate: (
    _: JupyterFrontEnd,
    client: IClient,
    deployments: IDeployments,
    clusters: IClusters
  ) => new SharedClustersModel(client, deployments, clusters)
};

export const stack: Plugin<IStack> = {
  id: 'satflow-ext:stack',
  description: 'Provides the status of the stack that executes runs.',
  autoStart: true,
  requires: [IClient],
  provides: IStack,
  activate: (_: JupyterFrontEnd, client: IClient) => new StackModel(client)
};
