import {
  ILabShell,
  ILayoutRestorer,
  IRouter,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import {
  ITranslator,
  nullTranslator,
  type TranslationBundle
} from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';

import { satflowIcon } from '../icons';
import { Notebooks } from '../notebooks';
import { debugRun } from '../runs/debugRun';
import { FailedCells } from '../runs/failedCells';
import type { RunModel } from '../runs/run';
import { parseRunLink, RUN_LINK } from '../runs/runLinks';
import type { IRunTabParts, RunTab } from '../runs/runTab';
import {
  IActions,
  IClient,
  IDeployments,
  IPreferences,
  IRunPanels,
  IRuns,
  IStack,
  IStream
} from '../tokens';
import { tabArea } from './tabArea';

const COMMAND = 'satflow:open-run';
const LINK_COMMAND = 'satflow:open-run-link';

export const runTabs: JupyterFrontEndPlugin<void> = {
  id: 'satflow-ext:run-tabs',
  description: 'Opens runs in the main area and restores them after a reload.',
  autoStart: true,
  requires: [
    IClient,
    IStream,
    IRuns,
    IDeployments,
    IStack,
    IPreferences,
    IActions,
    IRunPanels,
    INotebookTracker
  ],
  optional: [
    ITranslator,
    ILayoutRestorer,
    ILabShell,
    IRenderMimeRegistry,
    IRouter
  ],
  activate: (
    app: JupyterFrontEnd,
    client: IClient,
    stream: IStream,
    runs: IRuns,
    deployments: IDeployments,
    stack: IStack,
    preferences: IPreferences,
    actions: IActions,
    panels: IRunPanels,
    tracker: INotebookTracker,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    lab: ILabShell | null,
    rendermime: IRenderMimeRegistry | null,
    router: IRouter | null
  ) => {
    const trans = (translator ?? nullTranslator).load('satflow_ext');
    const { contents, serverSettings } = app.serviceManager;
    const notebooks = new Notebooks(tracker, contents, app.commands);
    const views = { actions, panels, rendermime, trans };
    const parts: IRunTabParts = {
      debugRun: (id, cells) => debugRun(id, cells, client, trans),
      baseUrl: serverSettings.baseUrl,
      deployments,
      preferences,
      stack,
      ...views
    };
    const model = async (id: string) => {
      const { RunModel } = await import('../runs/run');
      return new RunModel(id, client, stream, runs);
    };
    const cells = () => new FailedCells(notebooks);
    const tabs = addCommand(app, model, {
      ...parts,
      cells,
      area: tabArea(lab)
    });
    void restorer?.restore(tabs, {
      command: COMMAND,
      args: tab => ({ runId: runIdOf(tab), name: tab.title.label }),
      name: runIdOf
    });
    if (router) {
      addLinkCommand(app, router, trans);
    }
  }
};

/** The parts of a tab, and the area where it opens. */
type ITabOptions = IRunTabParts & {
  area: ReturnType<typeof tabArea>;
  cells: () => FailedCells;
};

const PREFIX = 'satflow-run-';

const runIdOf = (tab: Widget): string => tab.id.slice(PREFIX.length);

const ARGS = {
  type: 'object',
  required: ['runId'],
  properties: {
    runId: { type: 'string', description: 'The id of the flow run.' },
    name: {
      type: 'string',
      description: 'The name of the run, for the title of the tab.'
    },
    lineId: {
      type: 'string',
      description: 'The id of a line of its log, to show and mark it.'
    }
  }
};

const LINK_ARGS = {
  type: 'object',
  required: ['path', 'search', 'hash'],
  properties: {
    path: { type: 'string', description: 'The path of the address.' },
    search: { type: 'string', description: 'The query of the address.' },
    hash: { type: 'string', description: 'The fragment of the address.' }
  }
};

function addCommand(
  { commands, shell }: JupyterFrontEnd,
  model: (id: string) => Promise<RunModel>,
  { area, cells, ...parts }: ITabOptions
): WidgetTracker<MainAreaWidget<RunTab>> {
  const tracker = new WidgetTracker<MainAreaWidget<RunTab>>({
    namespace: 'satflow'
  });
  commands.addCommand(COMMAND, {
    label: parts.trans.__('Open Run'),
    describedBy: { args: ARGS },
    execute: async args => {
      const id = String(args.runId);
      let tab = tracker.find(one => runIdOf(one) === id);
      if (!tab) {
        tab = await createTab(await model(id), cells(), parts);
        tab.title.label = String(args.name ?? id);
        shell.add(tab, area, { type: 'SatFlow Run' });
        await tracker.add(tab);
      }
      shell.activateById(tab.id);
      if (args.lineId) {
        tab.content.showLine(String(args.lineId));
      }
    }
  });
  return tracker;
}

/** Open the run of the page's address, and remove it from the address, so that a reload does not open it again. */
function addLinkCommand(
  { commands, restored }: JupyterFrontEnd,
  router: IRouter,
  trans: TranslationBundle
): void {
  commands.addCommand(LINK_COMMAND, {
    label: trans.__('Open Run from Link'),
    isVisible: () => false,
    describedBy: { args: LINK_ARGS },
    execute: args => {
      const { path, search, hash } = args as unknown as IRouter.ILocation;
      const { link, rest } = parseRunLink(search ?? '');
      // The router waits for this command, and the layout for the router.
      void restored.then(() => {
        router.navigate(`${path}${rest}${hash}`, { skipRouting: true });
        return link && commands.execute(COMMAND, { ...link });
      });
    }
  });
  router.register({ command: LINK_COMMAND, pattern: RUN_LINK });
}

async function createTab(
  model: RunModel,
  cells: FailedCells,
  parts: IRunTabParts
): Promise<MainAreaWidget<RunTab>> {
  const { RunTab } = await import('../runs/runTab');
  const tab = new MainAreaWidget({ content: new RunTab(model, cells, parts) });
  tab.id = PREFIX + model.id;
  tab.title.icon = satflowIcon;
  tab.title.caption = parts.trans.__('Run %1', model.id);
  tab.toolbar.hide();
  // The name of a nested run is known only when the run was read.
  model.changed.connect(() => {
    tab.title.label = model.detail?.run.name ?? tab.title.label;
  });
  return tab;
}
