import { screen } from '@testing-library/react';

import { deployment } from './fakes';
import { cron, described, show, wrong } from './renderedForm';

describe('RegisterForm', () => {
  it('gives two open forms ids of their own', () => {
    show({ schedules: [cron], executor: 'dask-local', workPool: 'k8s' });
    show({ schedules: [cron], executor: 'dask-local', workPool: 'k8s' });
    const ids = [...document.querySelectorAll('[id]')].map(one => one.id);
    expect(ids.length).toBeGreaterThan(20);
    expect(new Set(ids).size).toBe(ids.length);
    const fields = [
      ...document.querySelectorAll<HTMLInputElement>('input, select, textarea')
    ];
    const unlabeled = fields.filter(one => one.labels?.length !== 1);
    expect(unlabeled.map(one => one.id)).toEqual([]);
    const radios = screen.getAllByRole('radio', { name: /Threads/ });
    expect(new Set(radios.map(one => one.getAttribute('name'))).size).toBe(2);
  });

  it('shows an error in the schedule together with another error', () => {
    const scheduleError = wrong({
      field: 'schedule.cron',
      message: 'No cron.'
    });
    const previews = new Map([
      [cron.key, { nextRuns: null, error: scheduleError }]
    ]);
    show({ schedules: [cron] }, wrong({ field: 'name' }), null, { previews });
    expect(screen.getByText('No cron.')).toBeTruthy();
    expect(screen.getByText('It is wrong.')).toBeTruthy();
  });

  it.each([
    ['KernelNotFound', /kernel of tiles.ipynb is not running/],
    ['FlowNotFound', /does not have the flow tiles: the kernel was restarted/],
    ['KernelBusy', /It is wrong/]
  ])('explains %s in terms of the notebook', (error, words) => {
    show({}, wrong({ error }));
    expect(screen.getByRole('alert').textContent).toMatch(words);
  });

  it('shows which notebook registered a deployment of that name', () => {
    const foreign = deployment({ notebook: '/home/me/other.ipynb' });
    show({}, null, null, { foreignDeployment: foreign });
    expect(described(screen.getByLabelText('Name'))).toContain(
      '/home/me/other.ipynb'
    );
  });
});
