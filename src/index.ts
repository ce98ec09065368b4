import { actions } from './plugins/actions';
import { activeRuns } from './plugins/activeRuns';
import { comparisonTabs } from './plugins/comparisonTabs';
import { client, stream } from './plugins/connection';
import { executorCards, runPanels } from './plugins/extensionPoints';
import {
  clusters,
  deployments,
  flows,
  notebook,
  runGroups,
  runs,
  sharedClusters,
  stack
} from './plugins/models';
import { notebookEntries } from './plugins/notebookEntries';
import { notifications } from './plugins/notifications';
import { registerTabs } from './plugins/registerTabs';
import { runTabs } from './plugins/runTabs';
import { runsPages } from './plugins/runsPages';
import { settings } from './plugins/settings';
import { sidebar } from './plugins/sidebar';
import { versionTabs } from './plugins/versionTabs';

export {
  type IExecutorCard,
  type IExecutorCardProps,
  IExecutorCards,
  IRunPanels,
  type IRunPanel,
  type IShownRun
} from './tokens';

export default [
  settings,
  client,
  stream,
  notebook,
  flows,
  deployments,
  runs,
  runGroups,
  clusters,
  sharedClusters,
  stack,
  executorCards,
  runPanels,
  actions,
  sidebar,
  registerTabs,
  runTabs,
  versionTabs,
  comparisonTabs,
  runsPages,
  notifications,
  activeRuns,
  notebookEntries
];
