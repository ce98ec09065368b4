import React from 'react';

import type { ErrorBody } from '../_api';
import { Field } from './Field';
import { useFieldId } from './useFieldId';

export interface ILinesFieldProps {
  /** The name of the field in its form. */
  name: string;
  label: string;
  hint?: string;
  /** The lines as typed, including empty ones. */
  lines: readonly string[];
  error: ErrorBody | null;
  onChange: (lines: string[]) => void;
}

/** A list of short texts, one per line. */
export function LinesField(props: ILinesFieldProps): JSX.Element {
  const { name, label, hint, lines, error, onChange } = props;
  const id = useFieldId(name);
  return (
    <Field id={id} label={label} hint={hint} error={error}>
      <textarea
        id={id}
        data-testid={`satflow-${name}`}
        rows={Math.max(2, Math.min(8, lines.length + 1))}
        spellCheck={false}
        value={lines.join('\n')}
        onChange={event => {
          const { value } = event.target;
          onChange(value === '' ? [] : value.split('\n'));
        }}
      />
    </Field>
  );
}
