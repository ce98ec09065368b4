import type { LogLine, LogsFrame } from '../_api';

/** Strips the escape sequences of terminal colours, which nobody searches for. */
// eslint-disable-next-line no-control-regex
const ANSI = /\u001b\[[0-9;]*[A-Za-z]/g;

/** A run's log, in order and without doubles. Plain data: nothing of it knows about drawing. */
export class LogStore {
  get lines(): readonly LogLine[] {
    return this._lines;
  }

  get ended(): boolean {
    return this._ended;
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
  }

  private _lines: LogLine[] = [];
  private _ended = false;
  private readonly ids = new Set<string>();
}

/** The lines of at least that level. */
export function atLeast(
  lines: readonly LogLine[],
  level: number
): readonly LogLine[] {
  return level <= 0 ? lines : lines.filter(line => line.level >= level);
}

/** The positions of the lines that contain the words, whatever their case. */
export function matches(lines: readonly LogLine[], words: string): number[] {
  const wanted = words.toLowerCase();
  if (!wanted) {
    return [];
  }
  return lines.flatMap((line, index) =>
    plain(line.message).toLowerCase().includes(wanted) ? [index] : []
  );
}

/** A message without its colours. */
export function plain(message: string): string {
  return message.includes('\u001b') ? message.replace(ANSI, '') : message;
}

/** Times as the server writes them may differ in their digits of a second, so text order is not enough. */
function byTime(a: LogLine, b: LogLine): number {
  return Date.parse(a.time) - Date.parse(b.time) || a.seq - b.seq;
}
