import { nullTranslator } from '@jupyterlab/translation';

import type { FailureFrame } from '../_api';
import { hashCell } from '../runs/cellHash';
import { debugRun } from '../runs/debugRun';
import { FailedCells } from '../runs/failedCells';
import { FakeNotebookCells, failureOf } from './failures';

const TASK = '@task\ndef divide(number):\n    return number / 0';
const CALL = 'debug.task.fn(**debug.inputs)';
const trans = nullTranslator.load('satflow_ext');

const frame: FailureFrame = {
  file: '/tmp/ipykernel_1/2.py',
  line: 3,
  function: 'divide',
  code: 'return number / 0',
  package: null,
  cell: hashCell(TASK)
};

function createCells(...sources: string[]): [FakeNotebookCells, FailedCells] {
  const read = sources.map((source, at) => ({ source, number: at + 1 }));
  const notebooks = new FakeNotebookCells(read);
  const cells = new FailedCells(notebooks);
  const error = { type: 'E', message: '', relation: null, frames: [frame] };
  cells.update(
    failureOf({
      exceptions: [error],
      notebook: '/home/me/a.ipynb',
      notebook_path: 'a.ipynb'
    })
  );
  return [notebooks, cells];
}

describe('debugRun', () => {
  const client = {
    debugRun: jest.fn(async () => ({ variable: 'debug', source: CALL }))
  };
  const debug = (cells: FailedCells) => debugRun('r1', cells, client, trans);

  beforeEach(() => client.debugRun.mockClear());

  it('inserts the call below the cell that failed', async () => {
    const [notebooks, cells] = createCells('pass', TASK, 'pass');
    await debug(cells);
    expect(client.debugRun).toHaveBeenCalledWith('r1', { kernel_id: 'k1' });
    expect(notebooks.prepare).toHaveBeenCalledWith('a.ipynb');
    expect(notebooks.insertCell).toHaveBeenCalledWith(1, CALL);
  });

  it('inserts it below the definition if the cell has changed, or else below the active cell', async () => {
    const [edited, cells] = createCells('pass', `${TASK}  # edited`);
    await debug(cells);
    expect(edited.insertCell).toHaveBeenCalledWith(1, CALL);
    const [other, without] = createCells('pass');
    await debug(without);
    expect(other.insertCell).toHaveBeenCalledWith(null, CALL);
  });

  it('uses the current notebook if this server does not have the one of the flow', async () => {
    const [notebooks, cells] = createCells();
    notebooks.cells = null;
    await expect(debug(cells)).rejects.toThrow('Open a notebook first');
    notebooks.current = 'other.ipynb';
    await debug(cells);
    expect(notebooks.prepare).toHaveBeenLastCalledWith(null);
    expect(notebooks.insertCell).toHaveBeenCalledWith(null, CALL);
  });

  it('inserts nothing without a kernel, or if the run cannot be loaded', async () => {
    const [notebooks, cells] = createCells(TASK);
    notebooks.kernelId = null;
    await expect(debug(cells)).rejects.toThrow('a.ipynb has no kernel');
    notebooks.kernelId = 'k1';
    client.debugRun.mockRejectedValueOnce(new Error('no'));
    await expect(debug(cells)).rejects.toThrow('no');
    expect(notebooks.insertCell).not.toHaveBeenCalled();
  });
});
