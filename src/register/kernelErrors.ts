import type { TranslationBundle } from '@jupyterlab/translation';

import type { ErrorBody } from '../_api';

/**
 * Rewrite the server's errors about a kernel in terms of the notebook, because kernel ids mean nothing to users.
 *
 * @param notebook - the notebook's path, or null if it is unknown
 * @param variable - the flow's variable
 */
export function describeKernelError(
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
          'The kernel of %1 is not running: the notebook was closed, or its kernel was shut down.',
          path
        ),
        fix: trans.__(
          'Open the notebook and run the cell that defines %1. This form keeps its values.',
          variable
        )
      };
    case 'FlowNotFound':
      return {
        ...error,
        message: trans.__(
          'The kernel of %1 does not have the flow %2: the kernel was restarted, or the variable was deleted.',
          path,
          variable
        ),
        fix: trans.__(
          'Run the cell that defines %1 again. This form keeps its values.',
          variable
        )
      };
    default:
      return error;
  }
}
