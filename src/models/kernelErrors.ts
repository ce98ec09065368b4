import type { TranslationBundle } from '@jupyterlab/translation';

import type { ErrorBody } from '../_api';

/**
 * What the server says of a kernel, in the words of the notebook: ids of kernels mean nothing to users.
 *
 * @param notebook - the notebook's path, null where it is not known
 * @param variable - the flow's variable
 */
export function kernelError(
  error: ErrorBody,
  notebook: string | null,
  variable: string,
  trans: TranslationBundle
): ErrorBody {
  const path = notebook ?? trans.__('the notebook');
  switch (error.error) {
    case 'KernelNotFound':
      return {
        ...error,
        message: trans.__(
          'The kernel of %1 has ended: the notebook was closed, or its kernel was shut down.',
          path
        ),
        fix: trans.__(
          'Open the notebook and run the cell of %1. This form stays as it is.',
          variable
        )
      };
    case 'FlowNotFound':
      return {
        ...error,
        message: trans.__(
          'The kernel of %1 does not have the flow %2: it was restarted, or the variable was deleted.',
          path,
          variable
        ),
        fix: trans.__(
          'Run the cell of %1 again. This form stays as it is.',
          variable
        )
      };
    default:
      return error;
  }
}
