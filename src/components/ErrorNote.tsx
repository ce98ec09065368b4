import React from 'react';

import type { ErrorBody } from '../_api';

export interface IErrorNoteProps {
  error: ErrorBody;
  /** The id for `aria-describedby`. */
  id?: string;
}

/** An error with its message and fix. */
export function ErrorNote({ error, id }: IErrorNoteProps): JSX.Element {
  return (
    <div
      className="jp-Satflow-error"
      role="alert"
      id={id}
      tabIndex={-1}
      data-testid="satflow-error"
    >
      <span>{error.message}</span>
      {error.fix && <span className="jp-Satflow-fix">{error.fix}</span>}
    </div>
  );
}
