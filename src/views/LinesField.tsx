import React from 'react';

import type { ErrorBody } from '../_api';
import { Field } from './Field';

export interface ILinesFieldProps {
  id: string;
  label: string;
  hint: string;
  /** As they were typed, empty ones too. */
  lines: readonly string[];
  error: ErrorBody | null;
  onChange: (lines: string[]) => void;
}

/** A list of short texts, one a line. */
export function LinesField(props: ILinesFieldProps): JSX.Element {
  const { id, label, hint, lines, error, onChange } = props;
  return (
    <Field id={id} label={label} hint={hint} error={error}>
      <textarea
        id={id}
        data-testid={id}
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
