import Anser from 'anser';

import { COLORS, INVISIBLE, nameOf, overwritten } from './terminalText';

/** How a piece of text looks. */
export interface ITextStyle {
  /** JupyterLab's class names for the colors of a terminal, separated by spaces. */
  className: string;
  /** CSS colors outside of the theme's sixteen, null for none. */
  color: string | null;
  background: string | null;
}

/** A piece of text in one style. */
export interface ITextPart {
  text: string;
  style: ITextStyle | null;
  /** Whether it names a character that is not visible, such as one that reverses the direction of what follows. */
  isControl: boolean;
  isMatch: boolean;
}

/** The most characters of a line that are shown before the user asks for all of it. */
export const LINE_LIMIT = 4000;

/** The most characters of a line that are ever shown; the download has the rest. */
export const LINE_MAX = 1_000_000;

/** The most pieces that a line is drawn in; a style or a match beyond them is left out, its text is not. */
export const PARTS_MAX = 500;

/** Characters shown before the first match of a line that is cut. */
const CONTEXT = 200;

/**
 * What a search finds in a text; the same words in all of the log. Letters match whatever their case, character by character,
 * so that positions in the text stay what they are.
 *
 * @param words - what was typed; nothing matches where it is empty
 */
export function searchPattern(words: string): RegExp | null {
  return words === ''
    ? null
    : new RegExp(words.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'gi');
}

/** A line of a log as it is drawn: at most so many characters in at most `PARTS_MAX` pieces. */
export interface IShownText {
  parts: ITextPart[];
  /** Characters of the whole line. */
  length: number;
  isCut: boolean;
}

/**
 * The pieces that a message is drawn in.
 *
 * @param message - with a terminal's sequences
 * @param search - from `searchPattern`
 * @param limit - the most characters; where a match is beyond them, those around the first match are shown
 */
export function shownText(
  message: string,
  search: RegExp | null,
  limit: number
): IShownText {
  const styled = styledRuns(overwritten(message));
  const text = styled.map(run => run.text).join('');
  const [start, end] = shownRange(text, search, limit);
  const parts: ITextPart[] = [];
  const cuts = matchEdges(text.slice(start, end), search, start);
  let at = 0;
  for (const run of styled) {
    const [from, to] = [
      Math.max(at, start),
      Math.min(at + run.text.length, end)
    ];
    if (from < to) {
      addRun(parts, run, { from, to, at }, cuts);
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

/** The part of a text to show: its beginning, else the surroundings of the first match that is beyond it. */
function shownRange(
  text: string,
  search: RegExp | null,
  limit: number
): [number, number] {
  if (text.length <= limit) {
    return [0, text.length];
  }
  const found = search ? text.search(search) : -1;
  const start = found > limit - CONTEXT ? found - CONTEXT : 0;
  return [start, Math.min(text.length, start + limit)];
}

/** Where matches begin and end in a text, as positions from `offset` on: begin, end, begin, end, … */
function matchEdges(
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

/** Add the part of a run between two positions, in pieces that begin and end where matches do. */
function addRun(
  parts: ITextPart[],
  { text, style }: IStyledRun,
  { from, to, at }: { from: number; to: number; at: number },
  edges: number[]
): void {
  let begin = from;
  // The edges are in order, so that the first one behind `from` is found by halving.
  for (let edge = firstBehind(edges, from); begin < to; edge += 1) {
    const end = Math.min(edges[edge] ?? to, to);
    if (end > begin) {
      addVisible(
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

/** The position in a sorted list of the first number that is larger. */
function firstBehind(edges: number[], position: number): number {
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

/** Add a piece, with the names of invisible characters as pieces of their own. */
function addVisible(
  parts: ITextPart[],
  text: string,
  style: ITextStyle | null,
  isMatch: boolean
): void {
  let begin = 0;
  for (const match of text.matchAll(INVISIBLE)) {
    if (match.index > begin) {
      add(parts, text.slice(begin, match.index), style, isMatch, false);
    }
    add(parts, nameOf(match[0]), style, isMatch, true);
    begin = match.index + match[0].length;
  }
  if (begin < text.length) {
    add(parts, text.slice(begin), style, isMatch, false);
  }
}

/** Add a piece; once there are too many, its text goes to the last one. */
function add(
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

/** A text in runs of one style. */
function styledRuns(text: string): IStyledRun[] {
  if (!text.includes('\u001b')) {
    return [{ text, style: null }];
  }
  const limited = limitColors(text);
  const parts = Anser.ansiToJson(limited, { use_classes: true });
  return parts
    .filter(part => part.content !== '')
    .map(part => ({ text: part.content, style: styleOf(part) }));
}

/** A text with only its first colors: each one is a piece, and the rest is shown without. */
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

function styleOf(part: Anser.AnserJsonEntry): ITextStyle | null {
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

/** The CSS color of a class name of Anser that is outside of the theme's sixteen, null for one of these. */
function cssColor(name: string | null, rgb: string | null): string | null {
  if (name === 'ansi-truecolor') {
    return rgb && `rgb(${rgb})`;
  }
  const palette = /^ansi-palette-(\d+)$/.exec(name ?? '');
  return palette && paletteColor(Number(palette[1]));
}

/** A color of a terminal's 256 from 16 on: a cube of 6 × 6 × 6, then 24 grays. */
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
