import { RequestFailed } from '../errors';
import type { IDraft } from '../register/draft';
import { createScheduleDraft } from '../register/scheduleDraft';
import { form } from './registering';

describe('an error in the register form', () => {
  it.each<[string, Partial<IDraft>]>([
    ['name', { name: 'other' }],
    ['parameters.count', { parameters: { count: 3 } }],
    ['executor.options.n_workers', { options: { threads: { workers: 1 } } }],
    ['work_pool', { workPool: 'k8s' }],
    ['tags', { tags: 'a' }],
    ['secrets.0', { secrets: ['A'] }],
    ['include', { include: ['a'] }],
    ['environment', { environment: 'refuse' }]
  ])('removes the error in %s when it is corrected', (field, change) => {
    const { model } = form();
    const refuse = () =>
      model.showError(
        new RequestFailed({ error: 'Wrong', message: 'No.', fix: null, field })
      );
    refuse();
    model.changeDraft(change);
    expect(model.error).toBeNull();
    refuse();
    model.changeDraft(change);
    expect(model.error).not.toBeNull();
  });

  it('shows at its field that an interval is empty, and does not send 0', async () => {
    const { model, sent } = form();
    const daily = createScheduleDraft('UTC');
    const often = { ...createScheduleDraft('UTC'), kind: 'interval' as const };
    const previewError = () => model.preview.previews.get(often.key)?.error;
    model.changeDraft({ schedules: [daily, { ...often, seconds: '' }] });
    expect(previewError()?.field).toBe('schedule.seconds');
    await model.register();
    expect(model.error?.field).toBe('schedules.1.seconds');
    expect(sent).toEqual([]);
    model.changeDraft({ schedules: [daily, { ...often, seconds: '90' }] });
    expect([model.error, previewError()]).toEqual([null, null]);
    await model.register();
    expect(sent[0].schedules).toMatchObject([
      { kind: 'cron' },
      { kind: 'interval', seconds: 90 }
    ]);
  });
});
