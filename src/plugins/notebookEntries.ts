import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import type { KernelSpec } from '@jupyterlab/services';
import {
  ITranslator,
  nullTranslator,
  type TranslationBundle
} from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import { EXAMPLE_FLOW, insertCell } from '../flows/cells';
import { satflowIcon } from '../icons';

const NEW_NOTEBOOK = 'satflow:new-flow-notebook';
const REGISTER = 'satflow:register-selected-notebook';

export const notebookEntries: JupyterFrontEndPlugin<void> = {
  id: 'satflow-ext:notebook-entries',
  description:
    'Creates a notebook with a flow from the launcher, and registers a flow of a notebook from the file browser.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ILauncher, IFileBrowserFactory, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    launcher: ILauncher | null,
    browsers: IFileBrowserFactory | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('satflow_ext');
    addNewNotebook(app, tracker, trans);
    const category = (translator ?? nullTranslator)
      .load('jupyterlab')
      .__('Other');
    launcher?.add({ command: NEW_NOTEBOOK, category, rank: 20 });
    if (browsers) {
      addRegister(app.commands, browsers, trans);
    }
  }
};

const NEW_NOTEBOOK_ARGS = {
  type: 'object',
  properties: {
    cwd: { type: 'string', description: 'The folder of the notebook.' }
  }
};

/** Return the name of the default kernel, or of another one if that is not of Python; undefined lets the user choose. */
function findPythonKernel(manager: KernelSpec.IManager): string | undefined {
  const { kernelspecs = {}, default: preferred } = manager.specs ?? {};
  const names = [preferred ?? '', ...Object.keys(kernelspecs)];
  return names.find(name => kernelspecs[name]?.language === 'python');
}

function addNewNotebook(
  { commands, serviceManager }: JupyterFrontEnd,
  tracker: INotebookTracker,
  trans: TranslationBundle
): void {
  commands.addCommand(NEW_NOTEBOOK, {
    label: trans.__('Prefect Flow'),
    caption: trans.__('Create a notebook with an example of a Prefect flow'),
    icon: satflowIcon,
    describedBy: { args: NEW_NOTEBOOK_ARGS },
    execute: async ({ cwd }) => {
      await serviceManager.kernelspecs.ready;
      const kernelName = findPythonKernel(serviceManager.kernelspecs);
      const panel = (await commands.execute('notebook:create-new', {
        cwd,
        kernelName
      })) as NotebookPanel;
      await panel.context.ready;
      await panel.revealed;
      insertCell(tracker, EXAMPLE_FLOW);
      return panel;
    }
  });
}

/** Add the command of the context menu, which is in the settings schema. */
function addRegister(
  commands: CommandRegistry,
  browsers: IFileBrowserFactory,
  trans: TranslationBundle
): void {
  commands.addCommand(REGISTER, {
    label: trans.__('Register Flow…'),
    caption: trans.__('Open the notebook and register one of its flows'),
    icon: satflowIcon,
    describedBy: { args: { type: 'object', properties: {} } },
    execute: async () => {
      const selected = browsers.tracker.currentWidget?.selectedItems().next();
      if (selected?.value) {
        const panel = (await commands.execute('docmanager:open', {
          path: selected.value.path,
          factory: 'Notebook'
        })) as NotebookPanel;
        await panel.context.ready;
        await panel.sessionContext.ready;
        await commands.execute('satflow:register-flow');
      }
    }
  });
}
