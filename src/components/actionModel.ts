import type { ErrorBody } from '../_api';
import { toErrorBody } from '../errors';
import { Observable } from './observable';

/** A model that runs user actions, which take time and can fail. */
export abstract class ActionModel extends Observable {
  /** The error of the last action. */
  get error(): ErrorBody | null {
    return this._error;
  }

  /** True while an action is running. */
  get isBusy(): boolean {
    return this._isBusy;
  }

  /** Run an action; set `error` if it fails. */
  protected async runAction(work: () => Promise<void>): Promise<void> {
    this._isBusy = true;
    this._error = null;
    this.emitChanged();
    try {
      await work();
    } catch (reason) {
      this._error = toErrorBody(reason);
    }
    this._isBusy = false;
    this.emitChanged();
  }

  protected _error: ErrorBody | null = null;
  private _isBusy = false;
}
