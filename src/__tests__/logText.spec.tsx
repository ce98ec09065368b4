import { fireEvent, render, screen } from '@testing-library/react';
import React from 'react';

import { plainText, shortenText } from '../components/terminalText';
import { AnsiText } from '../runs/AnsiText';
import { LineText } from '../runs/LogLines';
import {
  LINE_LIMIT,
  PARTS_MAX,
  searchPattern,
  splitText
} from '../runs/logText';
import { line } from './fakes';

const textOf = (message: string, words = '', limit = 1e9) =>
  splitText(message, searchPattern(words), limit)
    .parts.map(part => part.text)
    .join('');

describe('a long line', () => {
  // Each of these once produced one nested component, or one element, for every few characters.
  it.each([
    ['of one letter', 'a'.repeat(300_000)],
    ['of words', 'an error '.repeat(30_000)],
    ['of colors', '\u001b[31ma\u001b[0mb'.repeat(30_000)],
    ['of decorations that never end', '\u001b[1ma'.repeat(60_000)],
    ['of sequences without an end', '\u001b]8;;a\u001b['.repeat(30_000)],
    ['of invisible characters', '\u202ea'.repeat(100_000)],
    ['of carriage returns', 'a\r'.repeat(100_000)],
    ['of lines', 'a\n'.repeat(100_000)]
  ])('%s is drawn in few pieces, with nothing lost', (_, message) => {
    const shown = splitText(message, searchPattern('a'), 1e9);
    expect(shown.parts.length).toBeLessThanOrEqual(PARTS_MAX + 1);
    const { container } = render(
      <AnsiText text={message} search={searchPattern('a')} />
    );
    expect(container.querySelectorAll('*').length).toBeLessThan(3 * PARTS_MAX);
    const letters = shown.parts.map(part => part.text).join('');
    expect(letters.match(/a/g)?.length).toBe(
      plainText(message).match(/a/g)?.length
    );
  });

  const long = line(0, { message: `${'x'.repeat(LINE_LIMIT)}needle` });
  const props = {
    line: long,
    taskNames: new Map(),
    search: null,
    isWhole: false,
    onShowAll: jest.fn()
  };

  it('is cut, and whole on request', () => {
    const { container, rerender } = render(<LineText {...props} />);
    expect(container.textContent).not.toContain('needle');
    fireEvent.click(
      screen.getByRole('button', {
        name: `Show all ${LINE_LIMIT + 6} characters`
      })
    );
    expect(props.onShowAll).toHaveBeenCalledWith(long.id);
    rerender(<LineText {...props} isWhole />);
    expect(container.textContent).toContain('needle');
    expect(screen.queryByRole('button')).toBeNull();
  });

  it('names its Dask worker', () => {
    const logger = 'prefect.task_runs on Dask worker 3';
    const { container } = render(
      <LineText {...props} line={line(0, { logger })} />
    );
    expect(container.textContent).toContain('@3  line 0');
  });

  it('is shown around what a search finds in it', () => {
    const search = searchPattern('NEEDLE');
    const { container } = render(<LineText {...props} search={search} />);
    expect(container.querySelector('mark')?.textContent).toBe('needle');
  });
});

describe('a search', () => {
  it.each([
    ['İstanbul is red', 'RED', ['red']],
    ['\u001b[31mred\u001b[0m alert', 'red alert', ['red', ' alert']],
    ['a.c abc', 'a.c', ['a.c']],
    ['aaaa', 'aa', ['aa', 'aa']]
  ])('in %j for %j marks what matches', (text, words, marked) => {
    const { parts } = splitText(text, searchPattern(words), 1e9);
    const found = parts.filter(part => part.isMatch).map(part => part.text);
    expect(found).toEqual(marked);
    expect(parts.map(part => part.text).join('')).toBe(plainText(text));
  });
});

describe('what a terminal would show', () => {
  it.each([
    ['10%\r50%\r100%', '100%'],
    ['one\r\ntwo\r\n', 'one\ntwo\n'],
    ['10%\r', '10%'],
    ['a\n1/2\r2/2\nb', 'a\n2/2\nb'],
    ['\u001b[2K\u001b[1Gdone\u001b[?25h', 'done'],
    ['\u001b]8;;https://example.org\u001b\\link\u001b]8;;\u001b\\', 'link'],
    ['\u001b]0;title\u0007text', 'text']
  ])('of %j is %j', (message, expected) => {
    expect(plainText(message)).toBe(expected);
    expect(textOf(message)).toBe(expected);
  });

  it.each([
    ['38;5;196', 'rgb(255, 0, 0)', ''],
    ['38;5;244', 'rgb(128, 128, 128)', ''],
    ['38;2;1;20;200', 'rgb(1, 20, 200)', ''],
    ['48;2;1;20;200', '', 'rgb(1, 20, 200)'],
    ['38;5;21;48;5;226', 'rgb(0, 0, 255)', 'rgb(255, 255, 0)'],
    ['7;38;5;196', '', 'rgb(255, 0, 0)']
  ])('has the color of %s', (code, color, background) => {
    const { container } = render(
      <AnsiText text={`\u001b[${code}mx\u001b[0m`} />
    );
    const { style } = container.querySelector('span') as HTMLElement;
    expect([style.color, style.backgroundColor]).toEqual([color, background]);
  });

  it('has the theme’s colors for the sixteen of old', () => {
    const { container } = render(
      <AnsiText text={'\u001b[31mx\u001b[38;5;2my\u001b[0m'} />
    );
    const classes = [...container.querySelectorAll('span')].map(
      one => one.className
    );
    expect(classes).toEqual(['ansi-red-fg', 'ansi-green-fg']);
  });
});

describe('characters that are not visible', () => {
  const INVISIBLE = [
    ...'\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069',
    ...'\u200e\u200f\u061c\u200b\ufeff\u0000\u0007\u0008\u007f\u009b'
  ];

  it.each(INVISIBLE.map(one => [one.codePointAt(0)?.toString(16), one]))(
    'are named: U+%s',
    (_, character) => {
      const { container } = render(
        <AnsiText text={`if access == "user${character}"`} />
      );
      expect(container.textContent).not.toContain(character);
      expect(container.querySelector('.jp-Satflow-control')).toBeTruthy();
      expect(shortenText(`a${character}b`, 10)).not.toContain(character);
    }
  );

  it('of scripts and emoji stay as they are', () => {
    const text = 'می\u200cخواهم 👩\u200d🔬 שלום\tx';
    expect(textOf(text)).toBe(text);
  });

  it('and long texts are truncated to one line', () => {
    expect(shortenText('x'.repeat(300_000), 400)).toHaveLength(401);
  });
});
