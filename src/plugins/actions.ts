import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { Actions } from '../sidebar/actions';
import {
  IActions,
  IDeployments,
  IFlows,
  IRunGroups,
  IRuns,
  ISharedClusters
} from '../tokens';

export const actions: JupyterFrontEndPlugin<IActions> = {
  id: 'satflow-ext:actions',
  description: 'Provides the user actions.',
  autoStart: true,
  requires: [
    INotebookTracker,
    IFlows,
    IDeployments,
    IRuns,
    IRunGroups,
    ISharedClusters
  ],
  optional: [ITranslator],
  provides: IActions,
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    flows: IFlows,
    deployments: IDeployments,
    runs: IRuns,
    groups: IRunGroups,
    sharedClusters: ISharedClusters,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('satflow_ext');
    const { commands } = app;
    const models = { flows, deployments, runs, groups, sharedClusters };
    return new Actions({ commands, tracker, ...models, trans });
  }
};
