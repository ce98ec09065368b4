import { InputGroup } from '@jupyterlab/ui-components';
import React, { useState } from 'react';

import type { ErrorBody } from '../_api';
import { Field } from '../components/Field';
import { useFieldId } from '../components/useFieldId';
import { LinesField } from '../components/LinesField';
import { useTrans } from '../components/translation';
import { errorBelow } from '../errors';
import type { IDraft } from './draft';
import { EnvironmentField } from './EnvironmentField';
import { MissedRunsField } from './MissedRunsField';

export interface IAdvancedFieldsProps {
  draft: IDraft;
  error: ErrorBody | null;
  onChange: (change: Partial<IDraft>) => void;
}

/** The request fields of this section. */
export const ADVANCED_FIELDS = [
  'tags',
  'include',
  'secrets',
  'environment',
  'missed_runs'
];

/** Fields that most registrations leave unchanged; open if one of them is set or has an error. */
export function AdvancedFields(props: IAdvancedFieldsProps): JSX.Element {
  const trans = useTrans();
  const { draft, error, onChange } = props;
  const [isOpen, setOpen] = useState(hasAdvancedValues(draft));
  const isWrong = ADVANCED_FIELDS.some(field => errorBelow(error, field));
  return (
    <details
      className="jp-Satflow-advanced"
      data-testid="satflow-advanced"
      open={isOpen || isWrong}
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary>{trans.__('Advanced')}</summary>
      <div className="jp-Satflow-schemaFields">
        <LinesField
          name="include"
          label={trans.__('Data files packed with the flow')}
          hint={trans.__(
            'One file, folder or pattern per line, such as data/*.csv, in the folder of the notebook.'
          )}
          lines={draft.include}
          error={errorBelow(error, 'include')}
          onChange={include => onChange({ include })}
        />
        <LinesField
          name="secrets"
          label={trans.__('Secrets, by name')}
          hint={trans.__(
            'One name per line, such as AWS_SECRET_ACCESS_KEY. Do not enter values: they are looked up where the flow runs.'
          )}
          lines={draft.secrets}
          error={errorBelow(error, 'secrets')}
          onChange={secrets => onChange({ secrets })}
        />
        <EnvironmentField
          policy={draft.environment}
          error={errorBelow(error, 'environment')}
          onChange={environment => onChange({ environment })}
        />
        <MissedRunsField
          choice={draft.missedRuns}
          error={errorBelow(error, 'missed_runs')}
          onChange={missedRuns => onChange({ missedRuns })}
        />
        <TagsField {...props} />
      </div>
    </details>
  );
}

function TagsField(props: IAdvancedFieldsProps): JSX.Element {
  const trans = useTrans();
  const { draft, error, onChange } = props;
  const id = useFieldId('tags');
  return (
    <Field
      id={id}
      label={trans.__('Tags')}
      hint={trans.__('Separated by commas.')}
      error={errorBelow(error, 'tags')}
    >
      <InputGroup
        id={id}
        data-testid="satflow-tags"
        value={draft.tags}
        onChange={event => onChange({ tags: event.target.value })}
      />
    </Field>
  );
}

function hasAdvancedValues(draft: IDraft): boolean {
  return (
    draft.include.length > 0 ||
    draft.secrets.length > 0 ||
    draft.environment !== 'warn' ||
    draft.missedRuns !== 'last'
  );
}
