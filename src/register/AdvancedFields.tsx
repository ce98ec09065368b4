import React, { useState } from 'react';

import { useTrans } from '../components/translation';
import { errorBelow } from '../errors';
import { isOptionSet } from './formOption';
import { type IOptionFieldsProps, OptionFields } from './OptionFields';

/** Options that most registrations leave unchanged; open if one of them is set or has an error. */
export function AdvancedFields(props: IOptionFieldsProps): JSX.Element {
  const trans = useTrans();
  const { options, draft, error } = props;
  const [isOpen, setOpen] = useState(
    options.some(option => isOptionSet(option, draft[option.field]))
  );
  const isWrong = options.some(option => errorBelow(error, option.field));
  return (
    <details
      className="jp-Satflow-advanced"
      data-testid="satflow-advanced"
      open={isOpen || isWrong}
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary>{trans.__('Advanced')}</summary>
      <div className="jp-Satflow-schemaFields">
        <OptionFields {...props} />
      </div>
    </details>
  );
}
