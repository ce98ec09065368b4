import type { LogLine, TaskRun, TaskRunPage } from '../_api';
import { hasEnded } from '../format';

/** The task runs of a run as the views receive them. */
export interface ITaskRuns {
  /** The task runs in the order of their start; a new array after each change. */
  readonly items: readonly TaskRun[];
  /** Number of task runs that Prefect has, of which some may not be loaded. */
  readonly total: number;
  /** True if all changes up to the last request are loaded. */
  readonly isLoaded: boolean;
  /** Milliseconds by which the server's clock is ahead of the browser's. */
  readonly clockOffset: number;
}

/** The task runs of a run, read page by page. Plain data, independent of the views. */
export class TaskRunStore implements ITaskRuns {
  get items(): readonly TaskRun[] {
    return this._items;
  }

  get total(): number {
    return this._total;
  }

  get isLoaded(): boolean {
    return this._isLoaded;
  }

  get clockOffset(): number {
    return this._clockOffset;
  }

  /** The cursor of the last page. */
  get cursor(): string | null {
    return this._cursor;
  }

  /** Add a page: replace the task runs that changed and add new ones. */
  addPage(page: TaskRunPage): void {
    if (page.reset) {
      this.byId.clear();
    }
    page.task_runs.forEach(run => this.byId.set(run.id, run));
    if (page.reset || page.task_runs.length > 0) {
      this._items = [...this.byId.values()]
        .map((run, index) => ({ run, index, time: startOf(run) }))
        .sort((a, b) => a.time - b.time || a.index - b.index)
        .map(({ run }) => run);
    }
    this._total = page.total;
    this._cursor = page.cursor;
    this._isLoaded = !page.more;
    this._clockOffset = Date.parse(page.time) - Date.now();
  }

  private readonly byId = new Map<string, TaskRun>();
  private _items: readonly TaskRun[] = [];
  private _total = 0;
  private _cursor: string | null = null;
  private _isLoaded = false;
  private _clockOffset = 0;
}

/** Return the time by which task runs are ordered, in milliseconds; those without any time are last. */
function startOf(run: TaskRun): number {
  const time = run.start ?? run.expected_start ?? run.end;
  return time === null ? Number.MAX_SAFE_INTEGER : Date.parse(time);
}

/** Return whether all tasks that wrote to the log of an ended run are known and have reached a final state. */
export function hasAllTasks(
  tasks: readonly TaskRun[],
  lines: readonly LogLine[]
): boolean {
  const ids = new Set(tasks.map(task => task.id));
  return (
    tasks.every(task => task.interrupted || hasEnded(task.state_type)) &&
    lines.every(({ task_run_id: id }) => id === null || ids.has(id))
  );
}
