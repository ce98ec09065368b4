import { Token } from '@lumino/coreutils';

import type { IClient as Client } from './client';
import type { ClustersModel } from './clusters/clusters';
import type { SharedClustersModel } from './clusters/sharedClusters';
import type { Preferences } from './components/preferences';
import type { DeploymentsModel } from './flows/deployments';
import type { FlowsModel } from './flows/flows';
import type { INotebookSource } from './kernel';
import type { ExecutorCards } from './register/executorCards';
import type { RunPanels } from './runs/runPanels';
import type { RunGroupsModel } from './runs/groups';
import type { RunsModel } from './runs/runs';
import type { Actions } from './sidebar/actions';
import type { StackModel } from './stack/stack';
import type { IStream as Stream } from './stream';

/** The REST client. */
export type IClient = Client;
export const IClient = new Token<IClient>(
  'satflow-ext:IClient',
  'The client of SatFlow’s REST API.'
);

/** The event stream. */
export type IStream = Stream;
export const IStream = new Token<IStream>(
  'satflow-ext:IStream',
  'Events pushed by the server over one websocket per browser tab.'
);

/** The active notebook. */
export type IActiveNotebook = INotebookSource;
export const IActiveNotebook = new Token<IActiveNotebook>(
  'satflow-ext:IActiveNotebook',
  'The active notebook and the flows that its kernel reports.'
);

/** The flows of the active notebook. */
export type IFlows = FlowsModel;
export const IFlows = new Token<IFlows>(
  'satflow-ext:IFlows',
  'The flows of the active notebook.'
);

/** All deployments. */
export type IDeployments = DeploymentsModel;
export const IDeployments = new Token<IDeployments>(
  'satflow-ext:IDeployments',
  'The registered flows.'
);

/** The newest runs. */
export type IRuns = RunsModel;
export const IRuns = new Token<IRuns>(
  'satflow-ext:IRuns',
  'The newest flow runs, with methods to start and cancel runs.'
);

/** The run groups. */
export type IRunGroups = RunGroupsModel;
export const IRunGroups = new Token<IRunGroups>(
  'satflow-ext:IRunGroups',
  'The run groups, with methods to start, repair and cancel them.'
);

/** The clusters of active runs, and of deployments between runs. */
export type IClusters = ClustersModel;
export const IClusters = new Token<IClusters>(
  'satflow-ext:IClusters',
  'The Dask clusters of active runs, and of deployments between runs.'
);

/** The clusters that deployments' runs share. */
export type ISharedClusters = SharedClustersModel;
export const ISharedClusters = new Token<ISharedClusters>(
  'satflow-ext:ISharedClusters',
  'The Dask clusters that the runs of a deployment share.'
);

/** The stack that executes runs. */
export type IStack = StackModel;
export const IStack = new Token<IStack>(
  'satflow-ext:IStack',
  'The stack that executes runs, started on first use.'
);

/** The user's settings. */
export type IPreferences = Preferences;
export const IPreferences = new Token<IPreferences>(
  'satflow-ext:IPreferences',
  'The user settings of SatFlow.'
);

/** The user actions. */
export type IActions = Actions;
export const IActions = new Token<IActions>(
  'satflow-ext:IActions',
  'User actions on flows, deployments and runs.'
);

/** The panels of the runs' views. */
export type IRunPanels = RunPanels;
export const IRunPanels = new Token<IRunPanels>(
  'satflow-ext:IRunPanels',
  `The panels of the views of runs, each with its own tab.
  Call \`add({ id, label, rank, render })\` to add a panel; dispose the result to remove it.
  \`render(run)\` receives the run and is called again when the run changes.`
);

/** The cards of executors in the register form. */
export type IExecutorCards = ExecutorCards;
export const IExecutorCards = new Token<IExecutorCards>(
  'satflow-ext:IExecutorCards',
  `The cards with the options of executors in the register form.
  Call \`add({ id, rank, executor, replaces, render })\` to add a card to the executor with that name, below the fields
  of its JSON schema or instead of them; dispose the result to remove it.
  \`render\` receives the options, their schema, and a function that changes them.`
);

export type {
  IExecutorCard,
  IExecutorCardProps
} from './register/executorCards';
export type { IRunPanel, IShownRun } from './runs/runPanels';
