import { InputDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Deployment, LiveFlow } from '../_api';
import { showConfirmation } from '../components/confirmation';

/** Let the user pick a flow; return null if there is none or none was picked. */
export async function pickFlow(
  flows: LiveFlow[],
  trans: TranslationBundle
): Promise<LiveFlow | null> {
  if (flows.length < 2) {
    return flows[0] ?? null;
  }
  const result = await InputDialog.getItem({
    title: trans.__('Which flow?'),
    items: flows.map(flow => flow.variable)
  });
  return flows.find(flow => flow.variable === result.value) ?? null;
}

/** Ask the user whether to delete the deployment. */
export function confirmDelete(
  deployment: Deployment,
  trans: TranslationBundle
): Promise<boolean> {
  return showConfirmation(
    trans.__('Delete deployment?'),
    trans.__(
      '%1 and its schedule are deleted. The flow stays in the notebook, and past runs stay in the list.',
      deployment.name
    ),
    trans.__('Delete'),
    trans.__('Keep')
  );
}
