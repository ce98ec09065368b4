import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import { satflowIcon } from '../icons';
import type { Intent, IFlowSource } from '../register/flowSource';
import { isSavedForm } from '../register/savedForm';
import { pickFlow } from '../flows/flowDialogs';
import {
  IActions,
  IClient,
  IDeployments,
  IExecutorCards,
  IFlows,
  IPreferences,
  IRuns,
  IStack
} from '../tokens';
import { type IFormParts, RegisterForms } from './registerForms';
import { tabArea } from './tabArea';

const COMMAND = 'satflow:register-flow';
const REOPEN = 'satflow:reopen-register-form';

export const registerTabs: JupyterFrontEndPlugin<void> = {
  id: 'satflow-ext:register-tabs',
  description:
    'Opens the register form in the main area and restores it after a reload.',
  autoStart: true,
  requires: [
    IClient,
    IFlows,
    IDeployments,
    IRuns,
    IStack,
    IPreferences,
    IActions,
    IExecutorCards
  ],
  optional: [ITranslator, ICommandPalette, ILayoutRestorer, ILabShell],
  activate: (
    app: JupyterFrontEnd,
    client: IClient,
    flows: IFlows,
    deployments: IDeployments,
    runs: IRuns,
    stack: IStack,
    preferences: IPreferences,
    actions: IActions,
    cards: IExecutorCards,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    lab: ILabShell | null
  ) => {
    translator ??= nullTranslator;
    const trans = translator.load('satflow_ext');
    const models = { client, flows, deployments, runs, stack };
    const words = { translator, trans };
    const parts = { ...models, preferences, actions, cards, ...words };
    const area = tabArea(lab);
    const forms = new RegisterForms(app.shell, { ...parts, area });
    addCommands(app.commands, forms, parts);
    window.addEventListener('pagehide', () => forms.saveAll());
    palette?.addItem({ command: COMMAND, category: trans.__('SatFlow') });
    void restorer?.restore(forms.tracker, {
      command: REOPEN,
      args: tab => ({ form: forms.savedState(tab) }),
      name: tab => tab.id
    });
  }
};

const ARGS = {
  type: 'object',
  properties: {
    variable: {
      type: 'string',
      description:
        'The variable of the flow; if it is missing, the user is asked for it.'
    },
    run: {
      type: 'boolean',
      description: 'True if the user wants to run the flow.'
    }
  }
};

const REOPEN_ARGS = {
  type: 'object',
  required: ['form'],
  properties: {
    form: { type: 'object', description: 'The saved form.' }
  }
};

function addCommands(
  commands: CommandRegistry,
  forms: RegisterForms,
  parts: IFormParts
): void {
  const { flows, trans } = parts;
  commands.addCommand(COMMAND, {
    label: trans.__('Register Flow…'),
    caption: trans.__('Register a flow of this notebook as a deployment'),
    icon: args => (args.toolbar ? undefined : satflowIcon),
    describedBy: { args: ARGS },
    isEnabled: () => flows.notebook !== null,
    execute: async args => {
      const subject = await pickFlowSource(parts, args.variable);
      if (subject) {
        const intent: Intent = args.run === true ? 'run' : 'register';
        await forms.openForm(subject, intent);
      }
    }
  });
  commands.addCommand(REOPEN, {
    label: trans.__('Reopen Register Form'),
    describedBy: { args: REOPEN_ARGS },
    isVisible: () => false,
    execute: async args => {
      const form: unknown = args.form;
      if (isSavedForm(form)) {
        await forms.reopenForm(form);
      }
    }
  });
}

/** Return the flow to register, or null if there is none or the user cancels. */
async function pickFlowSource(
  { flows, trans }: IFormParts,
  variable: unknown
): Promise<IFlowSource | null> {
  const all = await flows.waitForFlows();
  const notebook = flows.notebook;
  if (all.length === 0 || !notebook?.kernelId) {
    Notification.warning(
      trans.__('This notebook has no flow yet. Run the cell that defines one.'),
      { autoClose: 5000 }
    );
    return null;
  }
  const flow =
    all.find(one => one.variable === variable) ?? (await pickFlow(all, trans));
  const { kernelId, path } = notebook;
  const notebookFile = flows.list?.notebook ?? null;
  return flow && { flow, kernelId, notebook: path, notebookFile };
}
