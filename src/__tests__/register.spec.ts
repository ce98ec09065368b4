import { isSavedForm, saveForm } from '../register/savedForm';
import { flow } from './fakes';
import { form, needy } from './registering';

describe('RegisterModel', () => {
  it('registers and runs once, even if it is called twice', async () => {
    const { model, sent, started } = form();
    const [first, second] = await Promise.all([
      model.registerAndRun(),
      model.registerAndRun()
    ]);
    expect([first?.id, second]).toEqual(['r1', null]);
    expect(sent).toHaveLength(1);
    expect(started).toHaveLength(1);
  });

  it('does not run without a required parameter, and names it', async () => {
    const { model, sent } = form(needy());
    expect(await model.registerAndRun()).toBeNull();
    expect(model.error?.field).toBe('parameters.count');
    expect(sent).toEqual([]);
    model.changeDraft({ parameters: { count: 2 } });
    await model.registerAndRun();
    expect(sent[0].parameters).toEqual({ count: 2 });
  });

  it('names a missing parameter also while the form is loading', async () => {
    const { model, sent } = form(needy());
    await Promise.all([model.load(), model.registerAndRun()]);
    expect(model.error?.field).toBe('parameters.count');
    expect(sent).toEqual([]);
  });

  it('registers without a required parameter, which runs can provide', async () => {
    const { model, sent } = form(needy());
    await model.register();
    expect(sent).toHaveLength(1);
  });

  it('overwrites changes by others only on request', async () => {
    const { model, sent } = form(flow(), 'DeploymentDrifted');
    await model.register();
    expect([model.canOverwrite, model.registered]).toEqual([true, null]);
    await model.overwrite();
    expect(sent.map(one => one.overwrite)).toEqual([undefined, true]);
    expect([model.canOverwrite, model.error]).toEqual([false, null]);
    expect(model.registered).not.toBeNull();
  });

  it('does not show a result together with a refusal', async () => {
    const refused = { now: false };
    const { model } = form(flow(), 'DeploymentDrifted', refused);
    await model.register();
    refused.now = true;
    await model.register();
    expect([model.error?.error, model.registered]).toEqual([
      'DeploymentDrifted',
      null
    ]);
  });

  it('does not offer to overwrite where that is no way out', async () => {
    const { model } = form(flow(), 'KernelBusy');
    await model.register();
    expect(model.error?.error).toBe('KernelBusy');
    expect(model.canOverwrite).toBe(false);
  });

  it('follows its flow in the kernel and keeps what still has a field', async () => {
    const { model, flows, sent } = form(needy());
    await model.register();
    model.changeDraft({ parameters: { count: 2, place: 'here' } });
    flows.list([flow({ fingerprint: 'f2' })], 'k2');
    expect(model.draft.parameters).toEqual({ count: 2 });
    expect(model.registered).toBeNull();
    await model.register();
    expect(sent[1].kernel_id).toBe('k2');
  });
});

describe('savedForm', () => {
  it('saves the typed values and nothing that may be private', () => {
    const { model } = form(needy());
    model.setIntent('run');
    model.changeDraft({
      name: 'nightly',
      parameters: {
        count: 2,
        api_token: 'planted',
        login: { key: 'planted' },
        place: 'planted'
      },
      infrastructure: {
        ...model.draft.infrastructure,
        env: ['REGION=north', 'API_TOKEN=planted'],
        more: { registry: { password: 'planted' } }
      }
    });
    const saved = JSON.parse(JSON.stringify(saveForm(model)));
    expect(isSavedForm(saved)).toBe(true);
    expect(saved.draft).toMatchObject({
      name: 'nightly',
      parameters: { count: 2 },
      infrastructure: { env: ['REGION=north'], more: {} }
    });
    expect(saved.intent).toBe('run');
    expect(JSON.stringify(saved)).not.toContain('planted');
    expect(JSON.stringify(saved)).not.toContain(flow().doc);
  });

  it('gets its flow back whole from the kernel', () => {
    const { model } = form(needy());
    const saved = saveForm(model);
    const { model: reopened, flows } = form(saved.subject.flow);
    reopened.restoreDraft(saved.intent, { ...saved.draft, name: 'nightly' });
    flows.list([needy()]);
    expect(reopened.source.flow).toEqual(needy());
    expect(reopened.draft.name).toBe('nightly');
  });

  it.each([[null], [{}], [{ subject: { kernelId: 'k1' } }], ['form']])(
    'takes nothing else for a form: %j',
    value => expect(isSavedForm(value)).toBe(false)
  );
});
