import { Dialog, showDialog } from '@jupyterlab/apputils';

/** Ask the user to confirm an action; return whether the user did. */
export async function showConfirmation(
  title: string,
  body: string,
  yes: string,
  no: string
): Promise<boolean> {
  const buttons = [
    Dialog.cancelButton({ label: no }),
    Dialog.warnButton({ label: yes })
  ];
  const result = await showDialog({ title, body, buttons });
  return result.button.accept;
}
