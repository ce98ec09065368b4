import React from 'react';

import type { ErrorBody } from '../_api';
import { ErrorNote } from './ErrorNote';

export interface IFieldProps {
  /** The id of the input. */
  id: string;
  label: string;
  hint?: string;
  error?: ErrorBody | null;
  /** The input; it gets the ARIA attributes for its description and for an error. */
  children: React.ReactElement<React.AriaAttributes>;
}

/** A label with its input and an error. */
export function Field(props: IFieldProps): JSX.Element {
  const { id, label, hint, error, children } = props;
  const described = [hint && `${id}-hint`, error && `${id}-error`];
  const input = React.cloneElement(children, {
    'aria-describedby': described.filter(Boolean).join(' ') || undefined,
    'aria-invalid': error ? true : undefined,
    ...children.props
  });
  return (
    <div className="jp-Satflow-field">
      <label htmlFor={id}>{label}</label>
      {input}
      {hint && (
        <span className="jp-Satflow-hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {error && <ErrorNote error={error} id={`${id}-error`} />}
    </div>
  );
}
