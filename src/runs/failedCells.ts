import type { Failure, FailureCell, FailureFrame } from '../_api';
import { Observable } from '../components/observable';
import type {
  ICellPlace,
  INotebookCell,
  INotebooks,
  IPreparedNotebook
} from '../notebooks';
import { hashCell } from './cellHash';
import { findMainException } from './frameGroups';

/** A place in the cells of a notebook. Lines are counted from 0, cells as well. */
export interface ICellLine extends ICellPlace {
  /** The execution count of the cell in the notebook; null if it is not known. */
  number: number | null;
}

/** The relation of a frame to the notebook of the flow. */
export type CellMatch =
  /** The notebook is not read yet. */
  | { kind: 'unread' }
  /** The notebook has the cell that ran. */
  | { kind: 'found'; place: ICellLine }
  /** No cell of the notebook has the text that ran; `place` is the function's definition now, if there is one. */
  | { kind: 'changed'; place: ICellLine | null }
  /** The notebook was deleted or moved, or this server does not have it. */
  | { kind: 'gone' };

/** The cell of the frame where a run failed. */
export interface IFailedCell {
  path: string | null;
  place: ICellLine | null;
  /** True if the cell has the text that ran. */
  isSame: boolean;
}

const NO_CELL: IFailedCell = { path: null, place: null, isSame: false };

/** Finds the cells of a failed run's frames in its notebook, also while the notebook is edited. */
export class FailedCells extends Observable {
  constructor(private readonly notebooks: INotebooks) {
    super();
    notebooks.changed.connect(this.onNotebook, this);
  }

  /** Use the failure of the run; the notebook is read when the failure or its notebook becomes another one. */
  update(failure: Failure | null): void {
    const path = failure?.notebook_path ?? null;
    const isNew = path !== this.path || (path !== null && !this.isRequested);
    this.failure = failure;
    if (isNew) {
      this.path = path;
      this.isRequested = false;
      this.cells = undefined;
    }
    if (isNew && path !== null && failure?.exceptions.some(hasCell)) {
      void this.tryReadNotebook(path);
    }
  }

  /** Return the relation of a frame to the notebook; null if the frame is not in a cell, or no notebook is known. */
  match(frame: FailureFrame): CellMatch | null {
    if (!isInCell(frame) || !this.failure?.notebook) {
      return null;
    }
    if (this.path === null || this.cells === null) {
      return { kind: 'gone' };
    }
    if (this.cells === undefined) {
      return { kind: 'unread' };
    }
    let match = this.matches.get(frame);
    if (!match) {
      match = matchFrame(frame, this.cellOf(frame), this.cells);
      this.matches.set(frame, match);
    }
    return match;
  }

  /** Return the cell of a frame as it was when the flow was registered; null if it is not known. */
  cellOf(frame: FailureFrame): FailureCell | null {
    return this.failure?.cells.find(one => one.hash === frame.cell) ?? null;
  }

  /** Open the notebook at a frame, by the cells that it has then. */
  async open(frame: FailureFrame): Promise<void> {
    const path = this.path;
    if (path === null) {
      return;
    }
    await this.readNotebook(path);
    const match = this.match(frame);
    if (match?.kind === 'gone') {
      return; // which the card shows now
    }
    const place = match && 'place' in match ? match.place : null;
    await this.notebooks.open(path, place);
  }

  /**
   * Return the notebook, null if this server does not have it, and the cell of the innermost frame that it has: the one
   * that ran, or else the one that defines the function now.
   */
  async findFailedCell(): Promise<IFailedCell> {
    const { path, failure } = this;
    if (path === null || !failure) {
      return NO_CELL;
    }
    await this.readNotebook(path);
    const frames = [...(findMainException(failure)?.frames ?? [])].reverse();
    const matches = frames.map(frame => this.match(frame));
    const match =
      matches.find(one => one?.kind === 'found') ??
      matches.find(one => one?.kind === 'changed');
    return {
      path: this.cells === null ? null : path,
      place: match && 'place' in match ? match.place : null,
      isSame: match?.kind === 'found'
    };
  }

  /** Open a notebook, null for the current one, and wait for its kernel. */
  prepare(path: string | null): Promise<IPreparedNotebook | null> {
    return this.notebooks.prepare(path);
  }

  dispose(): void {
    this.notebooks.changed.disconnect(this.onNotebook, this);
    super.dispose();
  }

  private onNotebook(_: INotebooks, path: string): void {
    if (path === this.path && this.isRequested) {
      void this.tryReadNotebook(path);
    }
  }

  /** Read the notebook; if the server does not answer, it is read again with the next change. */
  private async tryReadNotebook(path: string): Promise<void> {
    try {
      await this.readNotebook(path);
    } catch {
      this.isRequested = false;
    }
  }

  private async readNotebook(path: string): Promise<void> {
    this.isRequested = true;
    const cells = await this.notebooks.read(path);
    if (path === this.path) {
      this.cells = cells;
      this.matches = new WeakMap();
      this.emitChanged();
    }
  }

  private failure: Failure | null = null;
  private path: string | null = null;
  private isRequested = false;
  /** The matches of frames with the current cells, which views ask for each time that they are rendered. */
  private matches = new WeakMap<FailureFrame, CellMatch>();
  /** The cells of the notebook; undefined if they are not read yet, null if the notebook is gone. */
  private cells: readonly INotebookCell[] | null | undefined = undefined;
}

const hasCell = ({ frames }: { frames: FailureFrame[] }): boolean =>
  frames.some(isInCell);

/** The file name of code in cells with `%%time` and `%%timeit`, which is the same for all of them. */
const TIMED = /^<timed (exec|eval)>$/;

/** Return whether a frame is in a cell of a notebook. */
export function isInCell(frame: FailureFrame): boolean {
  return frame.cell !== null || TIMED.test(frame.file);
}

/**
 * Find the cell and line of a frame in a notebook.
 *
 * @param frame - a frame in a cell
 * @param ran - the cell as it was when the flow was registered
 * @param cells - the cells of the notebook now
 */
export function matchFrame(
  frame: FailureFrame,
  ran: FailureCell | null,
  cells: readonly INotebookCell[]
): CellMatch {
  const isSame = TIMED.test(frame.file)
    ? (part: ICellPart) => part.isTimed && defines(part.text, frame.function)
    : (part: ICellPart) => isSameCode(part.text, frame.cell, ran);
  for (const [index, cell] of cells.entries()) {
    const part = listParts(cell.source).find(isSame);
    if (part) {
      return { kind: 'found', place: placeIn(cell, index, part, frame) };
    }
  }
  return { kind: 'changed', place: findDefinition(frame, cells) };
}

/** Code of a cell that a kernel compiles as a whole: the cell, or the body of a cell magic. */
interface ICellPart {
  text: string;
  /** The line of the cell at which the code begins. */
  offset: number;
  /** True if the cell magic is one of those that compile the body without a file name of its own. */
  isTimed: boolean;
}

function listParts(source: string): ICellPart[] {
  const cell = { text: source, offset: 0, isTimed: false };
  const magic = /^\s*%%(\w+)[^\n]*\n/.exec(source);
  if (!magic) {
    return [cell];
  }
  const text = source.slice(magic[0].length);
  const offset = magic[0].split('\n').length - 1;
  return [cell, { text, offset, isTimed: magic[1].startsWith('time') }];
}

/** Return whether code is what ran. IPython ends the body of a cell magic with a line break, even if the cell does not. */
function isSameCode(
  text: string,
  hash: string | null,
  ran: FailureCell | null
): boolean {
  return (
    hashCell(text) === hash ||
    hashCell(`${text}\n`) === hash ||
    (ran !== null && trimLines(text) === trimLines(ran.text))
  );
}

/** Remove blank lines around code, which IPython removes, or adds, before it compiles a cell. */
function trimLines(text: string): string {
  return text.replace(/^(?:[ \t]*\n)+/, '').trimEnd();
}

function placeIn(
  cell: INotebookCell,
  index: number,
  part: ICellPart,
  frame: FailureFrame
): ICellLine {
  const blank = /^(?:[ \t]*\n)*/.exec(part.text)?.[0] ?? '';
  const expected = part.offset + blank.split('\n').length - 1 + frame.line - 1;
  const lines = cell.source.split('\n');
  return {
    cell: index,
    line: nearestLine(lines, expected, frame.code),
    number: cell.number
  };
}

/**
 * Return the line with this code that is nearest to the expected one. IPython joins lines of some commands, such as
 * `!ls \`, and a debugger compiles the cell with its leading blank lines.
 */
function nearestLine(
  lines: readonly string[],
  expected: number,
  code: string | null
): number {
  const last = Math.max(0, Math.min(expected, lines.length - 1));
  if (code === null || lines[last]?.trim() === code) {
    return last;
  }
  const same = lines.flatMap((line, at) => (line.trim() === code ? [at] : []));
  same.sort((a, b) => Math.abs(a - expected) - Math.abs(b - expected));
  return same[0] ?? last;
}

/** Return the only definition of a frame's function in a notebook; null if there is none, or several. */
function findDefinition(
  frame: FailureFrame,
  cells: readonly INotebookCell[]
): ICellLine | null {
  const found = cells.flatMap(({ source, number }, cell) => {
    const line = definitionLine(source, frame.function);
    return line < 0 ? [] : [{ cell, line, number }];
  });
  return found.length === 1 ? found[0] : null;
}

function defines(source: string, name: string): boolean {
  return definitionLine(source, name) >= 0;
}

function definitionLine(source: string, name: string): number {
  const plain = name.split('.').pop() ?? '';
  const words = ['def', 'class'].map(word => `${word} ${plain}`);
  return /^\w+$/.test(plain)
    ? source
        .split('\n')
        .findIndex(line =>
          words.some(one => new RegExp(`^\\s*(async )?${one}\\b`).test(line))
        )
    : -1;
}
