import type { IBar, ITimelineRow } from './timelineRows';

/** Number of rows by which the page keys move. */
const PAGE_ROWS = 10;

const ROW_STEPS: Record<string, number> = {
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: PAGE_ROWS,
  PageUp: -PAGE_ROWS,
  Home: -Infinity,
  End: Infinity
};

/** The row and bar with the keyboard focus; it stays with its row when rows are added. */
export class TimelineFocus {
  /** Position of the row, or null. */
  get index(): number | null {
    return this._index;
  }

  get row(): ITimelineRow | null {
    return this._index === null ? null : (this.rows[this._index] ?? null);
  }

  /** The bar in the row; null for a group. */
  get bar(): IBar | null {
    const row = this.row;
    return row && row.kind !== 'group'
      ? (row.bars[this.position] ?? null)
      : null;
  }

  setRows(rows: readonly ITimelineRow[]): void {
    const key = this.row?.key;
    const index = rows.findIndex(row => row.key === key);
    this.rows = rows;
    this._index = index < 0 ? null : index;
  }

  /** Move to a row, and to one of its bars. */
  moveTo(index: number, bar: IBar | null = null): void {
    this._index = index;
    this.position = Math.max(0, bar ? this.rows[index].bars.indexOf(bar) : 0);
  }

  /** Handle a key that moves the focus. Return whether it has moved. */
  move(key: string): boolean {
    const by = ROW_STEPS[key] as number | undefined;
    if (by !== undefined) {
      const from = this._index ?? (by > 0 ? -1 : 0);
      this.moveTo(Math.max(0, Math.min(this.rows.length - 1, from + by)));
      return true;
    }
    const across = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0;
    return across !== 0 && this.moveInRow(across);
  }

  /** Go along a lane, or from one of a group's runs to the group. */
  private moveInRow(by: number): boolean {
    const row = this.row;
    if (row?.kind === 'lane') {
      const last = row.bars.length - 1;
      this.position = Math.max(0, Math.min(last, this.position + by));
      return true;
    }
    if (row?.isChild && by < 0) {
      this.moveTo(
        this.rows.findIndex(
          one => one.kind === 'group' && one.group === row.group
        )
      );
      return true;
    }
    return false;
  }

  private rows: readonly ITimelineRow[] = [];
  private _index: number | null = null;
  /** Position of the bar in the row. */
  private position = 0;
}
