import { UUID } from '@lumino/coreutils';

import type { Notification, Trigger } from '../_api';
import { quoteShellWord } from '../components/shellWords';

/** A notification in the form. */
export interface INotificationDraft {
  /** Identifies it among those of the form. */
  key: string;
  on: Notification['on'];
  /** The Prefect block that sends it, as `type/name`. */
  block: string;
  /** The time in which a run has to complete, for `overdue`; kept while another event is selected. */
  hours: string;
}

/** A trigger in the form. The values of each kind are kept while another kind is selected. */
export interface ITriggerDraft {
  /** Identifies it among those of the form. */
  key: string;
  kind: 'after' | 'event' | 'files';
  /** Another deployment, as `flow/deployment`. */
  after: string;
  event: string;
  resource: string;
  /** The path of a file, with wildcards. */
  files: string;
  /** The parameter that gets the path of the file. */
  parameter: string;
}

/** A day, and time for the run itself. */
const DEFAULT_HOURS = '26';

/** Return a new notification: a run that fails. */
export function createNotificationDraft(block: string): INotificationDraft {
  return { key: UUID.uuid4(), on: 'failed', block, hours: DEFAULT_HOURS };
}

/** Return a new trigger: after another deployment. */
export function createTriggerDraft(): ITriggerDraft {
  return {
    key: UUID.uuid4(),
    kind: 'after',
    after: '',
    event: '',
    resource: '',
    files: '',
    parameter: ''
  };
}

/** Return the form's notifications of a registered deployment. */
export function createNotificationDrafts(
  registered: readonly Notification[]
): INotificationDraft[] {
  return registered.map(({ on, block, hours }) => ({
    ...createNotificationDraft(block),
    on,
    hours: hours === null ? DEFAULT_HOURS : String(hours)
  }));
}

/** Return the form's triggers of a registered deployment. */
export function createTriggerDrafts(
  registered: readonly Trigger[]
): ITriggerDraft[] {
  return registered.map(({ after, event, resource, files, parameter }) => ({
    ...createTriggerDraft(),
    kind: after !== null ? 'after' : files !== null ? 'files' : 'event',
    after: after ?? '',
    event: event ?? '',
    resource: resource ?? '',
    files: files ?? '',
    parameter: parameter ?? ''
  }));
}

/** Return the notifications that the form describes. */
export function parseNotifications(
  drafts: readonly INotificationDraft[]
): Notification[] {
  return drafts.map(({ on, block, hours }) => ({
    on,
    block: block.trim(),
    hours: on === 'overdue' && hours.trim() ? Number(hours) : null
  }));
}

/** Return the triggers that the form describes. */
export function parseTriggers(drafts: readonly ITriggerDraft[]): Trigger[] {
  return drafts.map(({ kind, after, event, resource, files, parameter }) => ({
    after: kind === 'after' ? after.trim() : null,
    event: kind === 'event' ? event.trim() : null,
    resource: kind === 'event' ? resource.trim() || null : null,
    files: kind === 'files' ? files.trim() : null,
    parameter: kind === 'files' ? parameter.trim() || null : null
  }));
}

/** Format notifications and triggers as flags of the magic. */
export function automationFlags(
  notify: readonly Notification[],
  trigger: readonly Trigger[]
): string[][] {
  return [
    ...notify.map(({ on, block, hours }) => [
      '--notify',
      `${on}=${block}${hours === null ? '' : ` hours=${hours}`}`
    ]),
    ...trigger.map(one => ['--trigger', formatTrigger(one)])
  ];
}

/** Format a trigger as NAME=VALUE parts, which are split like words of a shell. */
function formatTrigger(trigger: Trigger): string {
  return TRIGGER_PARTS.filter(name => trigger[name] !== null)
    .map(name => `${name}=${quoteShellWord(trigger[name] ?? '')}`)
    .join(' ');
}

const TRIGGER_PARTS = [
  'after',
  'event',
  'resource',
  'files',
  'parameter'
] as const;
