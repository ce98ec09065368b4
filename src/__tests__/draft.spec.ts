import type { Schedule } from '../_api';
import {
  changedParameters,
  toFormData,
  toJsonTexts,
  createParameterForm
} from '../components/parameterSchema';
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
      schedules: [],
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

describe('parameterForm', () => {
  const form = createParameterForm({
    type: 'object',
    properties: {
      size: { $ref: '#/definitions/Size', position: 2 },
      maybe: {
        anyOf: [{ type: 'number' }, { type: 'null' }],
        default: null,
        position: 0
      },
      where: { type: 'object', default: { a: 1 }, position: 1 },
      pair: {
        type: 'array',
        prefixItems: [{ type: 'number' }, { type: 'string' }]
      },
      names: { type: 'array', items: { type: 'string' } },
      thing: { title: 'thing' }
    },
    definitions: { Size: { enum: ['s', 'l'] } }
  });
  const properties = form.schema.properties as Record<string, object>;

  it('asks in the order of the signature', () => {
    const [first, second, third] = Object.keys(properties);
    expect([first, second, third]).toEqual(['maybe', 'where', 'size']);
  });

  it('makes an optional field of a union with null', () => {
    expect(properties.maybe).toEqual({ type: 'number', position: 0 });
  });

  it('asks for JSON if the schema is too general', () => {
    expect(form.jsonFields).toEqual(['where', 'pair', 'thing']);
    expect(properties.where).toMatchObject({
      type: 'string',
      default: '{"a":1}'
    });
  });

  it('sends only what differs from the defaults', () => {
    const data = { maybe: 2, where: '{"a":1}', names: ['x'] };
    expect(changedParameters(form, data)).toEqual({ maybe: 2, names: ['x'] });
  });

  it('parses JSON fields, and names the one that is not valid', () => {
    const parsed = changedParameters(form, { where: '{"b": 2}' });
    expect(parsed).toEqual({ where: { b: 2 } });
    expect(() => changedParameters(form, { where: '{' })).toThrow('where');
  });

  it('shows values in JSON fields as text', () => {
    expect(toFormData(form, { thing: [1], maybe: 3 })).toEqual({
      thing: '[\n  1\n]',
      maybe: 3
    });
  });

  it('leaves what is typed into a JSON field as it is', () => {
    const typed = { thing: '[1', where: { a: 1 } };
    expect(toJsonTexts(form, typed)).toEqual({
      thing: '[1',
      where: '{\n  "a": 1\n}'
    });
  });
});

describe('form of a parameter', () => {
  const either = { anyOf: [{ type: 'number' }, { type: 'string' }] };
  const form = createParameterForm({
    type: 'object',
    properties: {
      price: either,
      size: { anyOf: [{ type: 'number' }, { type: 'array' }] },
      when: { type: 'string', format: 'date-time' },
      maybe: {
        anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }]
      },
      span: { type: 'string', format: 'duration' }
    }
  });

  it.each([
    ['2.5', 2.5],
    ['"2.50"', '2.50'],
    ['1.100000000000000000000000001', '1.100000000000000000000000001'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
    ['00:30', '00:30']
  ])('takes %s where text is taken as well', (price, value) => {
    expect(changedParameters(form, { price })).toEqual({ price: value });
  });

  it('refuses text that is not JSON in other fields', () => {
    expect(() => changedParameters(form, { size: 'x' })).toThrow('not JSON');
  });

  it('leaves a date and time as it is typed', () => {
    expect(form.schema.properties).toMatchObject({
      when: { type: 'string' },
      maybe: { type: 'string' },
      span: { type: 'string', format: 'duration' }
    });
    expect(JSON.stringify(form.schema)).not.toContain('date-time');
  });
});
