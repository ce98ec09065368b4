import type { LogLine, LogsFrame } from '../_api';
import { searchPattern } from './logText';
import { plain } from './terminalText';

/** A run's log, in order and without doubles. Plain data: nothing of it knows about drawing. */
export class LogStore {
  get lines(): readonly LogLine[] {
    return this._lines;
  }

  /** Whether all lines are here and no other will follow. */
  get ended(): boolean {
    return this._ended;
  }

  /** Whether the server has sent anything yet. */
  get isBegun(): boolean {
    return this._isBegun;
  }

  /** Take a frame in; lines known already are dropped, late ones are put where they belong. */
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

/** How much of a log is here: it is being read, or new lines follow while the run goes on, or it is all there is. */
export type LogProgress = 'loading' | 'live' | 'whole';

/**
 * How much of a run's log is here. The end of the run comes before the end of its log, which is read page by page.
 *
 * @param log - what has come of it
 * @param hasEnded - whether the run has ended
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

/** The lines of at least that level. */
export function atLeast(
  lines: readonly LogLine[],
  level: number
): readonly LogLine[] {
  return level <= 0 ? lines : lines.filter(line => line.level >= level);
}

/** The lines without those that the next one of the same task and logger draws over: progress bars are one line. */
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

/** A carriage return at the end of a line, or at the beginning of each, draws the next one over it. */
function drawsOver(line: LogLine, before: LogLine): boolean {
  const isOneLine = !before.message.includes('\n');
  const isBar =
    before.message.startsWith('\r') && line.message.startsWith('\r');
  return isOneLine && (isBar || before.message.endsWith('\r'));
}

/** The positions of the lines that contain the words, whatever their case. */
export function matches(lines: readonly LogLine[], words: string): number[] {
  const pattern = searchPattern(words);
  if (!pattern) {
    return [];
  }
  return lines.flatMap((line, index) =>
    plain(line.message).search(pattern) >= 0 ? [index] : []
  );
}

/** Times as the server writes them may differ in their digits of a second, so text order is not enough. */
function byTime(a: LogLine, b: LogLine): number {
  return Date.parse(a.time) - Date.parse(b.time) || a.seq - b.seq;
}
