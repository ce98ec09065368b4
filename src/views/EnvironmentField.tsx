import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { ErrorBody } from '../_api';
import type { EnvironmentPolicy } from '../models/draft';
import { ErrorNote } from './ErrorNote';
import { useFieldId } from './formId';

export interface IEnvironmentFieldProps {
  policy: EnvironmentPolicy;
  error: ErrorBody | null;
  onChange: (policy: EnvironmentPolicy) => void;
  trans: TranslationBundle;
}

/** What a run does where the packages are not those of the registration. */
export function EnvironmentField(props: IEnvironmentFieldProps): JSX.Element {
  const { policy, error, onChange, trans } = props;
  const id = useFieldId('environment');
  return (
    <fieldset
      id={id}
      className="jp-Satflow-choices"
      aria-describedby={error ? `${id}-error` : undefined}
    >
      <legend>{trans.__('Where a run finds other packages than here')}</legend>
      {policies(trans).map(({ value, label, words }) => (
        <label key={value} data-testid={`satflow-environment-${value}`}>
          <input
            type="radio"
            name={id}
            checked={value === policy}
            onChange={() => onChange(value)}
          />
          <span>
            <strong>{label}</strong> {words}
          </span>
        </label>
      ))}
      {error && <ErrorNote error={error} id={`${id}-error`} />}
    </fieldset>
  );
}

function policies(
  trans: TranslationBundle
): { value: EnvironmentPolicy; label: string; words: string }[] {
  return [
    {
      value: 'warn',
      label: trans.__('Warn:'),
      words: trans.__('it runs all the same, and its log says what differs.')
    },
    {
      value: 'refuse',
      label: trans.__('Refuse:'),
      words: trans.__('it fails before the flow starts, and says what differs.')
    },
    {
      value: 'recreate',
      label: trans.__('Recreate:'),
      words: trans.__(
        'it runs in an environment made of the packages of this registration; the first run waits for it.'
      )
    }
  ];
}
