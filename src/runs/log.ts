import type { LogLine, LogsFrame } from '../_api';
import { plainText } from '../components/terminalText';
import { formatLogTime, levelName } from '../format';

/** The log of a run, in order and without duplicates. Plain data, independent of the views. */
export class LogStore {
  get lines(): readonly LogLine[] {
    return this._lines;
  }

  /** The names of the Dask workers that wrote lines of tasks, by the ids of task runs. */
  get workers(): ReadonlyMap<string, string> {
    return this._workers;
  }

  /** True if all lines are loaded and no more will follow. */
  get isComplete(): boolean {
    return this._isComplete;
  }

  /** True if the server has sent a frame. */
  get hasStarted(): boolean {
    return this._hasStarted;
  }

  /** Add a frame: drop known lines and insert late lines in order. */
  addFrame(frame: LogsFrame): void {
    if (frame.reset) {
      this._lines = [];
      this.ids.clear();
      this._workers.clear();
    }
    const fresh = frame.lines.filter(line => !this.ids.has(line.id));
    for (const line of fresh) {
      this.ids.add(line.id);
      const worker = findWorker(line);
      if (worker && line.task_run_id) {
        this._workers.set(line.task_run_id, worker);
      }
    }
    fresh.sort(compareByTime);
    const last = this._lines[this._lines.length - 1];
    const inOrder = !last || !fresh[0] || compareByTime(last, fresh[0]) <= 0;
    this._lines = this._lines.concat(fresh);
    if (!inOrder) {
      this._lines.sort(compareByTime);
    }
    this._isComplete = frame.ended;
    this._hasStarted = true;
  }

  /** Expect further lines, because the run is executed again. */
  reopen(): void {
    this._isComplete = false;
  }

  private _lines: LogLine[] = [];
  private _isComplete = false;
  private _hasStarted = false;
  private readonly ids = new Set<string>();
  private readonly _workers = new Map<string, string>();
}

/** A line of a log that a link leads to. A new object for each time that the user opens one. */
export interface ILinkedLine {
  id: string;
}

/** The text between the name of a logger and that of the Dask worker, as in `prefect.task_runs on Dask worker 3`. */
const ON_WORKER = ' on Dask worker ';

/** Return the name of the Dask worker that wrote a line, or null. */
export function findWorker({ logger }: Pick<LogLine, 'logger'>): string | null {
  const [, worker] = logger.split(ON_WORKER);
  return worker ?? null;
}

/** Return the name of the logger of a line, which is the same on all Dask workers. */
export function loggerOf({ logger }: Pick<LogLine, 'logger'>): string {
  return logger.split(ON_WORKER)[0];
}

/** The loading state of a log: being read, extended with new lines while the run is active, or complete. */
export type LogState = 'loading' | 'live' | 'whole';

/**
 * Return the loading state of a run's log. The run ends before its log does, because the log is read page by page.
 *
 * @param log - the log received so far
 * @param hasEnded - true if the run has ended
 */
export function logState(
  log: Pick<LogStore, 'isComplete' | 'hasStarted'>,
  hasEnded: boolean
): LogState {
  if (log.isComplete) {
    return 'whole';
  }
  return hasEnded || !log.hasStarted ? 'loading' : 'live';
}

/** Return the lines of at least the given level. */
export function filterByLevel(
  lines: readonly LogLine[],
  level: number
): readonly LogLine[] {
  return level <= 0 ? lines : lines.filter(line => line.level >= level);
}

/** Return the lines of a logger, or all lines with an empty name. */
export function filterByLogger(
  lines: readonly LogLine[],
  logger: string
): readonly LogLine[] {
  return logger ? lines.filter(line => loggerOf(line) === logger) : lines;
}

/** Return the lines of these task runs, or all lines with null. */
export function filterByTask(
  lines: readonly LogLine[],
  taskRuns: ReadonlySet<string> | null
): readonly LogLine[] {
  return taskRuns
    ? lines.filter(line => line.task_run_id && taskRuns.has(line.task_run_id))
    : lines;
}

/** Drop lines that the next line of the same task and logger overwrites, so that a progress bar is one line. */
export function dropOverwritten(lines: readonly LogLine[]): readonly LogLine[] {
  if (!lines.some(line => line.message.includes('\r'))) {
    return lines;
  }
  const last = new Map<string, number>();
  const gone = new Set<number>();
  lines.forEach((line, index) => {
    const source = `${line.task_run_id ?? ''} ${line.logger}`;
    const before = last.get(source);
    if (before !== undefined && overwritesPrevious(line, lines[before])) {
      gone.add(before);
    }
    last.set(source, index);
  });
  return gone.size === 0 ? lines : lines.filter((_, index) => !gone.has(index));
}

/**
 * Return whether a line overwrites the previous one: the previous line ends with a carriage return, or both begin
 * with one.
 */
function overwritesPrevious(line: LogLine, before: LogLine): boolean {
  const isOneLine = !before.message.includes('\n');
  const isBar =
    before.message.startsWith('\r') && line.message.startsWith('\r');
  return isOneLine && (isBar || before.message.endsWith('\r'));
}

/** Return the positions of the lines that match a pattern with at least one character. */
export function findMatches(
  lines: readonly LogLine[],
  pattern: RegExp | null
): number[] {
  if (!pattern) {
    return [];
  }
  const isMatch = ''.search(pattern) >= 0 ? hasVisibleMatch : hasMatch;
  return lines.flatMap((line, index) =>
    isMatch(plainText(line.message), pattern) ? [index] : []
  );
}

function hasMatch(text: string, pattern: RegExp): boolean {
  return text.search(pattern) >= 0;
}

/** Return whether a pattern that also matches nothing, such as `x*`, matches a character of the text. */
function hasVisibleMatch(text: string, pattern: RegExp): boolean {
  return [...text.matchAll(pattern)].some(([found]) => found !== '');
}

/** Return the lines as text, as they are shown. */
export function formatLines(
  lines: readonly LogLine[],
  taskNames: ReadonlyMap<string, string>
): string {
  return lines
    .map(line => {
      const { time, level, message } = line;
      const task = taskNames.get(line.task_run_id ?? '');
      const worker = findWorker(line);
      const source = `${task ? `${task}  ` : ''}${worker ? `@${worker}  ` : ''}`;
      return `${formatLogTime(time)} ${levelName(level)} ${source}${plainText(message)}\n`;
    })
    .join('');
}

/** Compare lines by time. The number of decimal places in the server's times varies, so comparing text is not enough. */
function compareByTime(a: LogLine, b: LogLine): number {
  return Date.parse(a.time) - Date.parse(b.time) || a.seq - b.seq;
}
