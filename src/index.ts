import { actions } from './plugins/actions';
import { client, stream } from './plugins/connection';
import {
  clusters,
  deployments,
  flows,
  notebook,
  runs,
  sharedClusters,
  stack
} from './plugins/models';
import { notifications } from './plugins/notifications';
import { registerTabs } from './plugins/registerTabs';
import { runTabs } from './plugins/runTabs';
import { settings } from './plugins/settings';
import { sidebar } from './plugins/sidebar';
import { versionTabs } from './plugins/versionTabs';

export default [
  settings,
  client,
  stream,
  notebook,
  flows,
  deployments,
  runs,
  clusters,
  sharedClusters,
  stack,
  actions,
  sidebar,
  registerTabs,
  runTabs,
  versionTabs,
  notifications
];
