import { fireEvent, screen, waitFor } from '@testing-library/react';

import { createParameterForm } from '../components/parameterSchema';
import { RequestFailed } from '../errors';
import {
  createNotificationDraft,
  createTriggerDraft,
  parseNotifications
} from '../register/automationDraft';
import { createDraft, formatMagicLine, parseChoices } from '../register/draft';
import { catalogue, deployment, flow } from './fakes';
import { preset, show, wrong } from './renderedForm';

const FORM = createParameterForm({});
const SLACK = 'slack-webhook/team';
const notify = [createNotificationDraft(SLACK)];
const overdue = { ...notify[0], key: 'overdue', on: 'overdue' as const };
const trigger = [
  { ...createTriggerDraft(), after: ' etl/nightly ' },
  { ...createTriggerDraft(), kind: 'event' as const, event: 'orders.*' },
  {
    ...createTriggerDraft(),
    kind: 'files' as const,
    files: '/data/new files/*.csv',
    parameter: 'path'
  }
];
const none = {
  after: null,
  event: null,
  resource: null,
  files: null,
  parameter: null
};

describe('notifications and triggers', () => {
  it('become choices and flags of the line', () => {
    const draft = {
      ...createDraft(flow(), null, preset),
      notify: [...notify, { ...overdue, hours: '1.5' }],
      trigger
    };
    const choices = parseChoices(draft, FORM, FORM);
    expect(choices).toMatchObject({
      notify: [
        { on: 'failed', block: SLACK, hours: null },
        { on: 'overdue', block: SLACK, hours: 1.5 }
      ],
      trigger: [
        { ...none, after: 'etl/nightly' },
        { ...none, event: 'orders.*' },
        { ...none, files: '/data/new files/*.csv', parameter: 'path' }
      ]
    });
    expect(formatMagicLine('tiles', choices)).toContain(
      '--notify failed=slack-webhook/team --notify "overdue=slack-webhook/team hours=1.5"' +
        ` --trigger after=etl/nightly --trigger 'event="orders.*"'` +
        ` --trigger 'files="/data/new files/*.csv" parameter=path'`
    );
    const before = deployment({
      notify: choices.notify,
      trigger: choices.trigger
    });
    const again = createDraft(flow(), before, preset);
    expect(parseChoices(again, FORM, FORM)).toMatchObject({
      notify: choices.notify,
      trigger: choices.trigger
    });
  });

  it('are added, changed and removed', () => {
    const actions = show({ notify, trigger });
    fireEvent.click(screen.getByTestId('satflow-add-notify'));
    fireEvent.change(screen.getByLabelText('When a run'), {
      target: { value: 'late' }
    });
    fireEvent.click(screen.getByTestId('satflow-remove-notify'));
    fireEvent.click(screen.getByTestId('satflow-add-trigger'));
    fireEvent.click(screen.getAllByTestId('satflow-remove-trigger')[0]);
    const changes = actions.onChange.mock.calls
      .map(([change]) => change)
      .filter(one => one.notify ?? one.trigger); // other forms fill in defaults
    expect(changes.map(one => (one.notify ?? one.trigger).length)).toEqual([
      2, 1, 0, 4, 2
    ]);
    expect(changes[1].notify[0].on).toBe('late');
  });

  it('ask for hours only if a run has to complete in time', () => {
    const actions = show({ notify: [notify[0], overdue] });
    const hours = screen.getAllByTestId('satflow-notify-hours');
    expect(hours).toHaveLength(1);
    fireEvent.change(hours[0], { target: { value: '50' } });
    expect(actions.onChange).toHaveBeenLastCalledWith({
      notify: [notify[0], { ...overdue, hours: '50' }]
    });
    expect(parseNotifications([{ ...overdue, hours: '' }])[0].hours).toBeNull();
  });

  it('show what a test message led to', async () => {
    const onTest = jest
      .fn()
      .mockResolvedValueOnce(undefined)
      .mockRejectedValueOnce(new RequestFailed(wrong()));
    const actions = show({ notify });
    actions.onTestNotification.mockImplementation(onTest);
    fireEvent.click(screen.getByTestId('satflow-notify-test'));
    await waitFor(() => screen.getByText('Sent with slack-webhook/team.'));
    fireEvent.click(screen.getByTestId('satflow-notify-test'));
    await waitFor(() => screen.getByText('It is wrong.'));
    expect(onTest).toHaveBeenCalledWith('slack-webhook/team');
  });

  it.each([
    ['notify.0.block', 'block'],
    ['notify.0.on', 'on'],
    ['trigger.0.after', 'after'],
    ['trigger.1.event', 'event'],
    ['trigger.2.files', 'files'],
    ['trigger.2.parameter', 'parameter']
  ])('show an error in %s at its input', (field, id) => {
    show({ notify, trigger }, wrong({ field }));
    expect(screen.getAllByRole('alert')).toHaveLength(1);
    expect(document.activeElement?.id).toMatch(new RegExp(`-${id}$`));
  });

  it('say where blocks come from if Prefect has none', () => {
    const empty = { ...catalogue(), notification_blocks: [] };
    show({}, null, null, { catalogue: empty });
    expect(screen.getByText(/Prefect has no notification block/)).toBeTruthy();
    expect(screen.queryByTestId('satflow-add-notify')).toBeNull();
  });
});
