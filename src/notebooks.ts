import type { ICodeCellModel } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { NotebookActions } from '@jupyterlab/notebook';
import { type Contents, ServerConnection } from '@jupyterlab/services';
import type { CommandRegistry } from '@lumino/commands';
import { Debouncer } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';

/** A cell of a notebook. */
export interface INotebookCell {
  /** The text of a code cell; empty for other cells. */
  source: string;
  /** The execution count; null if the cell has not run, or runs now. */
  number: number | null;
}

/** A place in a notebook: the positions of the cell and of the line in it, counted from 0. */
export interface ICellPlace {
  cell: number;
  line: number;
}

/** The notebooks of this server. */
export interface INotebooks {
  /** Emits the path of a notebook that was opened, closed or edited. */
  readonly changed: ISignal<INotebooks, string>;
  /**
   * Return the cells of a notebook, as they are in its tab if it is open; null if there is no such notebook. Rejects
   * if the server does not answer.
   */
  read(path: string): Promise<readonly INotebookCell[] | null>;
  /** Open a notebook and mark a line in it; null only opens it. */
  open(path: string, place: ICellPlace | null): Promise<void>;
  /** Open a notebook and wait for its kernel; null means the current notebook. Return null if there is none. */
  prepare(path: string | null): Promise<IPreparedNotebook | null>;
}

/** An open notebook. */
export interface IPreparedNotebook {
  path: string;
  /** The id of its kernel; null if it has none. */
  kernelId: string | null;
  /** Insert a code cell below a position, or below the active cell for null, and show it. It is not run. */
  insertCell(below: number | null, source: string): Promise<void>;
}

/** Milliseconds without a key press after which an edited notebook is read again. */
const EDIT_DELAY = 300;

/** `INotebooks` over JupyterLab's notebook tracker and its contents manager. */
export class Notebooks implements INotebooks {
  constructor(
    private readonly tracker: INotebookTracker,
    private readonly contents: Pick<Contents.IManager, 'get'>,
    private readonly commands: CommandRegistry
  ) {
    tracker.forEach(panel => this.watch(panel));
    tracker.widgetAdded.connect((_, panel) => this.watch(panel));
  }

  get changed(): ISignal<INotebooks, string> {
    return this._changed;
  }

  async read(path: string): Promise<readonly INotebookCell[] | null> {
    const panel = this.tracker.find(one => one.context.path === path);
    if (panel) {
      await panel.context.ready;
      return listModelCells(panel);
    }
    try {
      return listFileCells(
        await this.contents.get(path, { type: 'notebook', content: true })
      );
    } catch (reason) {
      if (isMissing(reason)) {
        return null;
      }
      throw reason;
    }
  }

  async open(path: string, place: ICellPlace | null): Promise<void> {
    const panel = (await this.commands.execute('docmanager:open', {
      path,
      factory: 'Notebook'
    })) as NotebookPanel | undefined; // Jupyter Notebook opens another browser tab
    await panel?.context.ready;
    await panel?.revealed;
    if (panel && place) {
      await showLine(panel, place);
    }
  }

  async prepare(path: string | null): Promise<IPreparedNotebook | null> {
    if (path !== null) {
      await this.open(path, null);
    }
    const panel =
      path === null
        ? this.tracker.currentWidget
        : this.tracker.find(one => one.context.path === path);
    if (!panel) {
      return null;
    }
    await panel.sessionContext.ready;
    return {
      path: panel.context.path,
      kernelId: panel.sessionContext.session?.kernel?.id ?? null,
      insertCell: (below, source) => insertBelow(panel, below, source)
    };
  }

  private watch(panel: NotebookPanel): void {
    const emit = () => this._changed.emit(panel.context.path);
    const edited = new Debouncer(emit, EDIT_DELAY);
    panel.context.model.contentChanged.connect(() => void edited.invoke());
    void panel.context.ready.then(emit);
    panel.disposed.connect(() => {
      edited.dispose();
      emit();
    });
  }

  private readonly _changed = new Signal<INotebooks, string>(this);
}

/** Return whether the server has no such file, or one that is not a notebook any more. */
function isMissing(reason: unknown): boolean {
  return (
    reason instanceof ServerConnection.ResponseError &&
    [400, 404].includes(reason.response.status)
  );
}

function listModelCells(panel: NotebookPanel): INotebookCell[] {
  return [...(panel.content.model?.cells ?? [])].map(cell =>
    cell.type === 'code'
      ? {
          source: cell.sharedModel.getSource(),
          number: countOf((cell as ICodeCellModel).executionCount)
        }
      : { source: '', number: null }
  );
}

function listFileCells({ content }: Contents.IModel): INotebookCell[] {
  const cells = (content as { cells?: IFileCell[] } | null)?.cells ?? [];
  return cells.map(cell =>
    cell.cell_type === 'code'
      ? {
          source: [cell.source].flat().join(''),
          number: countOf(cell.execution_count)
        }
      : { source: '', number: null }
  );
}

interface IFileCell {
  cell_type: string;
  source: string | string[];
  execution_count?: unknown;
}

function countOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

/** Insert a code cell, activate it and scroll to it. */
async function insertBelow(
  panel: NotebookPanel,
  below: number | null,
  source: string
): Promise<void> {
  const notebook = panel.content;
  if (below !== null && notebook.widgets[below]) {
    NotebookActions.expandParent(notebook.widgets[below], notebook);
    notebook.activeCellIndex = below;
  }
  notebook.deselectAll();
  NotebookActions.insertBelow(notebook);
  NotebookActions.changeCellType(notebook, 'code');
  notebook.activeCell?.model.sharedModel.setSource(source);
  await notebook.scrollToItem(notebook.activeCellIndex, 'center');
}

/** Scroll to a line of a cell, put the cursor there, and mark the line until the cell is edited. */
async function showLine(
  panel: NotebookPanel,
  place: ICellPlace
): Promise<void> {
  const notebook = panel.content;
  const cell = notebook.widgets[place.cell];
  if (!cell) {
    return;
  }
  NotebookActions.expandParent(cell, notebook);
  cell.inputHidden = false;
  notebook.deselectAll();
  notebook.activeCellIndex = place.cell;
  await notebook.scrollToItem(place.cell, 'center');
  await cell.ready;
  if (cell.editor) {
    const { markLine } = await import('./lineMark');
    notebook.mode = 'edit';
    markLine(cell.editor, place.line);
  }
}
