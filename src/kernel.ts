import type { ISessionContext } from '@jupyterlab/apputils';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { FlowList } from './_api';

/** The comm target that the kernel opens to push its list of flows. */
export const COMM_TARGET = 'satflow';

/** The active notebook and its kernel as they are now. `generation` changes with each start of the kernel. */
export interface IActiveNotebook {
  path: string;
  kernelId: string | null;
  language: string | null;
  status: Kernel.Status;
  generation: string;
}

/** Flows that a kernel told of by itself. */
export interface IPushed {
  kernelId: string;
  list: FlowList;
}

/** The notebook in front, whatever other main-area tab has the focus. */
export interface INotebookSource {
  readonly current: IActiveNotebook | null;
  readonly changed: ISignal<INotebookSource, void>;
  readonly pushed: ISignal<INotebookSource, IPushed>;
}

/** `INotebookSource` over JupyterLab's notebook tracker; it never sends anything to a kernel. */
export class ActiveNotebook implements INotebookSource, IDisposable {
  constructor(private readonly tracker: INotebookTracker) {
    tracker.currentChanged.connect(this.follow, this);
    this.follow();
  }

  get current(): IActiveNotebook | null {
    const context = this.panel?.sessionContext;
    if (!this.panel || !context) {
      return null;
    }
    const kernel = context.session?.kernel ?? null;
    return {
      path: this.panel.context.path,
      kernelId: kernel?.id ?? null,
      language: kernel ? (this.languages.get(kernel.id) ?? null) : null,
      status: kernel?.status ?? 'unknown',
      generation: `${kernel?.id ?? ''}:${this.starts}`
    };
  }

  get changed(): ISignal<INotebookSource, void> {
    return this._changed;
  }

  get pushed(): ISignal<INotebookSource, IPushed> {
    return this._pushed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  /** The tracker forgets its current notebook only when that is closed. */
  private follow(): void {
    const panel = this.tracker.currentWidget;
    if (panel === this.panel) {
      return;
    }
    if (this.panel) {
      this.disconnect(this.panel.sessionContext);
    }
    this.panel = panel;
    if (panel) {
      panel.disposed.connect(this.follow, this);
      panel.sessionContext.kernelChanged.connect(this.attach, this);
      panel.sessionContext.statusChanged.connect(this.onStatus, this);
    }
    this.attach();
  }

  private disconnect(context: ISessionContext): void {
    this.panel?.disposed.disconnect(this.follow, this);
    context.kernelChanged.disconnect(this.attach, this);
    context.statusChanged.disconnect(this.onStatus, this);
  }

  private attach(): void {
    const kernel = this.panel?.sessionContext.session?.kernel;
    if (kernel && !this.attached.has(kernel)) {
      this.attached.add(kernel);
      kernel.registerCommTarget(COMM_TARGET, (comm, message) =>
        this.listen(kernel.id, comm, message)
      );
    }
    if (kernel) {
      void this.learn(kernel);
    }
    this._changed.emit();
  }

  private onStatus(_: ISessionContext, status: Kernel.Status): void {
    if (status === 'restarting' || status === 'autorestarting') {
      this.starts += 1;
    }
    this._changed.emit();
  }

  private async learn(kernel: Kernel.IKernelConnection): Promise<void> {
    const info = await kernel.info.catch(() => null);
    if (info && !this.isDisposed) {
      this.languages.set(kernel.id, info.language_info.name);
      this._changed.emit();
    }
  }

  private listen(
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
  private starts = 0;
  private _isDisposed = false;
  private readonly languages = new Map<string, string>();
  private readonly attached = new WeakSet<Kernel.IKernelConnection>();
  private readonly _changed = new Signal<INotebookSource, void>(this);
  private readonly _pushed = new Signal<INotebookSource, IPushed>(this);
}
