import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  MainAreaWidget,
  WidgetTracker
} from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { IRunsQuery } from '../client';
import { satflowIcon } from '../icons';
import type { IRunsPageParts, RunsPageTab } from '../runs/runsPageTab';
import { RunsModel } from '../runs/runs';
import { IActions, IClient, IDeployments, IStack, IStream } from '../tokens';
import { tabArea } from './tabArea';

const COMMAND = 'satflow:open-runs';

const ARGS = {
  type: 'object',
  properties: {
    filter: {
      type: 'object',
      description:
        'Filter of the runs: deployment_id, state_type, name, tag, since, until.'
    }
  }
};

export const runsPages: JupyterFrontEndPlugin<void> = {
  id: 'satflow-ext:runs-pages',
  description: 'Shows all runs in the main area and restores the page.',
  autoStart: true,
  requires: [IClient, IStream, IDeployments, IStack, IActions],
  optional: [ITranslator, ILayoutRestorer, ILabShell, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    client: IClient,
    stream: IStream,
    deployments: IDeployments,
    stack: IStack,
    actions: IActions,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    lab: ILabShell | null,
    palette: ICommandPalette | null
  ) => {
    const trans = (translator ?? nullTranslator).load('satflow_ext');
    const { onOpen } = actions;
    const parts = { deployments, stack, onOpen, trans };
    const tracker = new WidgetTracker<MainAreaWidget<RunsPageTab>>({
      namespace: 'satflow-runs'
    });
    app.commands.addCommand(COMMAND, {
      label: trans.__('Open Runs Page'),
      describedBy: { args: ARGS },
      execute: async args => {
        const filter = (args.filter ?? {}) as IRunsQuery;
        let tab = tracker.currentWidget;
        if (!tab) {
          const runs = new RunsModel(client, stream, filter);
          tab = await createTab(runs, client, parts);
          app.shell.add(tab, tabArea(lab), { type: 'SatFlow Run' });
          await tracker.add(tab);
          runs.changed.connect(() => void tracker.save(tab!));
        }
        app.shell.activateById(tab.id);
      }
    });
    palette?.addItem({ command: COMMAND, category: trans.__('SatFlow') });
    void restorer?.restore(tracker, {
      command: COMMAND,
      args: ({ content }) => ({
        filter: content.filter as ReadonlyPartialJSONObject
      }),
      name: () => 'runs'
    });
  }
};

async function createTab(
  runs: RunsModel,
  client: IClient,
  parts: IRunsPageParts
): Promise<MainAreaWidget<RunsPageTab>> {
  const [{ RunsPageTab }, { RunsPage }] = await Promise.all([
    import('../runs/runsPageTab'),
    import('../runs/runsPage')
  ]);
  const content = new RunsPageTab(new RunsPage(runs, client), parts);
  const tab = new MainAreaWidget({ content });
  tab.id = 'satflow-runs-page';
  tab.title.label = parts.trans.__('Runs');
  tab.title.icon = satflowIcon;
  tab.toolbar.hide();
  return tab;
}
