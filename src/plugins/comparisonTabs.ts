import {
  ILabShell,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { MainAreaWidget } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { satflowIcon } from '../icons';
import type { IComparisonTabParts } from '../runs/comparisonTab';
import { pickRun } from '../runs/runDialogs';
import { IActions, IClient, IStack } from '../tokens';
import { tabArea } from './tabArea';

const COMMAND = 'satflow:compare-runs';

/** Number of runs of the deployment from which the user picks. */
const OFFERED_RUNS = 50;

const ARGS = {
  type: 'object',
  required: ['runId'],
  properties: {
    runId: { type: 'string', description: 'The id of the flow run.' },
    otherId: {
      type: 'string',
      description:
        'The id of the run to compare it with; if it is missing, the user picks one of the same deployment.'
    }
  }
};

export const comparisonTabs: JupyterFrontEndPlugin<void> = {
  id: 'satflow-ext:comparison-tabs',
  description: 'Compares two runs in the main area.',
  autoStart: true,
  requires: [IClient, IStack, IActions],
  optional: [ITranslator, ILabShell],
  activate: (
    app: JupyterFrontEnd,
    client: IClient,
    stack: IStack,
    actions: IActions,
    translator: ITranslator | null,
    lab: ILabShell | null
  ) => {
    const trans = (translator ?? nullTranslator).load('satflow_ext');
    const parts = { stack, actions, trans };
    app.commands.addCommand(COMMAND, {
      label: trans.__('Compare Runs…'),
      describedBy: { args: ARGS },
      execute: async args => {
        const id = String(args.runId);
        const other = args.otherId ?? (await pickOther(id, client, parts));
        if (other !== null) {
          const tab = await createTab([String(other), id], client, parts);
          app.shell.add(tab, tabArea(lab), { type: 'SatFlow Run' });
          app.shell.activateById(tab.id);
        }
      }
    });
  }
};

/** Let the user pick an earlier or later run of the same deployment; return its id, or null if none was picked. */
async function pickOther(
  id: string,
  client: IClient,
  { trans }: IComparisonTabParts
): Promise<string | null> {
  const { run } = await client.run(id);
  const query = {
    deployment_id: run.deployment_id ?? undefined,
    limit: OFFERED_RUNS
  };
  const { runs } = await client.runs(query);
  const others = runs.filter(one => one.id !== id);
  return (await pickRun(run, others, trans))?.id ?? null;
}

async function createTab(
  ids: readonly [string, string],
  client: IClient,
  parts: IComparisonTabParts
): Promise<MainAreaWidget> {
  const [{ ComparisonTab }, { RunComparison }] = await Promise.all([
    import('../runs/comparisonTab'),
    import('../runs/runComparison')
  ]);
  const content = new ComparisonTab(new RunComparison(ids, client), parts);
  const tab = new MainAreaWidget({ content });
  tab.title.label = parts.trans.__('Compared Runs');
  tab.title.icon = satflowIcon;
  tab.toolbar.hide();
  return tab;
}
