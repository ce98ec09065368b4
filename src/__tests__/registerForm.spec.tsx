import { fireEvent, screen } from '@testing-library/react';

import { createParameterForm } from '../components/parameterSchema';
import { createDraft } from '../register/draft';
import { flow } from './fakes';
import {
  cron,
  described,
  preset,
  registered,
  show,
  wrong
} from './renderedForm';

describe('RegisterForm', () => {
  it('registers on Enter', () => {
    const actions = show();
    fireEvent.submit(screen.getByTestId('satflow-register-form'));
    expect(actions.onRegister).toHaveBeenCalledTimes(1);
  });

  it('offers to overwrite only if that resolves the error', () => {
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
    show({}, null, null, { intent: 'run', form: createParameterForm(schema) });
    const place = screen.getByRole('textbox', { name: 'place' });
    expect(document.activeElement).toBe(place);
    expect(described(place)).toBe('Which one.');
  });

  it('steals no focus when it is opened again by a reload', () => {
    show({}, null, null, { openCount: 0 });
    expect(document.activeElement).toBe(document.body);
  });

  it('links an error inside a parameter to its input', () => {
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
      { form: createParameterForm(schema) }
    );
    const input = screen.getByRole('spinbutton', { name: 'sides 2' });
    expect(input.getAttribute('aria-invalid')).toBe('true');
    expect(described(input)).toBe('It is wrong.Do this.');
    expect(document.activeElement).toBe(input);
  });

  it('asks for parameters by their type', () => {
    const actions = show();
    const input = document.querySelector('[id$="-parameters_count"]');
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
        /Last runs: peak 3.1 of 16 GiB over 12 runs: medium is enough/
      )
    ).toBeTruthy();
  });

  it('leaves the available sizes to a Dask Gateway', () => {
    const options = { 'dask-local': { gateway: 'team' } };
    show({ executor: 'dask-local', options });
    const option = screen.getByRole('option', { name: /xlarge/ });
    expect((option as HTMLOptionElement).disabled).toBe(false);
    expect(
      screen.getByText(/cluster provider defines the available sizes/)
    ).toBeTruthy();
  });

  it('describes a cron expression in words, with the next runs', () => {
    show({ schedules: [cron] });
    expect(screen.getByText('At 06:00')).toBeTruthy();
    expect(screen.getByTestId('satflow-next-runs').textContent).toMatch(
      /06:00/
    );
  });

  it('shows the time zone of a schedule', () => {
    show({ schedules: [cron] });
    expect(screen.getByLabelText('Time zone')).toBeTruthy();
  });

  it('warns about a work pool that no Prefect worker polls', () => {
    show();
    expect(screen.getByText(/No Prefect worker polls it/)).toBeTruthy();
  });

  it.each([
    ['schedules.0.cron', 'cron'],
    ['name', 'name'],
    ['parameters.count', 'parameters_count'],
    ['executor.options.worker_size', 'worker-size'],
    ['executor.options.n_workers', 'options_n_workers'],
    ['work_pool', 'work-pool'],
    ['tags', 'tags'],
    ['include', 'include'],
    ['secrets.1', 'secrets'],
    ['infrastructure.env.REGION', 'env'],
    ['infrastructure.memory', 'memory']
  ])('shows an error in %s at its input, and focuses it', (field, id) => {
    show({ schedules: [cron], executor: 'dask-local' }, wrong({ field }));
    expect(screen.getByText('It is wrong.')).toBeTruthy();
    expect(document.activeElement?.id).toMatch(new RegExp(`-${id}$`));
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
    const { infrastructure } = createDraft(flow(), null, preset);
    show({ infrastructure: { ...infrastructure, gpus: '2' } });
    expect(screen.getByLabelText('GPUs')).toHaveProperty('value', '2');
    expect(screen.queryByLabelText('Cores')).toBeNull();
  });

  it('takes names and patterns line by line', () => {
    const actions = show({ secrets: ['A'] });
    expect(screen.getByTestId('satflow-advanced')).toHaveProperty('open', true);
    const input = screen.getByLabelText('Secrets, by name');
    expect(described(input)).toContain('Do not enter values');
    fireEvent.change(input, { target: { value: 'A\nB' } });
    expect(actions.onChange).toHaveBeenCalledWith({ secrets: ['A', 'B'] });
    fireEvent.click(screen.getByRole('radio', { name: /^Refuse:/ }));
    expect(actions.onChange).toHaveBeenCalledWith({ environment: 'refuse' });
  });

  it('shows any other error at the top, with its fix', () => {
    show({}, wrong());
    expect(screen.getByRole('alert').textContent).toContain('Do this.');
    expect(document.activeElement).toBe(screen.getByRole('alert'));
  });

  it.each([
    ['created', 'tiles is registered, version 3.'],
    ['changed', 'tiles is now version 3.'],
    ['unchanged', 'tiles is unchanged: still version 3.'],
    ['restored', 'tiles is restored to version 3.']
  ] as const)('shows the outcome: %s', (outcome, words) => {
    const actions = show({}, null, registered({ outcome }));
    expect(screen.getByText(words)).toBeTruthy();
    fireEvent.click(screen.getByTestId('satflow-run-now'));
    expect(actions.onRegisterAndRun).toHaveBeenCalledTimes(1);
  });
});
