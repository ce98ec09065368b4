import { Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IClient } from '../client';
import type { FailedCells } from './failedCells';

/**
 * Load a failed run into the kernel of its notebook, and insert a cell there that repeats the failed call: below the
 * cell that failed, if the notebook has it. Without that notebook, use the current one.
 */
export async function debugRun(
  runId: string,
  cells: FailedCells,
  client: Pick<IClient, 'debugRun'>,
  trans: TranslationBundle
): Promise<void> {
  const { path } = await cells.findFailedCell();
  const notebook = await cells.prepare(path);
  if (!notebook) {
    throw new Error(
      trans.__('Open a notebook first: the call is put into a new cell of it.')
    );
  }
  if (notebook.kernelId === null) {
    throw new Error(
      trans.__('%1 has no kernel. Select one first.', notebook.path)
    );
  }
  const made = await client.debugRun(runId, { kernel_id: notebook.kernelId });
  // Only now, because cells may have been added or removed meanwhile.
  const { place, isSame } = await cells.findFailedCell();
  await notebook.insertCell(place?.cell ?? null, made.source);
  const name = PathExt.basename(notebook.path);
  Notification.info(
    isSame
      ? trans.__(
          'A new cell of %1, below the one that failed, repeats the call.',
          name
        )
      : trans.__(
          'A new cell of %1 repeats the call. The cell that failed was changed, or is in another notebook.',
          name
        ),
    { autoClose: 5000 }
  );
}
