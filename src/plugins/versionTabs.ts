import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';

import { satflowIcon } from '../icons';
import { IClient, IDeployments, IStack } from '../tokens';
import { VersionsModel } from '../versions/versions';
import type { IVersionsTabParts, VersionsTab } from '../versions/versionsTab';
import { tabArea } from './tabArea';

const COMMAND = 'satflow:show-versions';

export const versionTabs: JupyterFrontEndPlugin<void> = {
  id: 'satflow-ext:version-tabs',
  description: 'Opens the versions of deployments in the main area.',
  autoStart: true,
  requires: [IClient, IDeployments, IStack],
  optional: [ITranslator, ILayoutRestorer, ILabShell],
  activate: (
    app: JupyterFrontEnd,
    client: IClient,
    deployments: IDeployments,
    stack: IStack,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    lab: ILabShell | null
  ) => {
    const trans = (translator ?? nullTranslator).load('satflow_ext');
    const parts = { deployments, stack, trans };
    const model = (id: string) => new VersionsModel(id, client, deployments);
    const tracker = addCommand(app, model, { ...parts, area: tabArea(lab) });
    void restorer?.restore(tracker, {
      command: COMMAND,
      args: tab => ({
        deploymentId: deploymentIdOf(tab),
        name: deploymentNameOf(tab)
      }),
      name: deploymentIdOf
    });
  }
};

/** The parts of a tab, and the area where it opens. */
type ITabOptions = IVersionsTabParts & { area: ReturnType<typeof tabArea> };

const PREFIX = 'satflow-versions-';

const deploymentIdOf = (tab: Widget): string => tab.id.slice(PREFIX.length);

const deploymentNameOf = (tab: Widget): string => tab.title.dataset.name ?? '';

const ARGS = {
  type: 'object',
  required: ['deploymentId', 'name'],
  properties: {
    deploymentId: { type: 'string', description: 'The id of the deployment.' },
    name: {
      type: 'string',
      description: 'The name of the deployment, for the title of the tab.'
    },
    version: {
      type: 'integer',
      minimum: 2,
      description: 'The version to compare with the one before it.'
    }
  }
};

function addCommand(
  { commands, shell }: JupyterFrontEnd,
  model: (id: string) => VersionsModel,
  { area, ...parts }: ITabOptions
): WidgetTracker<MainAreaWidget<VersionsTab>> {
  const tracker = new WidgetTracker<MainAreaWidget<VersionsTab>>({
    namespace: 'satflow-versions'
  });
  commands.addCommand(COMMAND, {
    label: parts.trans.__('Show Versions'),
    describedBy: { args: ARGS },
    execute: async args => {
      const id = String(args.deploymentId);
      let tab = tracker.find(one => deploymentIdOf(one) === id);
      if (!tab) {
        tab = await createTab(model(id), String(args.name), parts);
        shell.add(tab, area, { type: 'SatFlow Versions' });
        await tracker.add(tab);
      }
      if (typeof args.version === 'number') {
        tab.content.showVersion(args.version);
      }
      shell.activateById(tab.id);
    }
  });
  return tracker;
}

async function createTab(
  model: VersionsModel,
  name: string,
  parts: IVersionsTabParts
): Promise<MainAreaWidget<VersionsTab>> {
  const { VersionsTab } = await import('../versions/versionsTab');
  const content = new VersionsTab(model, name, parts);
  const tab = new MainAreaWidget({ content });
  tab.id = PREFIX + model.deploymentId;
  tab.title.label = parts.trans.__('Versions of %1', name);
  tab.title.caption = tab.title.label;
  tab.title.dataset = { name };
  tab.title.icon = satflowIcon;
  tab.toolbar.hide();
  return tab;
}
