import type { LogLine, LogsFrame } from '../_api';
import { plainText } from '../components/terminalText';
import { searchPattern } from './logText';

/** The log of a run, in order and without duplicates. Plain data, independent of the views. */
export class LogStore {
  get lines(): readonly LogLine[] {
    return this._lines;
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
    }
    const fresh = frame.lines.filter(line => !this.ids.has(line.id));
    fresh.forEach(line => this.ids.add(line.id));
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

/** Return the positions of the lines that contain the text, ignoring case. */
export function findMatches(
  lines: readonly LogLine[],
  words: string
): number[] {
  const pattern = searchPattern(words);
  if (!pattern) {
    return [];
  }
  return lines.flatMap((line, index) =>
    plainText(line.message).search(pattern) >= 0 ? [index] : []
  );
}

/** Compare lines by time. The number of decimal places in the server's times varies, so comparing text is not enough. */
function compareByTime(a: LogLine, b: LogLine): number {
  return Date.parse(a.time) - Date.parse(b.time) || a.seq - b.seq;
}
