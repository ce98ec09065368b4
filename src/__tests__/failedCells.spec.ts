import type { Failure, FailureCell, FailureFrame } from '../_api';
import type { INotebookCell } from '../notebooks';
import { hashCell } from '../runs/cellHash';
import { FailedCells, matchFrame } from '../runs/failedCells';
import { FakeNotebookCells } from './failures';

const TASK = '@task\ndef divide(number):\n    return number / 0';

function frame(change: Partial<FailureFrame> = {}): FailureFrame {
  return {
    file: '/tmp/ipykernel_1/2.py',
    line: 3,
    function: 'divide',
    code: 'return number / 0',
    package: null,
    cell: hashCell(TASK),
    ...change
  };
}

const cell = (source: string, number: number | null = null): INotebookCell => ({
  source,
  number
});

describe('hashCell', () => {
  // Computed by ipykernel's own function, which `tests/runs/test_cell_hash.py` compares with kernels.
  it.each([
    ['', '3990065800'],
    ['a', '2167009006'],
    ['ab', '2805137849'],
    ['abc', '3350977461'],
    ['abcd', '804720481'],
    ['é€𝄞 x\n', '3751785760'],
    ['def f():\n    return 1/0\n', '3137551090']
  ])('is that of ipykernel: %j', (text, hash) => {
    expect(hashCell(text)).toBe(hash);
  });
});

describe('matchFrame', () => {
  const before = [cell('import time', 1), cell('# text', null)];

  it.each([
    ['the cell itself', TASK, {}, 2],
    ['blank lines at its top', `\n  \n${TASK}`, {}, 4],
    ['the body of a cell magic', `%%capture\n${TASK}`, {}, 3],
    ['a body with blank lines', `%%capture out\n\n${TASK}`, {}, 4],
    ['a line that IPython has joined', `!ls \\\n  -l\n${TASK}`, {}, 4]
  ])('finds %s', (_, source, change, line) => {
    const hashed = source.replace(/^%%.*\n/, '');
    const same = frame({ cell: hashCell(hashed), ...change });
    expect(matchFrame(same, null, [...before, cell(source, 7)])).toEqual({
      kind: 'found',
      place: { cell: 2, line, number: 7 }
    });
  });

  it('finds the body of a cell magic that IPython has ended with a line break', () => {
    const same = frame({ cell: hashCell(`${TASK}\n`) });
    const found = matchFrame(same, null, [cell(`%%capture\n${TASK}`)]);
    expect(found.kind).toBe('found');
  });

  it('finds a function of a timed cell, whose code has no file name of its own', () => {
    const timed = frame({ file: '<timed exec>', cell: null });
    const cells = [cell('%%time\nx = 1'), cell(`%%time\n${TASK}`, 3)];
    expect(matchFrame(timed, null, cells)).toEqual({
      kind: 'found',
      place: { cell: 1, line: 3, number: 3 }
    });
  });

  it('finds a cell by its text if the kernel names files in another way', () => {
    const ran: FailureCell = { hash: 'cell.py', number: 2, text: TASK };
    const other = frame({ file: '/tmp/cell.py', cell: 'cell.py' });
    const found = matchFrame(other, ran, [cell(`\n${TASK}\n`)]);
    expect(found).toMatchObject({ kind: 'found', place: { line: 3 } });
  });

  it('offers the only definition of the function if the cell has changed', () => {
    const edited = cell('@task\nasync def divide(a):\n    pass', 9);
    expect(matchFrame(frame(), null, [...before, edited])).toEqual({
      kind: 'changed',
      place: { cell: 2, line: 1, number: 9 }
    });
    expect(matchFrame(frame(), null, [edited, edited])).toEqual({
      kind: 'changed',
      place: null
    });
    expect(matchFrame(frame(), null, before)).toEqual({
      kind: 'changed',
      place: null
    });
  });

  it('stays within the cell for a line beyond its end', () => {
    const beyond = frame({ line: 40, code: null });
    const place = matchFrame(beyond, null, [cell(TASK)]);
    expect(place).toMatchObject({ kind: 'found', place: { line: 2 } });
  });
});

describe('FailedCells', () => {
  const failure = (change: Partial<Failure> = {}): Failure => ({
    cause: 'ZeroDivisionError',
    traceback: 'Traceback',
    exceptions: [{ type: 'E', message: '', relation: null, frames: [frame()] }],
    task: null,
    version: 1,
    cells: [{ hash: hashCell(TASK), number: 3, text: TASK }],
    notebook: '/home/me/a.ipynb',
    notebook_path: 'a.ipynb',
    ...change
  });

  it('reads the notebook once, and again when it is edited', async () => {
    const notebooks = new FakeNotebookCells([cell(TASK, 3)]);
    const cells = new FailedCells(notebooks);
    cells.update(failure());
    expect(cells.match(frame())).toEqual({ kind: 'unread' });
    cells.update(failure());
    await Promise.resolve();
    expect(notebooks.read).toHaveBeenCalledTimes(1);
    expect(cells.match(frame())?.kind).toBe('found');

    notebooks.cells = [cell('pass')];
    notebooks.changed.emit('other.ipynb');
    expect(notebooks.read).toHaveBeenCalledTimes(1);
    notebooks.changed.emit('a.ipynb');
    await Promise.resolve();
    expect(cells.match(frame())).toEqual({ kind: 'changed', place: null });
    expect(cells.cellOf(frame())?.text).toBe(TASK);
  });

  it('reads the notebook again after the server did not answer', async () => {
    const notebooks = new FakeNotebookCells([cell(TASK, 3)]);
    notebooks.read.mockRejectedValueOnce(new Error('no answer'));
    const cells = new FailedCells(notebooks);
    cells.update(failure());
    await new Promise(resolve => setTimeout(resolve));
    expect(cells.match(frame())).toEqual({ kind: 'unread' });
    cells.update(failure());
    await new Promise(resolve => setTimeout(resolve));
    expect(cells.match(frame())?.kind).toBe('found');
  });

  it('opens the cell where it is at that moment', async () => {
    const notebooks = new FakeNotebookCells([cell(TASK, 3)]);
    const cells = new FailedCells(notebooks);
    cells.update(failure());
    notebooks.cells = [cell('pass'), cell(TASK, 3)];
    await cells.open(frame());
    const place = { cell: 1, line: 2, number: 3 };
    expect(notebooks.open).toHaveBeenCalledWith('a.ipynb', place);
  });

  it('knows no place in a deleted notebook, in files and without a version', async () => {
    const notebooks = new FakeNotebookCells([cell(TASK, 3)]);
    const cells = new FailedCells(notebooks);
    cells.update(failure({ notebook_path: null }));
    expect(cells.match(frame())).toEqual({ kind: 'gone' });
    notebooks.cells = null;
    cells.update(failure());
    await Promise.resolve();
    expect(cells.match(frame())).toEqual({ kind: 'gone' });
    expect(cells.match(frame({ cell: null, file: '/a.py' }))).toBeNull();
    cells.update(failure({ notebook: null, notebook_path: null }));
    expect(cells.match(frame())).toBeNull();
  });
});
