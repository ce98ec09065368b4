import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect, InputGroup } from '@jupyterlab/ui-components';
import React from 'react';

import type { ErrorBody } from '../_api';
import { Field } from '../components/Field';
import { useFieldId } from '../components/useFieldId';
import { useTrans } from '../components/translation';
import { errorBelow } from '../errors';
import { createTriggerDraft, type ITriggerDraft } from './automationDraft';
import type { IDraft } from './draft';
import { ItemList } from './ItemList';
import { NotificationFields } from './NotificationFields';

export interface IAutomationFieldsProps {
  draft: Pick<IDraft, 'notify' | 'trigger'>;
  /** The Prefect blocks that can send notifications, as `type/name`. */
  blocks: readonly string[];
  /** An error in the form. */
  error: ErrorBody | null;
  onChange: (change: Partial<IDraft>) => void;
  /** Send a test message through a block. */
  onTest: (block: string) => Promise<void>;
}

/** The automations of a deployment: messages about its runs, and events that start them. */
export function AutomationFields(props: IAutomationFieldsProps): JSX.Element {
  const { draft, blocks, error, onChange, onTest } = props;
  return (
    <>
      <NotificationFields
        notifications={draft.notify}
        blocks={blocks}
        error={errorBelow(error, 'notify')}
        onChange={notify => onChange({ notify })}
        onTest={onTest}
      />
      <TriggerFields
        triggers={draft.trigger}
        error={errorBelow(error, 'trigger')}
        onChange={trigger => onChange({ trigger })}
      />
    </>
  );
}

interface ITriggerFieldsProps {
  triggers: readonly ITriggerDraft[];
  /** An error in the triggers; `field` is the path below them. */
  error: ErrorBody | null;
  onChange: (triggers: ITriggerDraft[]) => void;
}

/** Events that start a run. */
function TriggerFields(props: ITriggerFieldsProps): JSX.Element {
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
            { value: 'event', label: trans.__('on an event of Prefect') },
            { value: 'files', label: trans.__('when a file appears') }
          ]}
          onChange={event =>
            onChange({
              ...trigger,
              kind: event.target.value as ITriggerDraft['kind']
            })
          }
        />
      </Field>
      {triggerTexts(trigger.kind, trans).map(({ field, label }) => (
        <TriggerText key={field} {...props} field={field} label={label} />
      ))}
    </div>
  );
}

/** A text of a trigger, with the label of its input. */
interface ITriggerText {
  field: 'after' | 'event' | 'resource' | 'files' | 'parameter';
  label: string;
}

/** Return the texts that a kind of trigger has. */
function triggerTexts(
  kind: ITriggerDraft['kind'],
  trans: TranslationBundle
): ITriggerText[] {
  switch (kind) {
    case 'after':
      return [
        { field: 'after', label: trans.__('Deployment, as flow/deployment') }
      ];
    case 'event':
      return [
        { field: 'event', label: trans.__('Name of the event') },
        { field: 'resource', label: trans.__('Id of its resource (optional)') }
      ];
    case 'files':
      return [
        { field: 'files', label: trans.__('Path, such as /data/*.csv') },
        {
          field: 'parameter',
          label: trans.__('Path parameter (optional)')
        }
      ];
  }
}

function TriggerText(props: ITriggerInputsProps & ITriggerText): JSX.Element {
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
