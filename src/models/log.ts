import type { LogLine, LogsFrame } from '../_api';
import { searchPattern } from './logText';
import { plain } from './terminalText';

/** The log of a run, in order and without duplicates. Plain data, independent of the views. */
export class LogStore {
  get lines(): readonly LogLine[] {
    return this._lines;
  }

  /** True if all lines are loaded and no more will follow. */
  get ended(): boolean {
    return this._ended;
  }

  /** True if the server has sent a frame. */
  get isBegun(): boolean {
    return this._isBegun;
  }

  /** Add a frame: drop known lines and insert late lines in order. */
  add(frame: LogsFrame): void {
    if (frame.reset) {
      this._lines = [];
      this.ids.clear();
    }
    const fresh = frame.lines.filter(line => !this.ids.has(line.id));
    fresh.forEach(line => this.ids.add(line.id));
    fresh.sort(byTime);
    const last = this._lines[this._lines.length - 1];
    const inOrder = !last || !fresh[0] || byTime(last, fresh[0]) <= 0;
    this._lines = this._lines.concat(fresh);
    if (!inOrder) {
      this._lines.sort(byTime);
    }
    this._ended = frame.ended;
    this._isBegun = true;
  }

  private _lines: LogLine[] = [];
  private _ended = false;
  private _isBegun = false;
  private readonly ids = new Set<string>();
}

/** The loading state of a log: being read, extended with new lines while the run is active, or complete. */
export type LogProgress = 'loading' | 'live' | 'whole';

/**
 * Return the loading state of a run's log. The run ends before its log does, because the log is read page by page.
 *
 * @param log - the log received so far
 * @param hasEnded - true if the run has ended
 */
export function logProgress(
  log: Pick<LogStore, 'ended' | 'isBegun'>,
  hasEnded: boolean
): LogProgress {
  if (log.ended) {
    return 'whole';
  }
  return hasEnded || !log.isBegun ? 'loading' : 'live';
}

/** Return the lines of at least the given level. */
export function atLeast(
  lines: readonly LogLine[],
  level: number
): readonly LogLine[] {
  return level <= 0 ? lines : lines.filter(line => line.level >= level);
}

/** Drop lines that the next line of the same task and logger overwrites, so that a progress bar is one line. */
export function withoutOverwritten(
  lines: readonly LogLine[]
): readonly LogLine[] {
  if (!lines.some(line => line.message.includes('\r'))) {
    return lines;
  }
  const last = new Map<string, number>();
  const gone = new Set<number>();
  lines.forEach((line, index) => {
    const source = `${line.task_run_id ?? ''} ${line.logger}`;
    const before = last.get(source);
    if (before !== undefined && drawsOver(line, lines[before])) {
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
function drawsOver(line: LogLine, before: LogLine): boolean {
  const isOneLine = !before.message.includes('\n');
  const isBar =
    before.message.startsWith('\r') && line.message.startsWith('\r');
  return isOneLine && (isBar || before.message.endsWith('\r'));
}

/** Return the positions of the lines that contain the text, ignoring case. */
export function matches(lines: readonly LogLine[], words: string): number[] {
  const pattern = searchPattern(words);
  if (!pattern) {
    return [];
  }
  return lines.flatMap((line, index) =>
    plain(line.message).search(pattern) >= 0 ? [index] : []
  );
}

/** Compare lines by time. The number of decimal places in the server's times varies, so comparing text is not enough. */
function byTime(a: LogLine, b: LogLine): number {
  return Date.parse(a.time) - Date.parse(b.time) || a.seq - b.seq;
}
