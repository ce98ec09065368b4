import type { TranslationBundle } from '@jupyterlab/translation';
import {
  addIcon,
  Button,
  deleteIcon,
  HTMLSelect,
  InputGroup
} from '@jupyterlab/ui-components';
import React, { useContext, useState } from 'react';

import type { ErrorBody, Notification } from '../_api';
import { ErrorNote } from '../components/ErrorNote';
import { Field } from '../components/Field';
import { IconButton } from '../components/IconButton';
import { FormId, useFieldId } from '../components/useFieldId';
import { useTrans } from '../components/translation';
import { errorBelow, toErrorBody } from '../errors';
import {
  createNotificationDraft,
  createTriggerDraft,
  type INotificationDraft,
  type ITriggerDraft
} from './automationDraft';

export interface INotificationFieldsProps {
  notifications: readonly INotificationDraft[];
  /** The Prefect blocks that can send notifications, as `type/name`. */
  blocks: readonly string[];
  /** An error in the notifications; `field` is the path below them. */
  error: ErrorBody | null;
  onChange: (notifications: INotificationDraft[]) => void;
  /** Send a test message through a block. */
  onTest: (block: string) => Promise<void>;
}

/** Messages about the runs, which Prefect sends through its blocks. */
export function NotificationFields(
  props: INotificationFieldsProps
): JSX.Element {
  const trans = useTrans();
  const { notifications, blocks, error, onChange, onTest } = props;
  const isEmpty = blocks.length === 0 && notifications.length === 0;
  return (
    <ItemList
      name="notify"
      label={trans.__('Notifications')}
      addLabel={trans.__('Add notification')}
      hint={
        isEmpty
          ? trans.__(
              'Prefect has no notification block yet, such as a Slack webhook. Create one in Prefect, or in a cell with satflow_ext.save_block, and open this form again.'
            )
          : undefined
      }
      canAdd={!isEmpty}
      items={notifications}
      error={error}
      create={() => createNotificationDraft(blocks[0] ?? '')}
      onChange={onChange}
      render={(one, mistake, change) => (
        <NotificationInputs
          notification={one}
          blocks={blocks}
          error={mistake}
          onChange={change}
          onTest={onTest}
        />
      )}
    />
  );
}

interface INotificationInputsProps {
  notification: INotificationDraft;
  blocks: readonly string[];
  error: ErrorBody | null;
  onChange: (notification: INotificationDraft) => void;
  onTest: (block: string) => Promise<void>;
}

function NotificationInputs(props: INotificationInputsProps): JSX.Element {
  const trans = useTrans();
  const { notification, blocks, error, onChange } = props;
  const onId = useFieldId('on');
  const blockId = useFieldId('block');
  const known = [...new Set([notification.block, ...blocks])];
  return (
    <>
      <div className="jp-Satflow-columns">
        <Field id={onId} label={trans.__('When a run')}>
          <HTMLSelect
            id={onId}
            data-testid="satflow-notify-on"
            value={notification.on}
            options={eventOptions(trans)}
            onChange={event =>
              onChange({
                ...notification,
                on: event.target.value as Notification['on']
              })
            }
          />
        </Field>
        <Field
          id={blockId}
          label={trans.__('Send a message with')}
          error={errorBelow(error, 'block')}
        >
          <HTMLSelect
            id={blockId}
            data-testid="satflow-notify-block"
            value={notification.block}
            options={known}
            onChange={event =>
              onChange({ ...notification, block: event.target.value })
            }
          />
        </Field>
      </div>
      <TestButton block={notification.block} onTest={props.onTest} />
    </>
  );
}

function eventOptions(
  trans: TranslationBundle
): { value: Notification['on']; label: string }[] {
  return [
    { value: 'failed', label: trans.__('fails or crashes') },
    { value: 'late', label: trans.__('is late') },
    { value: 'completed', label: trans.__('completes') }
  ];
}

/** The result of a test message; null while none was sent. */
type TestResult = 'sending' | 'sent' | ErrorBody | null;

/** Sends a test message, and shows the answer of the service that receives it. */
function TestButton(props: {
  block: string;
  onTest: (block: string) => Promise<void>;
}): JSX.Element {
  const trans = useTrans();
  const { block, onTest } = props;
  const [result, setResult] = useState<TestResult>(null);
  const send = async () => {
    setResult('sending');
    try {
      await onTest(block);
      setResult('sent');
    } catch (reason) {
      setResult(toErrorBody(reason));
    }
  };
  const isSending = result === 'sending';
  return (
    <div className="jp-Satflow-test">
      <Button
        type="button"
        className="jp-mod-styled"
        data-testid="satflow-notify-test"
        aria-disabled={isSending}
        onClick={isSending ? undefined : () => void send()}
      >
        {isSending ? trans.__('Sending…') : trans.__('Send test')}
      </Button>
      <span role="status">
        {result === 'sent' && trans.__('Sent with %1.', block)}
      </span>
      {result !== null && typeof result === 'object' && (
        <ErrorNote error={result} />
      )}
    </div>
  );
}

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

interface IItemListProps<Item extends { key: string }> {
  /** The request field. */
  name: string;
  label: string;
  addLabel: string;
  hint?: string;
  canAdd: boolean;
  items: readonly Item[];
  error: ErrorBody | null;
  create: () => Item;
  onChange: (items: Item[]) => void;
  render: (
    item: Item,
    error: ErrorBody | null,
    onChange: (item: Item) => void
  ) => JSX.Element;
}

/** A list of items that the user can extend; each has inputs with ids of their own. */
function ItemList<Item extends { key: string }>(
  props: IItemListProps<Item>
): JSX.Element {
  const trans = useTrans();
  const { name, label, items, error, hint, onChange } = props;
  const id = useFieldId(name);
  const formId = useContext(FormId);
  return (
    <fieldset className="jp-Satflow-fieldset" id={id}>
      <legend>{label}</legend>
      {hint && <p className="jp-Satflow-hint">{hint}</p>}
      {items.map((item, position) => (
        <FormId.Provider key={item.key} value={`${formId}-${name}-${position}`}>
          <div
            className="jp-Satflow-item"
            id={`${formId}-${name}-${position}`}
            data-testid={`satflow-${name}-item`}
          >
            <div className="jp-Satflow-itemInputs">
              {props.render(
                item,
                errorBelow(error, String(position)),
                changed =>
                  onChange(
                    items.map(one => (one.key === changed.key ? changed : one))
                  )
              )}
              <WholeError error={errorBelow(error, String(position))} />
            </div>
            <IconButton
              icon={deleteIcon}
              label={trans.__('Remove %1 %2', label, position + 1)}
              onClick={() =>
                onChange(items.filter(one => one.key !== item.key))
              }
              testId={`satflow-remove-${name}`}
            />
          </div>
        </FormId.Provider>
      ))}
      <WholeError error={error} />
      {props.canAdd && (
        <div>
          <Button
            type="button"
            className="jp-mod-styled jp-Satflow-add"
            data-testid={`satflow-add-${name}`}
            onClick={() => onChange([...items, props.create()])}
          >
            <addIcon.react tag="span" elementSize="normal" />
            {props.addLabel}
          </Button>
        </div>
      )}
    </fieldset>
  );
}

/** The error of a whole item or list, as opposed to one of its inputs. */
function WholeError({ error }: { error: ErrorBody | null }): JSX.Element {
  return <>{error?.field === null && <ErrorNote error={error} />}</>;
}
