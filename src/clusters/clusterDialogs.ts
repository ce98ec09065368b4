import { InputDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { showConfirmation } from '../components/confirmation';

/** Ask the user whether to close a cluster that runs may be using. */
export function confirmCloseCluster(
  name: string,
  trans: TranslationBundle
): Promise<boolean> {
  return showConfirmation(
    trans.__('Close cluster?'),
    trans.__('Runs of %1 that use it will fail.', name),
    trans.__('Close cluster'),
    trans.__('Keep')
  );
}

/** Ask the user whether to restart such a cluster. */
export function confirmRestartCluster(
  name: string,
  trans: TranslationBundle
): Promise<boolean> {
  return showConfirmation(
    trans.__('Restart cluster?'),
    trans.__('Runs of %1 that use it will fail.', name),
    trans.__('Restart cluster'),
    trans.__('Keep')
  );
}

/** Ask for the number of Dask workers of a cluster. Return the typed text, or null if the user cancels. */
export async function askClusterSize(
  name: string,
  workers: number,
  trans: TranslationBundle
): Promise<string | null> {
  const result = await InputDialog.getText({
    title: trans.__('Dask workers of %1', name),
    label: trans.__(
      'A number such as 4, or a range that follows the load: 1-8'
    ),
    text: `${workers}`
  });
  return result.button.accept ? result.value : null;
}
