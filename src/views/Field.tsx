import React from 'react';

import type { ErrorBody } from '../_api';
import { ErrorNote } from './ErrorNote';

export interface IFieldProps {
  /** The id of the input inside. */
  id: string;
  label: string;
  hint?: string;
  error?: ErrorBody | null;
  children: React.ReactNode;
}

/** A label, its input, and what is wrong with it. */
export function Field(props: IFieldProps): JSX.Element {
  const { id, label, hint, error, children } = props;
  return (
    <div className="jp-Satflow-field">
      <label htmlFor={id}>{label}</label>
      {children}
      {hint && <span className="jp-Satflow-hint">{hint}</span>}
      {error && <ErrorNote error={error} id={`${id}-error`} />}
    </div>
  );
}
