import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { ErrorBody } from '../_api';
import { ErrorNote } from '../components/ErrorNote';
import { useFieldId } from '../components/useFieldId';
import { useTrans } from '../components/translation';
import type { EnvironmentPolicy } from './draft';

export interface IEnvironmentFieldProps {
  policy: EnvironmentPolicy;
  error: ErrorBody | null;
  onChange: (policy: EnvironmentPolicy) => void;
}

/** The policy for runs whose packages differ from those of the registration. */
export function EnvironmentField(props: IEnvironmentFieldProps): JSX.Element {
  const trans = useTrans();
  const { policy, error, onChange } = props;
  const id = useFieldId('environment');
  return (
    <fieldset
      id={id}
      className="jp-Satflow-choices"
      aria-describedby={error ? `${id}-error` : undefined}
    >
      <legend>
        {trans.__('If the packages of a run differ from those of this kernel')}
      </legend>
      {policyOptions(trans).map(({ value, label, words }) => (
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

function policyOptions(
  trans: TranslationBundle
): { value: EnvironmentPolicy; label: string; words: string }[] {
  return [
    {
      value: 'warn',
      label: trans.__('Warn:'),
      words: trans.__('the run starts, and its log lists the differences.')
    },
    {
      value: 'refuse',
      label: trans.__('Refuse:'),
      words: trans.__(
        'the run fails before the flow starts, and lists the differences.'
      )
    },
    {
      value: 'recreate',
      label: trans.__('Recreate:'),
      words: trans.__(
        'the run uses an environment with the packages of this registration; the first run waits until it is created.'
      )
    }
  ];
}
