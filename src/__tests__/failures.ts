import { Signal } from '@lumino/signaling';

import type * as api from '../_api';
import type { INotebookCell, INotebooks } from '../notebooks';

/** Return an error of the server. */
export const wrong = (change: Partial<api.ErrorBody> = {}): api.ErrorBody => ({
  error: 'Wrong',
  message: 'It is wrong.',
  fix: 'Do this.',
  field: null,
  ...change
});

/** Return a failure whose traceback was not recognized. */
export function failureOf(change: Partial<api.Failure> = {}): api.Failure {
  return {
    cause: 'ValueError: no',
    traceback: 'Traceback …',
    exceptions: [],
    task: null,
    version: null,
    cells: [],
    notebook: null,
    notebook_path: null,
    ...change
  };
}

/** The cells of a notebook that a test controls; null for a deleted notebook. */
export class FakeNotebookCells implements INotebooks {
  readonly changed: Signal<INotebooks, string> = new Signal(this);
  readonly open = jest.fn(async () => undefined);
  readonly read = jest.fn(async () => this.cells);
  readonly insertCell = jest.fn(async () => undefined);
  readonly prepare = jest.fn(async (path: string | null) =>
    path === null && !this.current
      ? null
      : {
          path: path ?? this.current,
          kernelId: this.kernelId,
          insertCell: this.insertCell
        }
  );
  /** The path of the current notebook; empty if there is none. */
  current = '';
  kernelId: string | null = 'k1';

  constructor(public cells: INotebookCell[] | null = []) {}
}
