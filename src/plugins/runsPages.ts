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

import { satflowIcon } from '../icons';
import type { IRunsPageParts, RunsPageTab } from '../runs/runsPageTab';
import type { RunsMode, RunsPage } from '../runs/runsPage';
import { type IPeriodQuery, RunsModel } from '../runs/runs';
import { IActions, IClient, IDeployments, IStack, IStream } from '../tokens';
import { tabArea } from './tabArea';

const COMMAND = 'satflow:open-runs';

const ARGS = {
  type: 'object',
  properties: {
    filter: {
      type: 'object',
      description:
        'Filter of the runs: deployment_id, state_type, name, tag, since, until, and period (hour, day, week or month before now).'
    },
    mode: {
      type: 'string',
      enum: ['table', 'agenda'],
      description: 'How a new page shows the runs.'
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
        const filter = (args.filter ?? {}) as IPeriodQuery;
        const mode = args.mode === 'agenda' ? 'agenda' : 'table';
        let tab = tracker.currentWidget;
        if (!tab) {
          const runs = new RunsModel(client, stream, filter);
          const page = await createPage(runs, client, mode);
          tab = await createTab(page, parts);
          app.shell.add(tab, tabArea(lab), { type: 'SatFlow Run' });
          await tracker.add(tab);
          page.changed.connect(() => void tracker.save(tab!));
        }
        app.shell.activateById(tab.id);
      }
    });
    palette?.addItem({ command: COMMAND, category: trans.__('SatFlow') });
    void restorer?.restore(tracker, {
      command: COMMAND,
      args: ({ content }) => ({
        filter: content.filter as ReadonlyPartialJSONObject,
        mode: content.mode
      }),
      name: () => 'runs'
    });
  }
};

async function createPage(
  runs: RunsModel,
  client: IClient,
  mode: RunsMode
): Promise<RunsPage> {
  const { RunsPage } = await import('../runs/runsPage');
  return new RunsPage(runs, client, mode);
}

async function createTab(
  page: RunsPage,
  parts: IRunsPageParts
): Promise<MainAreaWidget<RunsPageTab>> {
  const { RunsPageTab } = await import('../runs/runsPageTab');
  const content = new RunsPageTab(page, parts);
  const tab = new MainAreaWidget({ content });
  tab.id = 'satflow-runs-page';
  tab.title.label = parts.trans.__('Runs');
  tab.title.icon = satflowIcon;
  tab.toolbar.hide();
  return tab;
}
