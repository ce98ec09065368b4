import type { ErrorBody } from '../_api';
import { errorBody } from '../errors';
import { Observable } from './observable';

/** A model that runs user actions, which take time and can fail. */
export abstract class Working extends Observable {
  /** The error of the last action. */
  get error(): ErrorBody | null {
    return this._error;
  }

  /** True while an action is running. */
  get isBusy(): boolean {
    return this._isBusy;
  }

  /** Run an action; set `error` if it fails. */
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
