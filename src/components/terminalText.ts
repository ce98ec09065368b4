/**
 * Escape sequences other than colors: links and titles (OSC), strings (DCS, SOS, PM, APC), cursor movements and erasing (CSI),
 * character sets and single commands. A sequence without an end, of at most 4,096 characters, ends at the line's end.
 */
const SEQUENCES =
  // eslint-disable-next-line no-control-regex
  /\u001b(?:\][^\u0007\u001b]{0,4096}(?:\u0007|\u001b\\)?|[PX^_][^\u001b]{0,4096}(?:\u001b\\)?|\[(?:[0-?]*[ -/]*[@-ln-~]|[<-?][0-?]*m)|[ -/]+[0-~]|[0-OQ-WYZ\\`-~])/g;

/** Colors and decorations. */
// eslint-disable-next-line no-control-regex
export const COLORS = /\u001b\[[\d;:]*m/g;

/** Invisible characters: control characters of text direction and of the terminal, and characters without width. */
export const INVISIBLE =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/g;

/** Return a message without colors, as a terminal finally shows it: text that a carriage return overwrites is left out. */
export function plainText(message: string): string {
  return message.includes('\u001b')
    ? applyCarriageReturns(message).replace(COLORS, '')
    : applyCarriageReturns(message);
}

/** Return an external text as one line of limited length, with invisible characters named. */
export function shortenText(message: string, limit: number): string {
  const text = plainText(message.slice(0, 4 * limit));
  const cut =
    text.length > limit || message.length > 4 * limit
      ? `${text.slice(0, limit)}…`
      : text;
  return nameInvisible(cut);
}

/** Replace each invisible character by its name, such as ⟨U+202E⟩. */
export function nameInvisible(text: string): string {
  return text.replace(INVISIBLE, characterName);
}

/**
 * Return a message as a terminal finally shows it: without escape sequences other than colors, and with the text of
 * each line that the last carriage return leaves.
 */
export function applyCarriageReturns(message: string): string {
  const text = message.includes('\u001b')
    ? message.replace(SEQUENCES, '')
    : message;
  return text.includes('\r')
    ? text.replace(/\r+\n/g, '\n').split('\n').map(visibleRest).join('\n')
    : text;
}

/** Return the text that remains of a line with carriage returns. */
function visibleRest(line: string): string {
  const drawn = line.split('\r').filter(part => part !== '');
  return drawn[drawn.length - 1] ?? '';
}

/** Return the name of an invisible character. */
export function characterName(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) {
    return String.fromCharCode(0x2400 + code); // control pictures: ␀ to ␟
  }
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
}
