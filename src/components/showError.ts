import { Notification } from '@jupyterlab/apputils';

import { toErrorBody } from '../errors';

/** Show an error until the user closes it. */
export function showError(reason: unknown): void {
  const { message, fix } = toErrorBody(reason);
  const words = [message, fix].filter(Boolean).join(' ');
  Notification.error(words, { autoClose: false });
}
