import type { TranslationBundle } from '@jupyterlab/translation';
import { InputGroup } from '@jupyterlab/ui-components';
import React from 'react';

import type { ErrorBody } from '../_api';
import { errorUnder } from '../errors';
import type { IDraft } from '../models/draft';
import { Field } from './Field';

export interface IAdvancedFieldsProps {
  draft: IDraft;
  error: ErrorBody | null;
  onChange: (change: Partial<IDraft>) => void;
  trans: TranslationBundle;
}

/** What most registrations leave as it is; open where something in it is wrong. */
export function AdvancedFields(props: IAdvancedFieldsProps): JSX.Element {
  const { draft, error, onChange, trans } = props;
  const atTags = errorUnder(error, 'tags');
  return (
    <details
      className="jp-Satflow-advanced"
      open={atTags !== null || undefined}
    >
      <summary>{trans.__('Advanced')}</summary>
      <Field
        id="satflow-tags"
        label={trans.__('Tags')}
        hint={trans.__('Separated by commas.')}
        error={atTags}
      >
        <InputGroup
          id="satflow-tags"
          data-testid="satflow-tags"
          value={draft.tags}
          onChange={event => onChange({ tags: event.target.value })}
        />
      </Field>
    </details>
  );
}
