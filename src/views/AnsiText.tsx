import React, { useMemo } from 'react';

import { type ITextPart, LINE_MAX, shownText } from '../models/logText';

export interface IAnsiTextProps {
  text: string;
  /** What to mark, from `searchPattern`. */
  search?: RegExp | null;
  /** The most characters to show. */
  limit?: number;
  /** Drawn behind a text that is cut, with its number of characters. */
  more?: (length: number) => JSX.Element;
}

/** Text with a terminal's colors, as text nodes only: what runs print is never taken for HTML. */
export function AnsiText(props: IAnsiTextProps): JSX.Element {
  const { text, search = null, limit = LINE_MAX, more } = props;
  const shown = useMemo(
    () => shownText(text, search, limit),
    [text, search, limit]
  );
  return (
    <>
      {shown.parts.map((part, index) => (
        <Part key={index} {...part} />
      ))}
      {shown.isCut && more?.(shown.length)}
    </>
  );
}

function Part({ text, style, isControl, isMatch }: ITextPart): JSX.Element {
  const words = isControl ? (
    <span className="jp-Satflow-control">{text}</span>
  ) : (
    text
  );
  const marked = isMatch ? <mark>{words}</mark> : words;
  if (!style) {
    return <>{marked}</>;
  }
  const { className, color, background } = style;
  return (
    <span
      className={className || undefined}
      style={{
        color: color ?? undefined,
        backgroundColor: background ?? undefined
      }}
    >
      {marked}
    </span>
  );
}
