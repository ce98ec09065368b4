import type { Schedule } from '../_api';
import { createParameterForm } from '../components/parameterSchema';
import {
  parseChoices,
  createDraft,
  type IDraft,
  formatMagicLine
} from '../register/draft';
import { createScheduleDraft } from '../register/scheduleDraft';
import { jobVariablesForm, findWorkPool } from '../register/infrastructure';
import { catalogue, deployment, flow, OPTION_DEFAULTS } from './fakes';

const PRESET = { executor: 'threads', timezone: 'Europe/Berlin' };
const FORM = createParameterForm(flow().parameter_schema);
const POOL = jobVariablesForm(findWorkPool(catalogue(), 'k8s'));

const draft = (change: Partial<IDraft> = {}): IDraft => ({
  ...createDraft(flow(), null, PRESET),
  ...change
});

const line = (change: Partial<IDraft> = {}): string =>
  formatMagicLine('tiles', parseChoices(draft(change), FORM, POOL));

describe('draft', () => {
  it('starts with defaults that work', () => {
    expect(parseChoices(draft(), FORM, POOL)).toEqual({
      ...OPTION_DEFAULTS,
      name: 'tiles',
      parameters: {},
      executor: { name: 'threads', options: {} },
      notify: [],
      schedules: [],
      trigger: [],
      work_pool: null,
      tags: [],
      environment: 'warn',
      missed_runs: 'last',
      secrets: [],
      include: [],
      infrastructure: {}
    });
  });

  it('describes the infrastructure in the work pool', () => {
    const infrastructure = {
      image: ' team/tiles:1 ',
      cpu: '1.5',
      memory: '',
      gpus: '',
      env: ['REGION=north', '', 'URL=a=b c'],
      more: { namespace: 'default', labels: '{"team": "sky"}' }
    };
    expect(parseChoices(draft({ infrastructure }), FORM, POOL)).toMatchObject({
      infrastructure: {
        image: 'team/tiles:1',
        cpu: 1.5,
        env: { REGION: 'north', URL: 'a=b c' },
        job_variables: { labels: { team: 'sky' } }
      }
    });
    expect(line({ infrastructure })).toContain(
      `--image team/tiles:1 --cpu 1.5 --env REGION=north --env "URL=a=b c" --job-variable 'labels={"team":"sky"}'`
    );
  });

  it.each([
    [{ env: ['REGION'] }, 'infrastructure.env'],
    [{ more: { labels: '{' } }, 'infrastructure.job_variables.labels']
  ])('refuses text that cannot be parsed: %j', (change, field) => {
    const infrastructure = { ...draft().infrastructure, ...change };
    expect(() => parseChoices(draft({ infrastructure }), FORM, POOL)).toThrow(
      expect.objectContaining({ body: expect.objectContaining({ field }) })
    );
  });

  it('starts with the infrastructure that was registered', () => {
    const before = {
      image: 'team/tiles:1',
      cpu: null,
      memory: 2,
      gpus: null,
      env: { REGION: 'north' },
      job_variables: { labels: { team: 'sky' } }
    };
    const again = createDraft(
      flow(),
      deployment({ infrastructure: before }),
      PRESET
    );
    expect(parseChoices(again, FORM, POOL).infrastructure).toEqual({
      image: 'team/tiles:1',
      memory: 2,
      env: { REGION: 'north' },
      job_variables: { labels: { team: 'sky' } }
    });
  });

  it('uses each line of a list that is not empty', () => {
    const typed = { include: ['data/*.csv ', '', ' maps'], secrets: ['', ''] };
    expect(parseChoices(draft(typed), FORM, POOL)).toMatchObject({
      include: ['data/*.csv', 'maps'],
      secrets: []
    });
    expect(line(typed)).toContain('--include maps');
  });

  it('starts with what was registered', () => {
    const schedules: Schedule[] = [
      {
        kind: 'interval' as const,
        seconds: 60,
        timezone: 'UTC',
        anchor: '2026-01-01T00:00:00Z',
        start: null,
        end: '2026-12-31',
        name: 'often',
        active: false,
        parameters: { count: 3 }
      },
      {
        kind: 'rrule' as const,
        rrule: 'DTSTART:20260101T060000\nRRULE:FREQ=DAILY',
        timezone: 'Asia/Tokyo',
        name: null,
        active: true,
        parameters: {}
      }
    ];
    const before = deployment({
      schedules,
      tags: ['a', 'b'],
      environment: 'refuse',
      secrets: ['KEY']
    });
    const registered = createDraft(flow(), before, PRESET);
    expect(parseChoices(registered, FORM, POOL)).toMatchObject({
      executor: { name: 'dask-local', options: { n_workers: 2 } },
      schedules,
      tags: ['a', 'b'],
      environment: 'refuse',
      secrets: ['KEY']
    });
  });

  it('leaves out options left empty and those of other executors', () => {
    const choices = parseChoices(
      draft({
        executor: 'dask-local',
        options: {
          'dask-local': { n_workers: 4, worker_size: null },
          processes: { max_workers: 3 }
        }
      }),
      FORM,
      POOL
    );
    expect(choices.executor.options).toEqual({ n_workers: 4 });
  });
});

describe('%register_flow line', () => {
  it('is short for the defaults', () => {
    expect(line()).toBe('%register_flow tiles --executor threads');
  });

  it('has all choices', () => {
    const full = line({
      name: 'nightly',
      parameters: { count: 20 },
      executor: 'dask-local',
      options: { 'dask-local': { n_workers: 2, worker_size: 'medium' } },
      schedules: [createScheduleDraft('Europe/Berlin')],
      workPool: 'team',
      tags: 'a, b',
      environment: 'recreate',
      secrets: ['AWS_KEY']
    });
    expect(full).toBe(
      '%register_flow tiles --executor dask-local --n-workers 2 --worker-size medium' +
        ' --cron "0 6 * * *" --timezone Europe/Berlin --param count=20' +
        ' --name nightly --work-pool team --tag a --tag b --environment recreate --secret AWS_KEY'
    );
  });

  it('has an interval', () => {
    const schedule = {
      ...createScheduleDraft('UTC'),
      kind: 'interval' as const
    };
    expect(line({ schedules: [schedule] })).toContain(
      '--interval 3600 --timezone UTC'
    );
  });

  it('has several schedules with their settings', () => {
    const early = {
      ...createScheduleDraft('UTC'),
      name: 'early',
      isActive: false,
      parameters: { count: 4 }
    };
    const fridays = {
      ...createScheduleDraft('UTC'),
      kind: 'rrule' as const,
      rrule: 'DTSTART:20260101T060000\nFREQ=MONTHLY;BYDAY=-1FR'
    };
    const shown = line({ schedules: [early, fridays] });
    expect(shown).toContain(
      `--schedule 'cron="0 6 * * *" timezone=UTC name=early active=false param.count=4'` +
        ` --schedule 'rrule="DTSTART:20260101T060000 FREQ=MONTHLY;BYDAY=-1FR" timezone=UTC'`
    );
  });

  it.each([
    ['text', 'count=text'],
    ['two words', '"count=two words"'],
    ['42', `'count="42"'`],
    [`it's "$x"`, `'count=it'"'"'s "$x"'`],
    [[1, 2], '"count=[1,2]"']
  ])('spells %j as %s', (count, word) => {
    expect(line({ parameters: { count } })).toContain(`--param ${word}`);
  });
});
