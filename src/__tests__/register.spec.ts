import type {
  ClusterClassRequest,
  LiveFlow,
  Registered,
  RegisterRequest
} from '../_api';
import type { FlowsState } from '../models/flows';
import { Signal } from '@lumino/signaling';

import { RequestFailed } from '../errors';
import { DeploymentsModel } from '../models/deployments';
import type { FlowsModel } from '../models/flows';
import { RegisterModel } from '../models/register';
import type { IRegisterParts } from '../models/registerParts';
import { RunsModel } from '../models/runs';
import { isSavedForm, savedForm } from '../models/savedForm';
import { clusterClass } from './clusterClasses';
import {
  catalogue,
  deployment,
  flow,
  Frames,
  NOTEBOOK,
  run,
  preflight
} from './fakes';

const PRESET = { executor: 'threads', timezone: 'UTC' };
const DIGEST = `sha256:${'0'.repeat(64)}`;

/** A flow whose parameter has no default, and others that look like secrets. */
function needy(change: Partial<LiveFlow> = {}): LiveFlow {
  const text = { type: 'string' };
  return flow({
    parameters: ['count', 'api_token', 'login', 'place'].map(name => ({
      name,
      annotation: 'str',
      required: name === 'count',
      default: name === 'count' ? null : "'planted'"
    })),
    parameter_schema: {
      type: 'object',
      required: ['count'],
      properties: {
        count: { type: 'integer', title: 'count', position: 0 },
        api_token: { ...text, title: 'api_token', default: 'planted' },
        login: { $ref: '#/definitions/Login' },
        place: { ...text, title: 'place', default: 'planted' }
      },
      definitions: {
        Login: {
          type: 'object',
          properties: { key: { ...text, format: 'password', writeOnly: true } }
        }
      }
    },
    ...change
  });
}

/** The kernel's flows as a test moves them. */
class Flows implements Pick<FlowsModel, 'changed' | 'notebook' | 'state'> {
  readonly changed = new Signal<FlowsModel, void>(this as never);
  readonly notebook = NOTEBOOK;
  state: FlowsState = { kind: 'starting' };

  list(flows: LiveFlow[], kernelId = 'k1'): void {
    Object.assign(this, { notebook: { ...NOTEBOOK, kernelId } });
    this.state = {
      kind: 'listed',
      list: { flows, at: '2026-01-01T00:00:00Z' }
    };
    this.changed.emit();
  }
}

function form(
  subject = flow(),
  refusal: string | null = null,
  refused = { now: true }
) {
  const sent: RegisterRequest[] = [];
  const started: string[] = [];
  const client = {
    catalogue: async () => catalogue(),
    preflight: async () => preflight(),
    clusterClass: async ({ name }: ClusterClassRequest) => clusterClass(name),
    previewSchedule: async () => ({ next_runs: [] }),
    deployments: async () => ({ deployments: [] }),
    register: async (request: RegisterRequest): Promise<Registered> => {
      sent.push(request);
      if (refusal && refused.now && !request.overwrite) {
        const body = { message: 'Not that.', fix: null, field: 'name' };
        throw new RequestFailed({ error: refusal, ...body });
      }
      return {
        deployment: deployment(),
        outcome: 'created',
        content: DIGEST,
        content_size: 1,
        manifest: DIGEST,
        files: [],
        kept: [],
        warnings: []
      };
    },
    pauseDeployment: async () => deployment(),
    deleteDeployment: async () => undefined,
    runs: async () => ({ runs: [] }),
    startRun: async () => {
      started.push('r1');
      return run();
    },
    cancelRun: async () => run()
  };
  const flows = new Flows();
  const parts: IRegisterParts = {
    client,
    flows,
    deployments: new DeploymentsModel(client),
    runs: new RunsModel(client, new Frames())
  };
  const notebook = NOTEBOOK.path;
  const where = { flow: subject, kernelId: 'k1', notebook };
  const model = new RegisterModel(where, PRESET, parts);
  return { model, flows, sent, started };
}

describe('RegisterModel', () => {
  it('registers and runs, once however often it is told to', async () => {
    const { model, sent, started } = form();
    const [first, second] = await Promise.all([
      model.registerAndRun(),
      model.registerAndRun()
    ]);
    expect([first?.id, second]).toEqual(['r1', null]);
    expect(sent).toHaveLength(1);
    expect(started).toHaveLength(1);
  });

  it('runs nothing that lacks a parameter, and says which', async () => {
    const { model, sent } = form(needy());
    expect(await model.registerAndRun()).toBeNull();
    expect(model.error?.field).toBe('parameters.count');
    expect(sent).toEqual([]);
    model.update({ parameters: { count: 2 } });
    await model.registerAndRun();
    expect(sent[0].parameters).toEqual({ count: 2 });
  });

  it('says what a run lacks also where the form was still loading', async () => {
    const { model, sent } = form(needy());
    await Promise.all([model.load(), model.registerAndRun()]);
    expect(model.error?.field).toBe('parameters.count');
    expect(sent).toEqual([]);
  });

  it('registers what lacks a parameter: runs can bring their own', async () => {
    const { model, sent } = form(needy());
    await model.register();
    expect(sent).toHaveLength(1);
  });

  it('overwrites what others changed only when that is asked for', async () => {
    const { model, sent } = form(flow(), 'DeploymentDrifted');
    await model.register();
    expect([model.canOverwrite, model.registered]).toEqual([true, null]);
    await model.overwrite();
    expect(sent.map(one => one.overwrite)).toEqual([undefined, true]);
    expect([model.canOverwrite, model.error]).toEqual([false, null]);
    expect(model.registered).not.toBeNull();
  });

  it('does not say registered under a refusal', async () => {
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
    model.update({ parameters: { count: 2, place: 'here' } });
    flows.list([flow({ fingerprint: 'f2' })], 'k2');
    expect(model.draft.parameters).toEqual({ count: 2 });
    expect(model.registered).toBeNull();
    await model.register();
    expect(sent[1].kernel_id).toBe('k2');
  });
});

describe('savedForm', () => {
  it('keeps what was typed and nothing that may be private', () => {
    const { model } = form(needy());
    model.ask('run');
    model.update({
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
    const saved = JSON.parse(JSON.stringify(savedForm(model)));
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
    const saved = savedForm(model);
    const { model: reopened, flows } = form(saved.subject.flow);
    reopened.resume(saved.intent, { ...saved.draft, name: 'nightly' });
    flows.list([needy()]);
    expect(reopened.subject.flow).toEqual(needy());
    expect(reopened.draft.name).toBe('nightly');
  });

  it.each([[null], [{}], [{ subject: { kernelId: 'k1' } }], ['form']])(
    'takes nothing else for a form: %j',
    value => expect(isSavedForm(value)).toBe(false)
  );
});
