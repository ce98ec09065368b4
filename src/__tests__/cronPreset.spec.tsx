import { fireEvent, screen } from '@testing-library/react';

import { createParameterForm } from '../components/parameterSchema';
import {
  formatCronPreset,
  type ICronPreset,
  parseCronPreset,
  type Repeat
} from '../register/cronPreset';
import type { IDraft } from '../register/draft';
import type { EveryUnit } from '../register/everySchedule';
import {
  createScheduleDraft,
  createScheduleDrafts,
  type IScheduleDraft,
  parseScheduleTimes,
  scheduleFlags
} from '../register/scheduleDraft';
import { show } from './renderedForm';

const FORM = createParameterForm({ properties: {} });

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

describe('a schedule that runs every N minutes or hours', () => {
  const every = (kind: EveryUnit, typed: string): IScheduleDraft => ({
    ...createScheduleDraft('UTC'),
    kind,
    every: typed
  });

  it.each([
    ['minutes', '1', { kind: 'cron', cron: '* * * * *' }],
    ['minutes', '15', { kind: 'cron', cron: '*/15 * * * *' }],
    ['hours', '6', { kind: 'cron', cron: '0 */6 * * *' }],
    ['minutes', '45', { kind: 'interval', seconds: 2700 }],
    ['minutes', '60', { kind: 'interval', seconds: 3600 }],
    ['hours', '5', { kind: 'interval', seconds: 18000 }],
    ['hours', '168', { kind: 'interval', seconds: 604800 }]
  ] as const)('is written for %s, %s as %j', (unit, typed, expected) => {
    const schedule = parseScheduleTimes(every(unit, typed));
    expect(schedule).toMatchObject(expected);
    const [again] = createScheduleDrafts([schedule], FORM);
    expect(parseScheduleTimes(again)).toEqual(schedule);
  });

  it.each([
    ['minutes', '15'],
    ['minutes', '45'],
    ['hours', '6'],
    ['hours', '5']
  ] as const)('is shown as it was chosen: %s, %s', (unit, typed) => {
    const schedule = parseScheduleTimes(every(unit, typed));
    expect(createScheduleDrafts([schedule], FORM)[0]).toMatchObject({
      kind: unit,
      every: typed
    });
  });

  it.each(['', '0', '-5', '1.5', '100000', 'x', 'NaN', '1e9'])(
    'is refused for %j',
    typed => {
      for (const unit of ['minutes', 'hours'] as const) {
        expect(() => parseScheduleTimes(every(unit, typed))).toThrow(
          expect.objectContaining({
            body: expect.objectContaining({
              field: 'schedule.every',
              fix: expect.stringContaining('a whole number from 1 to')
            })
          })
        );
      }
    }
  );

  it.each([900, 7200, 3601, 30])(
    'does not replace another interval: %d s',
    seconds => {
      const schedule = parseScheduleTimes({
        ...createScheduleDraft('UTC'),
        kind: 'interval',
        seconds: String(seconds)
      });
      const [draft] = createScheduleDrafts([schedule], FORM);
      expect(parseScheduleTimes(draft)).toEqual(schedule);
    }
  );

  it('is chosen in the form, with a start and an end', () => {
    const actions = show({ schedules: [every('hours', '6')] });
    expect(screen.getAllByText(/every 6 hours/).length).toBe(2);
    fireEvent.change(screen.getByLabelText('Hours between runs'), {
      target: { value: '8' }
    });
    fireEvent.change(screen.getByLabelText('Start date (optional)'), {
      target: { value: '2026-03-01' }
    });
    fireEvent.change(screen.getByLabelText('End date (optional)'), {
      target: { value: '2026-10-31' }
    });
    const [typed, start, end] = schedulesOf(actions);
    expect(typed.every).toBe('8');
    const bounded = { ...start, end: end.end };
    const schedule = parseScheduleTimes(bounded);
    expect(schedule).toMatchObject({ start: '2026-03-01', end: '2026-10-31' });
    expect(createScheduleDrafts([schedule], FORM)[0]).toMatchObject({
      start: '2026-03-01',
      end: '2026-10-31'
    });
    expect(scheduleFlags([schedule])).toEqual([
      [
        '--schedule',
        'cron="0 */6 * * *" timezone=UTC start=2026-03-01 end=2026-10-31'
      ]
    ]);
  });
});
