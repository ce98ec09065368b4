import type { TranslationBundle } from '@jupyterlab/translation';
import { Button, HTMLSelect, InputGroup } from '@jupyterlab/ui-components';
import React, { useState } from 'react';

import type { ErrorBody, Notification } from '../_api';
import { ErrorNote } from '../components/ErrorNote';
import { Field } from '../components/Field';
import { useFieldId } from '../components/useFieldId';
import { useTrans } from '../components/translation';
import { errorBelow, toErrorBody } from '../errors';
import {
  createNotificationDraft,
  type INotificationDraft
} from './automationDraft';
import { ItemList } from './ItemList';

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
        <Field
          id={onId}
          label={trans.__('When a run')}
          error={errorBelow(error, 'on')}
        >
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
        {notification.on === 'overdue' && <HoursField {...props} />}
      </div>
      <TestButton block={notification.block} onTest={props.onTest} />
    </>
  );
}

/** The time in which a run has to complete. */
function HoursField(props: INotificationInputsProps): JSX.Element {
  const trans = useTrans();
  const { notification, error, onChange } = props;
  const id = useFieldId('hours');
  return (
    <Field
      id={id}
      label={trans.__('Hours without a completed run')}
      error={errorBelow(error, 'hours')}
    >
      <InputGroup
        id={id}
        type="number"
        min="0.25"
        step="any"
        data-testid="satflow-notify-hours"
        value={notification.hours}
        onChange={event =>
          onChange({ ...notification, hours: event.target.value })
        }
      />
    </Field>
  );
}

function eventOptions(
  trans: TranslationBundle
): { value: Notification['on']; label: string }[] {
  return [
    { value: 'failed', label: trans.__('fails or crashes') },
    { value: 'late', label: trans.__('is late') },
    { value: 'completed', label: trans.__('completes') },
    { value: 'overdue', label: trans.__('has not completed') }
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
