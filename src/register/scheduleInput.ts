import type React from 'react';

import type { ErrorBody } from '../_api';
import type { IScheduleDraft } from './scheduleDraft';

export interface IScheduleInputProps {
  schedule: IScheduleDraft;
  /** An error in this schedule; `field` is the path below it. */
  error: ErrorBody | null;
  onChange: (schedule: IScheduleDraft) => void;
}

/** Id suffix of the error message about the schedule. */
export const ERROR_ID = 'error';

/**
 * Return the ARIA attributes of an input. The one error message of the schedule is below all of its inputs, so each
 * input refers to it.
 */
export function errorAttributes(
  error: ErrorBody | null,
  field: string,
  errorId: string,
  hint = ''
): React.AriaAttributes {
  const isHere = error?.field === field;
  const described = `${hint} ${error ? errorId : ''}`.trim();
  return {
    'aria-invalid': isHere || undefined,
    'aria-describedby': described || undefined
  };
}
