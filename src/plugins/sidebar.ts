import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { RecentRunsModel } from '../runs/recentRuns';
import { type SectionName, Sidebar } from '../sidebar/sidebar';
import {
  IActions,
  IClient,
  IClusters,
  IDeployments,
  IFlows,
  IRunGroups,
  IRuns,
  ISharedClusters,
  IStack
} from '../tokens';

export const sidebar: JupyterFrontEndPlugin<void> = {
  id: 'satflow-ext:sidebar',
  description:
    'Shows flows, runs, deployments and clusters in the left sidebar.',
  autoStart: true,
  requires: [
    IFlows,
    IDeployments,
    IRuns,
    IRunGroups,
    IClusters,
    ISharedClusters,
    IStack,
    IActions,
    IClient
  ],
  optional: [ITranslator, ILayoutRestorer, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    flows: IFlows,
    deployments: IDeployments,
    runs: IRuns,
    groups: IRunGroups,
    clusters: IClusters,
    shared: ISharedClusters,
    stack: IStack,
    actions: IActions,
    client: IClient,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null
  ) => {
    const recentRuns = new RecentRunsModel(client, runs);
    const lists = { flows, deployments, runs, recentRuns, groups };
    const models = { ...lists, clusters, shared, stack };
    const panel = new Sidebar(models, actions, translator ?? nullTranslator);
    app.shell.add(panel, 'left', { rank: 620, type: 'SatFlow' });
    restorer?.add(panel, panel.id);
    addCommands(app, panel, translator ?? nullTranslator, palette);
  }
};

function addCommands(
  app: JupyterFrontEnd,
  panel: Sidebar,
  translator: ITranslator,
  palette: ICommandPalette | null
): void {
  const trans = translator.load('satflow_ext');
  const show = (section: SectionName) => {
    app.shell.activateById(panel.id);
    panel.openSection(section);
  };
  const describedBy = { args: { type: 'object', properties: {} } };
  app.commands.addCommand('satflow:show-flows', {
    label: trans.__('Show Flows'),
    describedBy,
    execute: () => show('flows')
  });
  app.commands.addCommand('satflow:show-runs', {
    label: trans.__('Show Runs'),
    describedBy,
    execute: () => show('runs')
  });
  app.commands.addCommand('satflow:show-deployments', {
    label: trans.__('Show Deployments'),
    describedBy,
    execute: () => show('deployments')
  });
  app.commands.addCommand('satflow:show-clusters', {
    label: trans.__('Show Clusters'),
    describedBy,
    execute: () => show('clusters')
  });
  const category = trans.__('SatFlow');
  ['flows', 'runs', 'deployments', 'clusters'].forEach(name =>
    palette?.addItem({ command: `satflow:show-${name}`, category })
  );
}
