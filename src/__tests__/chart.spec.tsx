import { render, screen } from '@testing-library/react';
import React from 'react';

import { Chart } from '../components/Chart';

describe('a chart', () => {
  const start = new Date(2026, 0, 1, 9, 58, 30).getTime();

  function show(minutes: number): string[] {
    const times = [start, start + minutes * 60_000];
    render(
      <Chart
        label="Workers"
        unit="workers"
        times={times}
        series={[{ label: 'current', kind: 'main', values: [1, 4] }]}
        events={[]}
        format={String}
      />
    );
    const axis = screen.queryByTestId('satflow-time-axis');
    return [...(axis?.children ?? [])].map(one => one.textContent ?? '');
  }

  it.each([
    [0, []],
    [2, ['09:58:30', '10:00', '10:00:30']],
    [10, ['09:58:30', '10:05', '10:08:30']]
  ])('has the times of %i minutes', (minutes, labels) => {
    expect(show(minutes)).toEqual(labels);
  });

  it('has a unit and zero', () => {
    show(1);
    expect(screen.getByText('4 workers')).toBeTruthy();
    expect(screen.getByText('0')).toBeTruthy();
  });
});
