import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { ErrorBody } from '../_api';
import { ErrorNote } from '../components/ErrorNote';
import { useFieldId } from '../components/useFieldId';
import { useTrans } from '../components/translation';
import type { MissedRuns } from './draft';

export interface IMissedRunsFieldProps {
  choice: MissedRuns;
  error: ErrorBody | null;
  onChange: (choice: MissedRuns) => void;
}

/** The choice of scheduled runs that start after they were missed while the local stack was off. */
export function MissedRunsField(props: IMissedRunsFieldProps): JSX.Element {
  const trans = useTrans();
  const { choice, error, onChange } = props;
  const id = useFieldId('missed-runs');
  return (
    <fieldset
      id={id}
      className="jp-Satflow-choices"
      aria-describedby={error ? `${id}-error` : undefined}
    >
      <legend>
        {trans.__(
          'Scheduled runs missed while this machine or the local stack was off'
        )}
      </legend>
      {missedRunsOptions(trans).map(({ value, label, words }) => (
        <label key={value} data-testid={`satflow-missed-runs-${value}`}>
          <input
            type="radio"
            name={id}
            checked={value === choice}
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

function missedRunsOptions(
  trans: TranslationBundle
): { value: MissedRuns; label: string; words: string }[] {
  return [
    {
      value: 'last',
      label: trans.__('Last:'),
      words: trans.__('only the most recent one starts.')
    },
    {
      value: 'all',
      label: trans.__('All:'),
      words: trans.__('each of them starts.')
    },
    {
      value: 'none',
      label: trans.__('None:'),
      words: trans.__('none of them starts; the next scheduled run does.')
    }
  ];
}
