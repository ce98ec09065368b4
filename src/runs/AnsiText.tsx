import React, { useMemo } from 'react';

import { type ITextPart, LINE_MAX, splitText } from './logText';

export interface IAnsiTextProps {
  text: string;
  /** The pattern of the text to mark, from `searchPattern`. */
  search?: RegExp | null;
  /** Maximum number of characters to show. */
  limit?: number;
  /** Renders an element after a truncated text, given the number of its characters. */
  renderMore?: (length: number) => JSX.Element;
}

/** Text with terminal colors, rendered as text nodes only: the output of runs is never interpreted as HTML. */
export function AnsiText(props: IAnsiTextProps): JSX.Element {
  const { text, search = null, limit = LINE_MAX, renderMore } = props;
  const shown = useMemo(
    () => splitText(text, search, limit),
    [text, search, limit]
  );
  return (
    <>
      {shown.parts.map((part, index) => (
        <TextPart key={index} {...part} />
      ))}
      {shown.isCut && renderMore?.(shown.length)}
    </>
  );
}

function TextPart({ text, style, isControl, isMatch }: ITextPart): JSX.Element {
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
