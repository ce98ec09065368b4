import type { SchedulePreview as Reply, SchedulePreviewRequest } from '../_api';
import { createScheduleDraft } from '../register/scheduleDraft';
import { SchedulePreview } from '../register/schedulePreview';

const cron = (line: string) => ({ ...createScheduleDraft('UTC'), cron: line });

/** A server whose answers a test controls. */
function slow() {
  const asked: SchedulePreviewRequest[] = [];
  const answers: ((reply: Reply) => void)[] = [];
  const client = {
    previewSchedule: (request: SchedulePreviewRequest) => {
      asked.push(request);
      return new Promise<Reply>(resolve => answers.push(resolve));
    }
  };
  return { asked, answers, client };
}

describe('SchedulePreview', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('shows no run of an earlier schedule while it computes', async () => {
    const { answers, client } = slow();
    const preview = new SchedulePreview(client);
    preview.update(cron('0 6 * * *'));
    await jest.runAllTimersAsync();
    answers[0]({ next_runs: ['2026-01-02T06:00:00Z'] });
    await jest.runAllTimersAsync();
    expect(preview.nextRuns).toHaveLength(1);
    preview.update(cron('0 7 * * *'));
    expect(preview.nextRuns).toBeNull();
    preview.dispose();
  });

  it('takes no late answer about an earlier schedule', async () => {
    const { asked, answers, client } = slow();
    const preview = new SchedulePreview(client);
    preview.update(cron('0 6 * * *'));
    await jest.runAllTimersAsync();
    preview.update({ ...cron(''), kind: 'interval', seconds: '' });
    answers[0]({ next_runs: ['2026-01-02T06:00:00Z'] });
    await jest.runAllTimersAsync();
    expect(asked).toHaveLength(1);
    expect(preview.nextRuns).toBeNull();
    preview.dispose();
  });
});
