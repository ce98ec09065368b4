import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen } from '@testing-library/react';
import React from 'react';

import type { ErrorBody, Registered } from '../_api';
import { draftOf, type IDraft } from '../models/draft';
import { parameterForm } from '../models/parameterSchema';
import { type IRegisterFormProps, RegisterForm } from '../views/RegisterForm';
import { catalogue, deployment, flow } from './fakes';

const trans = nullTranslator.load('satflow_ext');

const wrong = (change: Partial<ErrorBody> = {}): ErrorBody => ({
  error: 'Wrong',
  message: 'It is wrong.',
  fix: 'Do this.',
  field: null,
  ...change
});

/** The words that an input is described by. */
function described(input: HTMLElement): string {
  const ids = input.getAttribute('aria-describedby')?.split(' ') ?? [];
  return ids.map(id => document.getElementById(id)?.textContent ?? '').join('');
}

describe('RegisterForm', () => {
  const form = parameterForm(flow().parameter_schema);
  const preset = { executor: 'threads', timezone: 'UTC' };
  const show = (
    change: Partial<IDraft> = {},
    error: ErrorBody | null = null,
    registered: Registered | null = null,
    more: Partial<IRegisterFormProps> = {}
  ) => {
    const actions = {
      onChange: jest.fn(),
      onRegister: jest.fn(),
      onOverwrite: jest.fn(),
      onRegisterAndRun: jest.fn(),
      onCopyCode: jest.fn(),
      onCheck: jest.fn(),
      onRehearse: jest.fn(),
      onAskClass: jest.fn()
    };
    render(
      <RegisterForm
        flow={flow()}
        form={form}
        draft={{ ...draftOf(flow(), null, preset), ...change }}
        intent="register"
        asked={1}
        scheduleError={null}
        catalogue={catalogue()}
        clusterClass={{ found: null, error: null, isBusy: false }}
        preflight={{ report: null, error: null, doing: null }}
        nextRuns={['2026-01-02T06:00:00Z']}
        needed="peak 3.1 of 16 GiB over 12 runs: medium would do"
        error={error}
        isSending={false}
        canOverwrite={false}
        registered={registered}
        actions={actions}
        trans={trans}
        {...more}
      />
    );
    return actions;
  };
  const cron = {
    kind: 'cron' as const,
    cron: '0 6 * * *',
    seconds: 60,
    timezone: 'UTC'
  };

  it('registers on Enter', () => {
    const actions = show();
    fireEvent.submit(screen.getByTestId('satflow-register-form'));
    expect(actions.onRegister).toHaveBeenCalledTimes(1);
  });

  it('offers to overwrite only where that is the way out', () => {
    show();
    expect(screen.queryByTestId('satflow-overwrite')).toBeNull();
  });

  it('overwrites on request', () => {
    const refused = wrong({ error: 'DeploymentDrifted', field: 'name' });
    const actions = show({}, refused, null, { canOverwrite: true });
    fireEvent.click(screen.getByRole('button', { name: 'Overwrite' }));
    expect(actions.onOverwrite).toHaveBeenCalledTimes(1);
    expect(actions.onRegister).not.toHaveBeenCalled();
  });

  it('runs on Enter what the user wanted to run', () => {
    const actions = show({}, null, null, { intent: 'run' });
    const button = screen.getByRole('button', { name: 'Register and run' });
    expect(document.activeElement).toBe(button);
    fireEvent.submit(screen.getByTestId('satflow-register-form'));
    expect(actions.onRegisterAndRun).toHaveBeenCalledTimes(1);
    expect(actions.onRegister).not.toHaveBeenCalled();
  });

  it('goes to what a run lacks', () => {
    const schema = {
      type: 'object',
      required: ['place'],
      properties: {
        count: { type: 'integer', title: 'count', default: 12 },
        place: { type: 'string', title: 'place', description: 'Which one.' }
      }
    };
    show({}, null, null, { intent: 'run', form: parameterForm(schema) });
    const place = screen.getByRole('textbox', { name: 'place' });
    expect(document.activeElement).toBe(place);
    expect(described(place)).toBe('Which one.');
  });

  it('steals no focus when it is opened again by a reload', () => {
    show({}, null, null, { asked: 0 });
    expect(document.activeElement).toBe(document.body);
  });

  it('ties a mistake inside of a parameter to its input', () => {
    const schema = {
      type: 'object',
      properties: { box: { $ref: '#/$defs/Box' } },
      $defs: {
        Box: {
          type: 'object',
          title: 'Box',
          properties: { sides: { type: 'array', items: { type: 'integer' } } }
        }
      }
    };
    show(
      { parameters: { box: { sides: [1, 2] } } },
      wrong({ field: 'parameters.box.sides.1' }),
      null,
      { form: parameterForm(schema) }
    );
    const input = screen.getByRole('spinbutton', { name: 'sides 2' });
    expect(input.getAttribute('aria-invalid')).toBe('true');
    expect(described(input)).toBe('It is wrong.Do this.');
    expect(document.activeElement).toBe(input);
  });

  it('asks for parameters by their type', () => {
    const actions = show();
    const input = document.getElementById('satflow-parameters_count');
    expect(input?.getAttribute('type')).toBe('number');
    fireEvent.change(input as HTMLElement, { target: { value: '20' } });
    expect(actions.onChange).toHaveBeenCalledWith({
      parameters: { count: 20 }
    });
  });

  it('chooses an executor by its card', () => {
    const actions = show();
    fireEvent.click(
      screen.getByRole('radio', { name: /Dask on this machine/ })
    );
    expect(actions.onChange).toHaveBeenCalledWith({ executor: 'dask-local' });
  });

  it('disables the sizes that this machine cannot give, and says why', () => {
    show({ executor: 'dask-local' });
    const option = screen.getByRole('option', { name: /xlarge/ });
    expect((option as HTMLOptionElement).disabled).toBe(true);
    expect(option.title).toBe('This machine has 2 cores.');
    expect(
      screen.getByText(
        /Last runs: peak 3.1 of 16 GiB over 12 runs: medium would do/
      )
    ).toBeTruthy();
  });

  it('leaves it to a Dask Gateway which sizes that can give', () => {
    const options = { 'dask-local': { gateway: 'team' } };
    show({ executor: 'dask-local', options });
    const option = screen.getByRole('option', { name: /xlarge/ });
    expect((option as HTMLOptionElement).disabled).toBe(false);
    expect(screen.getByText(/back end says what it can give/)).toBeTruthy();
  });

  it('tells a cron line in words, with the next runs', () => {
    show({ schedule: cron });
    expect(screen.getByText('At 06:00')).toBeTruthy();
    expect(screen.getByTestId('satflow-next-runs').textContent).toMatch(
      /06:00/
    );
  });

  it('always shows the time zone', () => {
    show();
    expect(screen.getByLabelText('Time zone')).toBeTruthy();
  });

  it('warns of a work pool that nobody polls', () => {
    show();
    expect(screen.getByText(/No Prefect worker polls it/)).toBeTruthy();
  });

  it.each([
    ['schedule.cron', 'satflow-cron'],
    ['name', 'satflow-name'],
    ['parameters.count', 'satflow-parameters_count'],
    ['executor.options.worker_size', 'satflow-worker-size'],
    ['executor.options.n_workers', 'satflow-options_n_workers'],
    ['work_pool', 'satflow-work-pool'],
    ['tags', 'satflow-tags'],
    ['include', 'satflow-include'],
    ['secrets.1', 'satflow-secrets'],
    ['infrastructure.env.REGION', 'satflow-env'],
    ['infrastructure.memory', 'satflow-memory']
  ])('shows a mistake in %s there, and goes there', (field, id) => {
    show({ schedule: cron, executor: 'dask-local' }, wrong({ field }));
    expect(screen.getByText('It is wrong.')).toBeTruthy();
    expect(document.activeElement?.id).toBe(id);
  });

  it('asks for what the work pool takes', () => {
    const actions = show({ workPool: 'k8s' });
    expect(screen.getByLabelText('Container image')).toBeTruthy();
    expect(screen.queryByLabelText('GPUs')).toBeNull();
    expect(screen.queryByLabelText('Namespace')).toBeNull();
    const others = screen.getByText('Other job variables of k8s');
    const details = others.parentElement as HTMLDetailsElement;
    details.open = true;
    fireEvent(details, new Event('toggle'));
    expect(screen.getByLabelText('Namespace')).toBeTruthy();
    fireEvent.change(screen.getByLabelText('Memory, in GiB'), {
      target: { value: '4' }
    });
    expect(actions.onChange).toHaveBeenCalledWith({
      infrastructure: expect.objectContaining({ memory: '4', image: '' })
    });
  });

  it('shows what was set although the work pool does not take it', () => {
    const { infrastructure } = draftOf(flow(), null, preset);
    show({ infrastructure: { ...infrastructure, gpus: '2' } });
    expect(screen.getByLabelText('GPUs')).toHaveProperty('value', '2');
    expect(screen.queryByLabelText('Cores')).toBeNull();
  });

  it('takes names and patterns line by line', () => {
    const actions = show({ secrets: ['A'] });
    expect(screen.getByTestId('satflow-advanced')).toHaveProperty('open', true);
    const input = screen.getByLabelText('Secrets, by name');
    expect(described(input)).toContain('Values stay out of here');
    fireEvent.change(input, { target: { value: 'A\nB' } });
    expect(actions.onChange).toHaveBeenCalledWith({ secrets: ['A', 'B'] });
    fireEvent.click(screen.getByRole('radio', { name: /^Refuse:/ }));
    expect(actions.onChange).toHaveBeenCalledWith({ environment: 'refuse' });
  });

  it('shows any other mistake at the top, with what to do', () => {
    show({}, wrong());
    expect(screen.getByRole('alert').textContent).toContain('Do this.');
    expect(document.activeElement).toBe(screen.getByRole('alert'));
  });

  it.each([
    ['created', 'tiles is registered, version 3.'],
    ['changed', 'tiles is now version 3.'],
    ['unchanged', 'tiles is unchanged: still version 3.'],
    ['restored', 'tiles is as version 3 says again.']
  ] as const)('says what happened: %s', (outcome, words) => {
    const actions = show({}, null, registered({ outcome }));
    expect(screen.getByText(words)).toBeTruthy();
    fireEvent.click(screen.getByTestId('satflow-run-now'));
    expect(actions.onRegisterAndRun).toHaveBeenCalledTimes(1);
  });
});

function registered(changes: Partial<Registered>): Registered {
  const digest = `sha256:${'0'.repeat(64)}`;
  return {
    deployment: deployment(),
    outcome: 'changed',
    content: digest,
    content_size: 2048,
    manifest: digest,
    files: [],
    kept: [],
    warnings: [],
    ...changes
  };
}
