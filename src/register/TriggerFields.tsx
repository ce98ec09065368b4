import { HTMLSelect, InputGroup } from '@jupyterlab/ui-components';
import React from 'react';

import type { ErrorBody } from '../_api';
import { Field } from '../components/Field';
import { useFieldId } from '../components/useFieldId';
import { useTrans } from '../components/translation';
import { errorBelow } from '../errors';
import { createTriggerDraft, type ITriggerDraft } from './automationDraft';
import { ItemList } from './ItemList';

export interface ITriggerFieldsProps {
  triggers: readonly ITriggerDraft[];
  /** An error in the triggers; `field` is the path below them. */
  error: ErrorBody | null;
  onChange: (triggers: ITriggerDraft[]) => void;
}

/** Events that start a run. */
export function TriggerFields(props: ITriggerFieldsProps): JSX.Element {
  const trans = useTrans();
  return (
    <ItemList
      name="trigger"
      label={trans.__('Triggers')}
      addLabel={trans.__('Add trigger')}
      canAdd
      items={props.triggers}
      error={props.error}
      create={createTriggerDraft}
      onChange={props.onChange}
      render={(one, mistake, change) => (
        <TriggerInputs trigger={one} error={mistake} onChange={change} />
      )}
    />
  );
}

interface ITriggerInputsProps {
  trigger: ITriggerDraft;
  error: ErrorBody | null;
  onChange: (trigger: ITriggerDraft) => void;
}

function TriggerInputs(props: ITriggerInputsProps): JSX.Element {
  const trans = useTrans();
  const { trigger, onChange } = props;
  const id = useFieldId('kind');
  return (
    <div className="jp-Satflow-columns">
      <Field id={id} label={trans.__('Start a run')}>
        <HTMLSelect
          id={id}
          data-testid="satflow-trigger-kind"
          value={trigger.kind}
          options={[
            { value: 'after', label: trans.__('after another deployment') },
            { value: 'event', label: trans.__('on an event of Prefect') }
          ]}
          onChange={event =>
            onChange({
              ...trigger,
              kind: event.target.value as ITriggerDraft['kind']
            })
          }
        />
      </Field>
      {trigger.kind === 'after' ? (
        <TriggerText
          {...props}
          field="after"
          label={trans.__('Deployment, as flow/deployment')}
        />
      ) : (
        <>
          <TriggerText
            {...props}
            field="event"
            label={trans.__('Name of the event')}
          />
          <TriggerText
            {...props}
            field="resource"
            label={trans.__('Id of its resource (optional)')}
          />
        </>
      )}
    </div>
  );
}

function TriggerText(
  props: ITriggerInputsProps & {
    field: 'after' | 'event' | 'resource';
    label: string;
  }
): JSX.Element {
  const { trigger, field, label, error, onChange } = props;
  const id = useFieldId(field);
  return (
    <Field id={id} label={label} error={errorBelow(error, field)}>
      <InputGroup
        id={id}
        data-testid={`satflow-trigger-${field}`}
        spellCheck={false}
        value={trigger[field]}
        onChange={event =>
          onChange({ ...trigger, [field]: event.target.value })
        }
      />
    </Field>
  );
}
