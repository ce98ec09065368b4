import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import type * as api from '../_api';
import type { INotebookState, INotebookSource, IPushedFlows } from '../kernel';
import { FORM_OPTIONS, type FormOptionField } from '../register/_options';
import type { ISocket, IStream, Listener, Topic } from '../stream';
import { KUBERNETES, NO_INFRASTRUCTURE, PROCESS } from './workPools';

/** A notebook source that a test controls. */
export class FakeNotebooks implements INotebookSource {
  readonly changed: Signal<INotebookSource, void> = new Signal(this);
  readonly pushed: Signal<INotebookSource, IPushedFlows> = new Signal(this);
  readonly executed: Signal<INotebookSource, string> = new Signal(this);

  constructor(
    public current: INotebookState | null = null,
    private readonly code = ''
  ) {}

  hasFlowCode(): boolean {
    return this.code.includes('@flow');
  }

  become(change: Partial<INotebookState> | null): void {
    this.current = change && { ...NOTEBOOK, ...this.current, ...change };
    this.changed.emit();
  }
}

export const NOTEBOOK: INotebookState = {
  path: 'tiles.ipynb',
  kernelId: 'k1',
  language: 'python',
  status: 'idle',
  generation: 'k1:0'
};

/** A stream whose frames a test sends. */
export class FakeStream implements IStream {
  readonly topics = new Map<Topic, Listener>();

  subscribe(topic: Topic, _: string | null, listener: Listener): IDisposable {
    this.topics.set(topic, listener);
    return new DisposableDelegate(() => void this.topics.delete(topic));
  }

  send(topic: Topic, frame: api.StreamFrame): void {
    this.topics.get(topic)?.(frame);
  }
}

/** A socket whose other end a test controls. */
export class FakeSocket implements ISocket {
  onopen: ISocket['onopen'] = null;
  onmessage: ISocket['onmessage'] = null;
  onclose: ISocket['onclose'] = null;
  readonly sent: api.StreamRequest[] = [];

  send(text: string): void {
    this.sent.push(JSON.parse(text) as api.StreamRequest);
  }

  close(): void {
    this.drop();
  }

  accept(): void {
    this.onopen?.call(this as never, new Event('open'));
  }

  push(frame: api.StreamFrame): void {
    const data = JSON.stringify(frame);
    this.onmessage?.call(this as never, new MessageEvent('message', { data }));
  }

  drop(): void {
    this.onclose?.call(this as never, new CloseEvent('close'));
  }
}

export function preflight(change: Partial<api.Preflight> = {}): api.Preflight {
  return {
    flow: 'tiles',
    task_runner: null,
    size: 8_000_000,
    captured: [{ where: 'tiles -> big', type: 'ndarray', size: 8_000_000 }],
    local_modules: ['shelves'],
    packages: ['numpy', 'prefect'],
    files: [],
    findings: [],
    rehearsed: null,
    ...change
  };
}

export function flow(change: Partial<api.LiveFlow> = {}): api.LiveFlow {
  return {
    name: 'tiles',
    variable: 'tiles',
    doc: 'Cut and index.',
    cell: 3,
    parameters: [
      { name: 'count', annotation: 'int', required: false, default: '12' }
    ],
    parameter_schema: {
      type: 'object',
      properties: {
        count: { type: 'integer', title: 'count', default: 12, position: 0 }
      }
    },
    fingerprint: 'f1',
    task_runner: null,
    ...change
  };
}

/** The defaults of the options that the form shows without a widget of their own. */
export const OPTION_DEFAULTS = Object.fromEntries(
  FORM_OPTIONS.map(option => [option.field, option.default])
) as Pick<api.Deployment, FormOptionField>;

export function deployment(
  change: Partial<api.Deployment> = {}
): api.Deployment {
  return {
    id: 'd1',
    name: 'tiles',
    flow_name: 'tiles',
    version: 3,
    executor: {
      name: 'dask-local',
      options: { n_workers: 2 },
      from_flow: false
    },
    fingerprint: 'f1',
    notebook: 'tiles.ipynb',
    infrastructure: NO_INFRASTRUCTURE,
    registered_at: '2026-01-01T00:00:00Z',
    manifest_problem: null,
    parameters: {},
    parameter_schema: flow().parameter_schema,
    schedules: [],
    notify: [],
    trigger: [],
    paused: false,
    work_pool: null,
    next_runs: [],
    drift: [],
    needed: null,
    notebook_file: null,
    ...OPTION_DEFAULTS,
    ...change
  };
}

export function run(change: Partial<api.Run> = {}): api.Run {
  return {
    id: 'r1',
    name: 'brave-owl',
    deployment_id: 'd1',
    deployment_name: 'tiles',
    flow_name: 'tiles',
    state_type: 'RUNNING',
    state_name: 'Running',
    state_message: null,
    created: '2026-01-01T00:00:00Z',
    expected_start: null,
    start: '2026-01-01T00:00:00Z',
    end: null,
    duration: 4,
    parameters: {},
    tags: [],
    scheduled: false,
    in_kernel: false,
    version: null,
    last_line: null,
    why_waiting: null,
    ...change
  };
}

export function line(
  seq: number,
  change: Partial<api.LogLine> = {}
): api.LogLine {
  return {
    seq,
    id: `l${seq}`,
    time: `2026-01-01T00:00:${String(seq % 60).padStart(2, '0')}Z`,
    level: 20,
    logger: 'prefect.flow_runs',
    message: `line ${seq}`,
    task_run_id: null,
    ...change
  };
}

export function logs(
  lines: api.LogLine[],
  change: Partial<api.LogsFrame> = {}
): api.LogsFrame {
  return {
    type: 'logs.v1',
    run_id: 'r1',
    reset: false,
    lines,
    cursor: `c${lines.length}`,
    ended: false,
    ...change
  };
}

export function cluster(
  change: Partial<api.ClusterStatus> = {}
): api.ClusterStatus {
  return {
    run_id: 'r1',
    run_name: 'brave-owl',
    deployment_id: 'd1',
    deployment_name: 'tiles',
    executor: 'dask-local',
    state: 'running',
    problem: null,
    plan: 2,
    requested: 2,
    observed: 1,
    pending: null,
    worker_size: 'medium',
    tasks: { processing: 4, memory: 2 },
    workers: [
      {
        name: 'w0',
        threads: 2,
        state: 'running',
        cpu: 150,
        memory: 1024 ** 3,
        managed: 512 * 1024 ** 2,
        spilled: 0,
        memory_limit: 4 * 1024 ** 3,
        executing: 1,
        ready: 0
      }
    ],
    events: [],
    dashboard: null,
    started: '2026-01-01T00:00:00Z',
    updated: '2026-01-01T00:00:05Z',
    ...change
  };
}

export function catalogue(): api.Catalogue {
  const option = { type: 'integer', title: 'Workers', default: 2 };
  const size = { anyOf: [{ type: 'string' }, { type: 'null' }], default: null };
  return {
    executors: [
      {
        name: 'threads',
        title: 'Threads',
        purpose: 'little parallelism',
        starts: 'at once',
        options_schema: { type: 'object', properties: {} }
      },
      {
        name: 'dask-local',
        title: 'Dask on this machine',
        purpose: 'parallel work',
        starts: 'in seconds',
        options_schema: {
          type: 'object',
          properties: { n_workers: option, worker_size: size }
        }
      }
    ],
    worker_sizes: [
      {
        name: 'medium',
        cores: 2,
        memory: 4 * 1024 ** 3,
        gpus: 0,
        available: true,
        reason: null
      },
      {
        name: 'xlarge',
        cores: 4,
        memory: 32 * 1024 ** 3,
        gpus: 0,
        available: false,
        reason: 'This machine has 2 cores.'
      }
    ],
    work_pools: [PROCESS, KUBERNETES],
    notification_blocks: ['slack-webhook/team'],
    default_work_pool: 'team',
    cores: 2,
    memory: 24 * 1024 ** 3
  };
}
