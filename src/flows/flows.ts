import type { ErrorBody, FlowList, LiveFlow } from '../_api';
import type { IClient } from '../client';
import { Observable } from '../components/observable';
import { toErrorBody, SERVER_MISSING } from '../errors';
import type { INotebookState, INotebookSource, IPushedFlows } from '../kernel';

/** The state of the Flows section. `list` is the last known list, however old. */
export type FlowsState =
  | { kind: 'no-notebook' }
  | { kind: 'closed'; path: string }
  | { kind: 'no-kernel' }
  | { kind: 'starting' }
  | { kind: 'not-python'; language: string }
  | { kind: 'busy'; list: FlowList | null }
  | { kind: 'lacks-package'; error: ErrorBody }
  | { kind: 'server-missing'; error: ErrorBody }
  | { kind: 'failed'; error: ErrorBody }
  | { kind: 'restarted'; list: FlowList }
  | { kind: 'not-run'; list: FlowList }
  | { kind: 'listed'; list: FlowList };

/** Milliseconds until a kernel is queried again that was busy for the server, but is idle for JupyterLab. */
const BUSY_RETRY_INTERVAL = 2000;

interface IKernelFlows {
  generation: string;
  isRequested: boolean;
  list: FlowList | null;
  error: ErrorBody | null;
  /** True if the kernel had flows before it was restarted. */
  hadFlows: boolean;
}

/** The flows of the active notebook, requested once when its kernel is idle and then pushed by the kernel. */
export class FlowsModel extends Observable {
  constructor(
    private readonly client: Pick<IClient, 'flows'>,
    private readonly notebooks: INotebookSource
  ) {
    super();
    notebooks.changed.connect(this.onNotebook, this);
    notebooks.pushed.connect(this.onPushed, this);
    notebooks.executed.connect(this.onExecuted, this);
  }

  /** The path and kernel of the active notebook, for a registration. */
  get notebook(): INotebookState | null {
    return this.notebooks.current;
  }

  get state(): FlowsState {
    const notebook = this.notebooks.current;
    if (!notebook) {
      return this.lastPath === null
        ? { kind: 'no-notebook' }
        : { kind: 'closed', path: this.lastPath };
    }
    if (!notebook.kernelId) {
      return { kind: 'no-kernel' };
    }
    if (notebook.language && notebook.language !== 'python') {
      return { kind: 'not-python', language: notebook.language };
    }
    const known = this.kernels.get(notebook.kernelId);
    const state = kernelState(notebook, known);
    return state.kind === 'listed' && state.list.flows.length === 0
      ? this.stateWithoutFlows(state.list, known?.hadFlows ?? false)
      : state;
  }

  /** The last known list of the active notebook's kernel. */
  get list(): FlowList | null {
    const { state } = this;
    return 'list' in state ? state.list : null;
  }

  /** Start to query kernels; no kernel is queried before. */
  enable(): void {
    this.isEnabled = true;
    this.onNotebook();
  }

  /** Query the active kernel again, now or as soon as it is idle. */
  refresh(): void {
    const id = this.notebooks.current?.kernelId;
    const known = id ? this.kernels.get(id) : undefined;
    if (known) {
      known.isRequested = false;
    }
    this.onNotebook();
  }

  /** Wait until the flows of the active notebook are known, and return them. */
  async waitForFlows(): Promise<LiveFlow[]> {
    this.enable();
    while (this.state.kind === 'starting') {
      await new Promise<void>(resolve => {
        const once = () => {
          this.changed.disconnect(once);
          resolve();
        };
        this.changed.connect(once);
      });
    }
    return this.list?.flows ?? [];
  }

  /** Return why a kernel has no flows: it lost them in a restart, it has not run their cells, or the notebook has none. */
  private stateWithoutFlows(list: FlowList, hadFlows: boolean): FlowsState {
    if (hadFlows) {
      return { kind: 'restarted', list };
    }
    return { kind: this.notebooks.hasFlowCode() ? 'not-run' : 'listed', list };
  }

  private onNotebook(): void {
    const notebook = this.notebooks.current;
    this.lastPath = notebook?.path ?? this.lastPath;
    if (this.isEnabled && notebook?.kernelId) {
      const known = this.ensureKernelFlows(
        notebook.kernelId,
        notebook.generation
      );
      const ready =
        notebook.status === 'idle' && notebook.language === 'python';
      if (ready && !known.isRequested) {
        void this.requestFlows(notebook.kernelId, known);
      }
    }
    this.emitChanged();
  }

  private ensureKernelFlows(
    kernelId: string,
    generation: string
  ): IKernelFlows {
    const known = this.kernels.get(kernelId);
    if (known?.generation === generation) {
      return known;
    }
    const hadFlows = Boolean(known?.hadFlows || known?.list?.flows.length);
    const fresh = {
      generation,
      isRequested: false,
      list: null,
      error: null,
      hadFlows
    };
    this.kernels.set(kernelId, fresh);
    return fresh;
  }

  private async requestFlows(
    kernelId: string,
    known: IKernelFlows
  ): Promise<void> {
    known.isRequested = true;
    try {
      known.list = newerList(known.list, await this.client.flows(kernelId));
      known.error = null;
    } catch (reason) {
      known.error = toErrorBody(reason);
      if (known.error.error === 'KernelBusy') {
        this.retryWhenIdle(known);
      }
    }
    this.emitChanged();
  }

  /**
   * Query a kernel again that ran a cell or was starting: at its next status, or after a moment if it has none, because
   * JupyterLab can report "idle" before the server replies that it was busy.
   */
  private retryWhenIdle(known: IKernelFlows): void {
    known.isRequested = false;
    setTimeout(() => this.onNotebook(), BUSY_RETRY_INTERVAL);
  }

  /** Query a kernel again that lacked a package: the cell may have installed it. */
  private onExecuted(_: INotebookSource, kernelId: string): void {
    const known = this.kernels.get(kernelId);
    if (known?.error?.error === 'KernelLacksPackage') {
      known.isRequested = false;
      this.onNotebook();
    }
  }

  private onPushed(_: INotebookSource, pushed: IPushedFlows): void {
    const known = this.kernels.get(pushed.kernelId) ?? {
      generation: this.notebooks.current?.generation ?? '',
      isRequested: true,
      list: null,
      error: null,
      hadFlows: false
    };
    this.kernels.set(pushed.kernelId, {
      ...known,
      list: pushed.list,
      error: null
    });
    this.emitChanged();
  }

  private isEnabled = false;
  /** The path of the notebook that was active last. */
  private lastPath: string | null = null;
  private readonly kernels = new Map<string, IKernelFlows>();
}

function kernelState(
  notebook: INotebookState,
  known: IKernelFlows | undefined
): FlowsState {
  const list = known?.list ?? null;
  const error = known?.error ?? null;
  if (error && error.error !== 'KernelBusy') {
    return errorState(error);
  }
  if (notebook.status === 'busy') {
    return { kind: 'busy', list };
  }
  return list ? { kind: 'listed', list } : { kind: 'starting' };
}

function errorState(error: ErrorBody): FlowsState {
  switch (error.error) {
    case SERVER_MISSING:
      return { kind: 'server-missing', error };
    case 'KernelLacksPackage':
      return { kind: 'lacks-package', error };
    default:
      return { kind: 'failed', error };
  }
}

/** Return the newer list: a pushed list can arrive before an older reply. */
function newerList(known: FlowList | null, reply: FlowList): FlowList {
  return known && Date.parse(known.at) > Date.parse(reply.at) ? known : reply;
}
