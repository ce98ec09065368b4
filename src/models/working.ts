import type { ErrorBody } from '../_api';
import { errorBody } from '../errors';
import { Observable } from './observable';

/** A model that does what the user asks for, which takes time and may be refused. */
export abstract class Working extends Observable {
  /** What was wrong with what was asked for last. */
  get error(): ErrorBody | null {
    return this._error;
  }

  /** Whether it is at it now. */
  get isBusy(): boolean {
    return this._isBusy;
  }

  /** Do it; what goes wrong stands in `error`. */
  protected async doing(work: () => Promise<void>): Promise<void> {
    this._isBusy = true;
    this._error = null;
    this.tell();
    try {
      await work();
    } catch (reason) {
      this._error = errorBody(reason);
    }
    this._isBusy = false;
    this.tell();
  }

  protected _error: ErrorBody | null = null;
  private _isBusy = false;
}
