import type { ISessionContext } from '@jupyterlab/apputils';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { FlowList } from './_api';

/** The comm target that the kernel opens to push its list of flows. */
export const COMM_TARGET = 'satflow';

/** The active notebook and its kernel. `generation` changes with each start of the kernel. */
export interface INotebookState {
  path: string;
  kernelId: string | null;
  language: string | null;
  status: Kernel.Status;
  generation: string;
}

/** Matches a Prefect flow decorator at the beginning of a line: `@flow`, `@flow(…)`, `@prefect.flow`. */
const FLOW_CODE = /^[ \t]*@(?:\w+\.)*flow\b/m;

/** Kernel states in which a kernel answers, or never will. */
const ANSWERING: readonly Kernel.Status[] = ['idle', 'busy', 'dead'];

/** States in which JupyterLab has not received a message of a new kernel, although the kernel may be ready. */
const UNHEARD: readonly Kernel.Status[] = [
  'starting',
  'unknown',
  'autorestarting'
];

/** Milliseconds between two information requests to a restarted kernel that has not answered yet. */
const INFO_REQUEST_INTERVAL = 2000;

/** Flows that a kernel pushed without a request. */
export interface IPushedFlows {
  kernelId: string;
  list: FlowList;
}

/** The active notebook, even if another main-area tab has the focus. */
export interface INotebookSource {
  readonly current: INotebookState | null;
  readonly changed: ISignal<INotebookSource, void>;
  /** Return whether a cell of the notebook defines a flow, even if the kernel has not run it. */
  hasFlowCode(): boolean;
  readonly pushed: ISignal<INotebookSource, IPushedFlows>;
  /** A kernel has run a cell of this browser, with or without success. Its argument is the kernel's id. */
  readonly executed: ISignal<INotebookSource, string>;
}

/** `INotebookSource` over JupyterLab's notebook tracker; sends nothing to kernels. */
export class ActiveNotebook implements INotebookSource, IDisposable {
  constructor(private readonly tracker: INotebookTracker) {
    tracker.currentChanged.connect(this.connectPanel, this);
    this.connectPanel();
  }

  get current(): INotebookState | null {
    const context = this.panel?.sessionContext;
    if (!this.panel || !context) {
      return null;
    }
    const kernel = context.session?.kernel ?? null;
    const generation = `${kernel?.id ?? ''}:${this.restartCount}`;
    return {
      path: this.panel.context.path,
      kernelId: kernel?.id ?? null,
      language: kernel ? (this.languages.get(kernel.id) ?? null) : null,
      status: this.statusOf(kernel, generation),
      generation
    };
  }

  get changed(): ISignal<INotebookSource, void> {
    return this._changed;
  }

  get pushed(): ISignal<INotebookSource, IPushedFlows> {
    return this._pushed;
  }

  get executed(): ISignal<INotebookSource, string> {
    return this._executed;
  }

  hasFlowCode(): boolean {
    const cells = this.panel?.content.model?.cells;
    return [...(cells ?? [])].some(
      cell => cell.type === 'code' && FLOW_CODE.test(cell.sharedModel.source)
    );
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  /**
   * Return the status of a kernel. JupyterLab can miss the first messages of a restarted kernel and then reports
   * "starting" or "unknown" until a cell runs; return "idle" if the kernel has already answered.
   */
  private statusOf(
    kernel: Kernel.IKernelConnection | null,
    generation: string
  ): Kernel.Status {
    const status = kernel?.status ?? 'unknown';
    return UNHEARD.includes(status) && this.answeredGeneration === generation
      ? 'idle'
      : status;
  }

  private onMessage(
    kernel: Kernel.IKernelConnection,
    { msg, direction }: Kernel.IAnyMessageArgs
  ): void {
    if (direction === 'recv' && msg.header.msg_type === 'execute_reply') {
      this._executed.emit(kernel.id);
    }
    const isAnswer =
      direction === 'recv' &&
      msg.header.msg_type === 'kernel_info_reply' &&
      kernel.status !== 'restarting'; // the reply of the kernel before the restart
    if (isAnswer && kernel.id === this.current?.kernelId) {
      this.answeredGeneration = this.current.generation;
      this._changed.emit();
    }
  }

  /** Connect to the tracker's current notebook, which becomes null only when the notebook is closed. */
  private connectPanel(): void {
    const panel = this.tracker.currentWidget;
    if (panel === this.panel) {
      return;
    }
    if (this.panel) {
      this.disconnectPanel(this.panel.sessionContext);
    }
    this.panel = panel;
    if (panel) {
      panel.disposed.connect(this.connectPanel, this);
      panel.sessionContext.kernelChanged.connect(this.attachKernel, this);
      panel.sessionContext.statusChanged.connect(this.onStatus, this);
    }
    this.attachKernel();
  }

  private disconnectPanel(context: ISessionContext): void {
    this.panel?.disposed.disconnect(this.connectPanel, this);
    context.kernelChanged.disconnect(this.attachKernel, this);
    context.statusChanged.disconnect(this.onStatus, this);
  }

  private attachKernel(): void {
    const kernel = this.panel?.sessionContext.session?.kernel;
    if (kernel && !this.attachedKernels.has(kernel)) {
      this.attachedKernels.add(kernel);
      kernel.anyMessage.connect(this.onMessage, this);
      kernel.registerCommTarget(COMM_TARGET, (comm, message) =>
        this.listenToComm(kernel.id, comm, message)
      );
    }
    if (kernel) {
      void this.readLanguage(kernel);
    }
    this._changed.emit();
  }

  private onStatus(context: ISessionContext, status: Kernel.Status): void {
    if (status === 'restarting' || status === 'autorestarting') {
      this.restartCount += 1;
      void this.requestInfo(context.session?.kernel ?? null, this.restartCount);
    }
    this._changed.emit();
  }

  /** Request a restarted kernel's information until it answers: a request sent while it started may be lost. */
  private async requestInfo(
    kernel: Kernel.IKernelConnection | null,
    start: number
  ): Promise<void> {
    const isSilent = () =>
      !this.isDisposed &&
      kernel !== null &&
      !kernel.isDisposed &&
      this.restartCount === start &&
      this.current?.kernelId === kernel.id &&
      !ANSWERING.includes(this.current.status);
    while (isSilent()) {
      await new Promise(resolve => setTimeout(resolve, INFO_REQUEST_INTERVAL));
      if (isSilent()) {
        kernel?.requestKernelInfo().catch(() => undefined);
      }
    }
  }

  private async readLanguage(kernel: Kernel.IKernelConnection): Promise<void> {
    const info = await kernel.info.catch(() => null);
    if (info && !this.isDisposed) {
      this.languages.set(kernel.id, info.language_info.name);
      this._changed.emit();
    }
  }

  private listenToComm(
    kernelId: string,
    comm: Kernel.IComm,
    opened: KernelMessage.ICommOpenMsg
  ): void {
    const push = (data: unknown) =>
      this._pushed.emit({ kernelId, list: data as FlowList });
    comm.onMsg = message => push(message.content.data);
    push(opened.content.data);
  }

  private panel: NotebookPanel | null = null;
  private restartCount = 0;
  /** The generation of the kernel that has answered. */
  private answeredGeneration = '';
  private _isDisposed = false;
  private readonly languages = new Map<string, string>();
  private readonly attachedKernels = new WeakSet<Kernel.IKernelConnection>();
  private readonly _changed = new Signal<INotebookSource, void>(this);
  private readonly _pushed = new Signal<INotebookSource, IPushedFlows>(this);
  private readonly _executed = new Signal<INotebookSource, string>(this);
}
