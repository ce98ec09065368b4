import { fireEvent, screen } from '@testing-library/react';

import {
  formatCronPreset,
  type ICronPreset,
  parseCronPreset,
  type Repeat
} from '../register/cronPreset';
import type { IDraft } from '../register/draft';
import { createScheduleDraft } from '../register/scheduleDraft';
import { show } from './renderedForm';

const REPEATS: Repeat[] = ['hourly', 'daily', 'weekdays', 'weekly', 'monthly'];
const PRESETS = REPEATS.flatMap(repeat =>
  [0, 7, 23].flatMap(hour =>
    [0, 59].map((minute): ICronPreset => {
      const [weekday, day] = [hour % 7, hour + 1];
      return { repeat, minute, hour, weekday, day };
    })
  )
);

const scheduled = (cron: string, more: object = {}): Partial<IDraft> => ({
  schedules: [{ ...createScheduleDraft('UTC'), cron, ...more }]
});

const schedulesOf = (actions: ReturnType<typeof show>) =>
  actions.onChange.mock.calls.flatMap(([{ schedules }]) => schedules ?? []);

describe('a simple cron expression', () => {
  it.each(PRESETS)('is read as it was written: %j', preset => {
    const cron = formatCronPreset(preset);
    const read = parseCronPreset(cron);
    expect(read?.repeat).toBe(preset.repeat);
    expect(formatCronPreset(read!)).toBe(cron);
  });

  it.each([
    '',
    '* * * * *',
    '*/5 * * * *',
    '60 6 * * *',
    '0 24 * * *',
    '0 6 0 * *',
    '0 6 32 * *',
    '0 6 1 * 1',
    '0 6 * 1 *',
    '0 6 * * 7',
    '0 6 * * 1-6',
    '0 6,18 * * *',
    '0 6 * * * *',
    '@daily'
  ])('is shown as an expression if it says more: %s', cron => {
    expect(parseCronPreset(cron)).toBeNull();
    show(scheduled(cron));
    expect(screen.getByTestId('satflow-cron')).toBeTruthy();
    expect(screen.getByTestId('satflow-schedule-kind')).toHaveProperty(
      'value',
      'cron'
    );
  });

  it('is chosen by times and days', () => {
    const actions = show(scheduled('30 7 * * 1'));
    expect(screen.queryByTestId('satflow-cron')).toBeNull();
    fireEvent.change(screen.getByLabelText('Time'), {
      target: { value: '18:05' }
    });
    fireEvent.change(screen.getByLabelText('Day of the week'), {
      target: { value: '0' }
    });
    const choose = (value: string) =>
      fireEvent.change(screen.getByLabelText('Schedule type'), {
        target: { value }
      });
    choose('monthly');
    choose('hourly');
    choose('cron');
    choose('interval');
    const schedules = schedulesOf(actions);
    expect(schedules.map(({ kind, cron }) => [kind, cron])).toEqual([
      ['cron', '5 18 * * 1'],
      ['cron', '30 7 * * 0'],
      ['cron', '30 7 1 * *'],
      ['cron', '30 * * * *'],
      ['cron', '30 7 * * 1'],
      ['interval', '30 7 * * 1']
    ]);
    expect(schedules[4].isCustom).toBe(true);
  });

  it('is not emptied by a time that is not complete', () => {
    const actions = show(scheduled('30 7 * * *'));
    fireEvent.change(screen.getByLabelText('Time'), { target: { value: '' } });
    expect(schedulesOf(actions)).toEqual([]);
  });

  it('says which months have no such day', () => {
    show(scheduled('0 6 31 * *'));
    expect(
      screen.getByText('Months without a day 31 are skipped.')
    ).toBeTruthy();
  });

  it('is shown as an expression if the user prefers that', () => {
    show(scheduled('0 6 * * *', { isCustom: true }));
    expect(screen.getByTestId('satflow-cron')).toHaveProperty(
      'value',
      '0 6 * * *'
    );
  });
});
