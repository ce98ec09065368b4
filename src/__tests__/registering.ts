import { Signal } from '@lumino/signaling';

import type {
  ClusterClassRequest,
  Deployment,
  LiveFlow,
  Registered,
  RegisterRequest
} from '../_api';
import { RequestFailed } from '../errors';
import { DeploymentsModel } from '../flows/deployments';
import type { FlowsModel, FlowsState } from '../flows/flows';
import { RegisterModel } from '../register/register';
import type { IRegisterParts } from '../register/registerParts';
import { RunsModel } from '../runs/runs';
import { clusterClass } from './clusterClasses';
import {
  catalogue,
  deployment,
  flow,
  FakeStream,
  NOTEBOOK,
  preflight,
  run
} from './fakes';

const PRESET = { executor: 'threads', timezone: 'UTC' };
const DIGEST = `sha256:${'0'.repeat(64)}`;

/** A flow with a parameter without a default, and parameters that look like secrets. */
export function needy(change: Partial<LiveFlow> = {}): LiveFlow {
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

/** The kernel's flows, controlled by a test. */
class Flows implements Pick<FlowsModel, 'changed' | 'notebook' | 'state'> {
  readonly changed = new Signal<FlowsModel, void>(this as never);
  readonly notebook = NOTEBOOK;
  state: FlowsState = { kind: 'starting' };

  list(flows: LiveFlow[], kernelId = 'k1', notebook = NOTEBOOK.path): void {
    Object.assign(this, { notebook: { ...NOTEBOOK, kernelId } });
    this.state = {
      kind: 'listed',
      list: { flows, at: '2026-01-01T00:00:00Z', notebook }
    };
    this.changed.emit();
  }
}

/** A register form with a server that records its requests, and refuses until the refusal is overruled. */
export function form(
  subject = flow(),
  refusal: string | null = null,
  refused = { now: true },
  items: Deployment[] = []
) {
  const sent: RegisterRequest[] = [];
  const started: string[] = [];
  const client = {
    catalogue: async () => catalogue(),
    preflight: async () => preflight(),
    clusterClass: async ({ name }: ClusterClassRequest) => clusterClass(name),
    previewSchedule: async () => ({ next_runs: [] }),
    deployments: async () => ({ deployments: items }),
    register: async (request: RegisterRequest): Promise<Registered> => {
      sent.push(request);
      const overruled = request.overwrite || request.replaces === null;
      if (refusal && refused.now && !overruled) {
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
    testNotification: async (block: string) => ({ block }),
    runs: async () => ({ runs: [] }),
    startRun: async () => {
      started.push('r1');
      return run();
    },
    cancelRun: async () => run(),
    retryRun: async () => run()
  };
  const flows = new Flows();
  const parts: IRegisterParts = {
    client,
    flows,
    deployments: new DeploymentsModel(client),
    runs: new RunsModel(client, new FakeStream())
  };
  const notebook = NOTEBOOK.path;
  const where = {
    flow: subject,
    kernelId: 'k1',
    notebook,
    notebookFile: '/home/me/tiles.ipynb'
  };
  const model = new RegisterModel(where, PRESET, parts);
  return { model, flows, sent, started };
}
