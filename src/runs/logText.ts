import Anser from 'anser';

import {
  COLORS,
  INVISIBLE,
  characterName,
  applyCarriageReturns
} from '../components/terminalText';

/** The style of a piece of text. */
export interface ITextStyle {
  /** JupyterLab's class names for terminal colors, separated by spaces. */
  className: string;
  /** CSS colors outside the theme's sixteen colors, or null. */
  color: string | null;
  background: string | null;
}

/** A piece of text in one style. */
export interface ITextPart {
  text: string;
  style: ITextStyle | null;
  /** True if the text names an invisible character, such as one that reverses the direction of the following text. */
  isControl: boolean;
  isMatch: boolean;
}

/** Maximum number of characters of a line before the user asks for the whole line. */
export const LINE_LIMIT = 4000;

/** Maximum number of characters of a line in the view; the download has the rest. */
export const LINE_MAX = 1_000_000;

/** Maximum number of pieces of a line; styles and matches beyond it are dropped, their text is kept. */
export const PARTS_MAX = 500;

/** Number of characters shown before the first match of a truncated line. */
const CONTEXT_LENGTH = 200;

/**
 * Return the pattern of a search, which is the same for the whole log. Letters match in either case, character by
 * character, so that positions in the text do not change.
 *
 * @param words - the text that the user typed; if it is empty, return null
 * @param isRegExp - true if the text is a regular expression; if it is not a valid one, return null
 */
export function searchPattern(words: string, isRegExp = false): RegExp | null {
  const source = isRegExp
    ? words
    : words.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  try {
    return words === '' ? null : new RegExp(source, 'gim');
  } catch {
    return null;
  }
}

/** A line of a log in the view: a limited number of characters in at most `PARTS_MAX` pieces. */
export interface IShownText {
  parts: ITextPart[];
  /** Number of characters of the whole line. */
  length: number;
  isCut: boolean;
}

/**
 * Split a message into the pieces to draw.
 *
 * @param message - the text with terminal escape sequences
 * @param search - the result of `searchPattern`
 * @param limit - the maximum number of characters; if the first match is beyond it, the text around that match is
 *   shown
 */
export function splitText(
  message: string,
  search: RegExp | null,
  limit: number
): IShownText {
  const styled = splitByStyle(applyCarriageReturns(message));
  const text = styled.map(run => run.text).join('');
  const [start, end] = visibleRange(text, search, limit);
  const parts: ITextPart[] = [];
  const cuts = findMatchEdges(text.slice(start, end), search, start);
  let at = 0;
  for (const run of styled) {
    const [from, to] = [
      Math.max(at, start),
      Math.min(at + run.text.length, end)
    ];
    if (from < to) {
      addStyledRun(parts, run, { from, to, at }, cuts);
    }
    at += run.text.length;
  }
  if (start > 0) {
    parts.unshift(plainPart('…'));
  }
  if (end < text.length) {
    parts.push(plainPart('…'));
  }
  return { parts, length: text.length, isCut: start > 0 || end < text.length };
}

interface IStyledRun {
  text: string;
  style: ITextStyle | null;
}

/** Return the range of a text to show: its beginning, or the text around the first match if that is beyond the limit. */
function visibleRange(
  text: string,
  search: RegExp | null,
  limit: number
): [number, number] {
  if (text.length <= limit) {
    return [0, text.length];
  }
  const found = search ? text.search(search) : -1;
  const start = found > limit - CONTEXT_LENGTH ? found - CONTEXT_LENGTH : 0;
  return [start, Math.min(text.length, start + limit)];
}

/** Return the positions in a text where matches begin and end, increased by `offset`: begin, end, begin, end, … */
function findMatchEdges(
  text: string,
  search: RegExp | null,
  offset: number
): number[] {
  const edges: number[] = [];
  if (search) {
    search.lastIndex = 0;
    for (const match of text.matchAll(search)) {
      if (edges.length >= PARTS_MAX) {
        break;
      }
      edges.push(match.index + offset, match.index + match[0].length + offset);
    }
  }
  return edges;
}

/** Add the part of a run between two positions, split where matches begin and end. */
function addStyledRun(
  parts: ITextPart[],
  { text, style }: IStyledRun,
  { from, to, at }: { from: number; to: number; at: number },
  edges: number[]
): void {
  let begin = from;
  // The edges are sorted, so a binary search finds the first one after `from`.
  for (let edge = firstLarger(edges, from); begin < to; edge += 1) {
    const end = Math.min(edges[edge] ?? to, to);
    if (end > begin) {
      addWithNames(
        parts,
        text.slice(begin - at, end - at),
        style,
        edge % 2 === 1
      );
    }
    begin = end;
    if (edge >= edges.length) {
      break;
    }
  }
}

/** Return the position of the first larger number in a sorted list. */
function firstLarger(edges: number[], position: number): number {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle] > position) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

/** Add a piece, with the names of invisible characters as separate pieces. */
function addWithNames(
  parts: ITextPart[],
  text: string,
  style: ITextStyle | null,
  isMatch: boolean
): void {
  let begin = 0;
  for (const match of text.matchAll(INVISIBLE)) {
    if (match.index > begin) {
      addPart(parts, text.slice(begin, match.index), style, isMatch, false);
    }
    addPart(parts, characterName(match[0]), style, isMatch, true);
    begin = match.index + match[0].length;
  }
  if (begin < text.length) {
    addPart(parts, text.slice(begin), style, isMatch, false);
  }
}

/** Add a piece; if there are too many, append its text to the last one. */
function addPart(
  parts: ITextPart[],
  text: string,
  style: ITextStyle | null,
  isMatch: boolean,
  isControl: boolean
): void {
  if (parts.length < PARTS_MAX) {
    parts.push({ text, style, isMatch, isControl });
  } else {
    const last = parts[parts.length - 1];
    parts[parts.length - 1] = { ...plainPart(last.text + text) };
  }
}

function plainPart(text: string): ITextPart {
  return { text, style: null, isMatch: false, isControl: false };
}

/** Split a text into runs of one style. */
function splitByStyle(text: string): IStyledRun[] {
  if (!text.includes('\u001b')) {
    return [{ text, style: null }];
  }
  const limited = limitColors(text);
  const parts = Anser.ansiToJson(limited, { use_classes: true });
  return parts
    .filter(part => part.content !== '')
    .map(part => ({ text: part.content, style: textStyle(part) }));
}

/** Keep only the first colors of a text: each color is a piece, and the rest is shown without colors. */
function limitColors(text: string): string {
  let count = 0;
  return text.replace(COLORS, sequence => {
    count += 1;
    if (count > PARTS_MAX) {
      return '';
    }
    return count === PARTS_MAX ? '\u001b[0m' : sequence.replace(/:+/g, ';');
  });
}

function textStyle(part: Anser.AnserJsonEntry): ITextStyle | null {
  const color = cssColor(part.fg, part.fg_truecolor);
  const background = cssColor(part.bg, part.bg_truecolor);
  const names = [
    part.fg && !color && `${part.fg}-fg`,
    part.bg && !background && `${part.bg}-bg`,
    ...new Set(part.decorations.map(one => `ansi-${one}`))
  ].filter(Boolean);
  return names.length > 0 || color || background
    ? { className: names.join(' '), color, background }
    : null;
}

/** Return the CSS color of a class name of Anser that is outside the theme's sixteen colors, or null for one of these. */
function cssColor(name: string | null, rgb: string | null): string | null {
  if (name === 'ansi-truecolor') {
    return rgb && `rgb(${rgb})`;
  }
  const palette = /^ansi-palette-(\d+)$/.exec(name ?? '');
  return palette && paletteColor(Number(palette[1]));
}

/** Return a color of the terminal's 256-color palette from 16 on: a cube of 6 × 6 × 6, then 24 grays. */
function paletteColor(index: number): string {
  if (index >= 232) {
    const gray = 8 + 10 * (index - 232);
    return `rgb(${gray}, ${gray}, ${gray})`;
  }
  const levels = [0, 95, 135, 175, 215, 255];
  const place = index - 16;
  const rgb = [Math.floor(place / 36), Math.floor(place / 6) % 6, place % 6];
  return `rgb(${rgb.map(one => levels[one]).join(', ')})`;
}
