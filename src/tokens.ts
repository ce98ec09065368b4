import { Token } from '@lumino/coreutils';

import type { IClient as Client } from './client';
import type { INotebookSource } from './kernel';
import type { ClustersModel } from './models/clusters';
import type { DeploymentsModel } from './models/deployments';
import type { FlowsModel } from './models/flows';
import type { RunsModel } from './models/runs';
import type { SharedClustersModel } from './models/sharedClusters';
import type { StackModel } from './models/stack';
import type { Preferences } from './models/preferences';
import type { IStream as Stream } from './stream';
import type { Actions } from './widgets/actions';

/** The REST endpoints. */
export type IClient = Client;
export const IClient = new Token<IClient>(
  'satflow-ext:IClient',
  'The REST endpoints of SatFlow, one method each.'
);

/** The websocket. */
export type IStream = Stream;
export const IStream = new Token<IStream>(
  'satflow-ext:IStream',
  'Facts pushed by the server, over one websocket for the whole tab.'
);

/** The notebook in front. */
export type IActiveNotebook = INotebookSource;
export const IActiveNotebook = new Token<IActiveNotebook>(
  'satflow-ext:IActiveNotebook',
  'The active notebook and the flows its kernel tells of.'
);

/** The flows of the active notebook. */
export type IFlows = FlowsModel;
export const IFlows = new Token<IFlows>(
  'satflow-ext:IFlows',
  'The flows that live in the active notebook.'
);

/** All deployments. */
export type IDeployments = DeploymentsModel;
export const IDeployments = new Token<IDeployments>(
  'satflow-ext:IDeployments',
  'The flows that were registered.'
);

/** The newest runs. */
export type IRuns = RunsModel;
export const IRuns = new Token<IRuns>(
  'satflow-ext:IRuns',
  'The newest flow runs, and what starts and cancels them.'
);

/** The clusters of the runs that are going, and of deployments between runs. */
export type IClusters = ClustersModel;
export const IClusters = new Token<IClusters>(
  'satflow-ext:IClusters',
  'The Dask clusters of runs that are going, and of deployments between runs.'
);

/** The clusters that deployments' runs share. */
export type ISharedClusters = SharedClustersModel;
export const ISharedClusters = new Token<ISharedClusters>(
  'satflow-ext:ISharedClusters',
  'The Dask clusters that the runs of a deployment share.'
);

/** Where runs go. */
export type IStack = StackModel;
export const IStack = new Token<IStack>(
  'satflow-ext:IStack',
  'The place where runs go, started on first need.'
);

/** The user's settings. */
export type IPreferences = Preferences;
export const IPreferences = new Token<IPreferences>(
  'satflow-ext:IPreferences',
  'What the user set for SatFlow in the settings editor.'
);

/** What the user can do. */
export type IActions = Actions;
export const IActions = new Token<IActions>(
  'satflow-ext:IActions',
  'What the user can do with flows, deployments and runs.'
);
