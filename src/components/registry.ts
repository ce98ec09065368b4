import { DisposableDelegate, type IDisposable } from '@lumino/disposable';

import { Observable } from './observable';

/** An entry of a registry. */
export interface IRegistryEntry {
  /** The unique id; prefix it with the name of your package. */
  readonly id: string;
  /** The position among the entries, smallest first; entries of equal rank are in the order of their addition. */
  readonly rank: number;
}

/** Entries that this and other extensions add. */
export class Registry<T extends IRegistryEntry> extends Observable {
  /** The entries in the order of their ranks. */
  get items(): readonly T[] {
    return this._items;
  }

  /**
   * Add an entry.
   *
   * @returns an object that removes the entry when it is disposed
   * @throws Error if an entry with the same id exists
   */
  add(entry: T): IDisposable {
    if (this._items.some(one => one.id === entry.id)) {
      throw new Error(`An entry with the id ${entry.id} exists.`);
    }
    this.setItems([...this._items, entry]);
    return new DisposableDelegate(() =>
      this.setItems(this._items.filter(one => one !== entry))
    );
  }

  private setItems(items: readonly T[]): void {
    this._items = [...items].sort((a, b) => a.rank - b.rank);
    this.emitChanged();
  }

  private _items: readonly T[] = [];
}
