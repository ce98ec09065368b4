import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  MainAreaWidget,
  Notification
} from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { satflowIcon } from '../icons';
import { type ISubject, RegisterModel } from '../models/register';
import {
  IActions,
  IClient,
  IDeployments,
  IFlows,
  IPreferences,
  IRuns,
  IStack
} from '../tokens';
import { pickFlow } from '../widgets/dialogs';

const COMMAND = 'satflow:register-flow';

export const registerTabs: JupyterFrontEndPlugin<void> = {
  id: 'satflow-ext:register-tabs',
  description: 'Opens the register form in the main area.',
  autoStart: true,
  requires: [
    IClient,
    IFlows,
    IDeployments,
    IRuns,
    IStack,
    IPreferences,
    IActions
  ],
  optional: [ITranslator, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    client: IClient,
    flows: IFlows,
    deployments: IDeployments,
    runs: IRuns,
    stack: IStack,
    preferences: IPreferences,
    actions: IActions,
    translator: ITranslator | null,
    palette: ICommandPalette | null
  ) => {
    const category = (translator ?? nullTranslator)
      .load('satflow_ext')
      .__('SatFlow');
    const known = {
      flows,
      deployments,
      translator: translator ?? nullTranslator
    };
    const opening = { client, runs, stack, preferences, actions, ...known };
    addCommand(app, opening);
    palette?.addItem({ command: COMMAND, category });
  }
};

interface IOpening {
  client: IClient;
  flows: IFlows;
  deployments: IDeployments;
  runs: IRuns;
  stack: IStack;
  preferences: IPreferences;
  actions: IActions;
  translator: ITranslator;
}

const ARGS = {
  type: 'object',
  properties: {
    variable: {
      type: 'string',
      description: 'The variable that holds the flow; asked for when left out.'
    }
  }
};

function addCommand(app: JupyterFrontEnd, opening: IOpening): void {
  const trans = opening.translator.load('satflow_ext');
  app.commands.addCommand(COMMAND, {
    label: trans.__('Register Flow…'),
    caption: trans.__('Register a flow of this notebook as a deployment'),
    icon: args => (args.toolbar ? undefined : satflowIcon),
    describedBy: { args: ARGS },
    isEnabled: () => opening.flows.notebook !== null,
    execute: async args => {
      const subject = await subjectOf(opening, args.variable);
      if (!subject) {
        Notification.warning(
          trans.__('There is no flow here yet. Run the cell that defines one.'),
          { autoClose: 5000 }
        );
        return;
      }
      await openTab(app, subject, opening);
    }
  });
}

async function subjectOf(
  { flows, translator }: IOpening,
  variable: unknown
): Promise<ISubject | null> {
  const all = await flows.settled();
  const flow =
    all.find(one => one.variable === variable) ??
    (await pickFlow(all, translator.load('satflow_ext')));
  const notebook = flows.notebook;
  if (!flow || !notebook?.kernelId) {
    return null;
  }
  return {
    flow,
    kernelId: notebook.kernelId,
    notebook: notebook.path
  };
}

async function openTab(
  { shell }: JupyterFrontEnd,
  subject: ISubject,
  opening: IOpening
): Promise<void> {
  const { RegisterTab } = await import('../widgets/registerTab');
  const { executor, timezone } = opening.preferences;
  const model = new RegisterModel(subject, { executor, timezone }, opening);
  const tab = new MainAreaWidget({ content: new RegisterTab(model, opening) });
  const trans = opening.translator.load('satflow_ext');
  tab.title.label = trans.__('Register %1', subject.flow.name);
  tab.title.icon = satflowIcon;
  tab.toolbar.hide();
  shell.add(tab, 'main', { type: 'SatFlow Register' });
  shell.activateById(tab.id);
}
