import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

/** An object whose views are redrawn when it changes. */
export interface IObservable {
  readonly changed: ISignal<IObservable, void>;
}

/** Base class of models: emits changes and can be disposed. */
export abstract class Observable implements IObservable, IDisposable {
  get changed(): ISignal<IObservable, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  protected emitChanged(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private _isDisposed = false;
  private readonly _changed = new Signal<IObservable, void>(this);
}
