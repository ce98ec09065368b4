import Anser from 'anser';
import React from 'react';

export interface IAnsiTextProps {
  text: string;
  /** Words to mark, whatever their case; none where empty. */
  mark?: string;
}

/** Text with a terminal's colours, as text nodes only: what runs print is never taken for HTML. */
export function AnsiText({ text, mark = '' }: IAnsiTextProps): JSX.Element {
  if (!text.includes('\u001b')) {
    return <Marked text={text} mark={mark} />;
  }
  const parts = Anser.ansiToJson(text, {
    use_classes: true,
    remove_empty: true
  });
  return (
    <>
      {parts.map((part, index) => (
        <span key={index} className={classesOf(part)}>
          <Marked text={part.content} mark={mark} />
        </span>
      ))}
    </>
  );
}

/** JupyterLab's own class names for the colours of a terminal. */
function classesOf(part: Anser.AnserJsonEntry): string {
  const names = [
    part.fg && `${part.fg}-fg`,
    part.bg && `${part.bg}-bg`,
    ...part.decorations.map(one => `ansi-${one}`)
  ];
  return names.filter(Boolean).join(' ');
}

function Marked({ text, mark }: Required<IAnsiTextProps>): JSX.Element {
  const at = mark ? text.toLowerCase().indexOf(mark.toLowerCase()) : -1;
  if (at < 0) {
    return <>{text}</>;
  }
  const end = at + mark.length;
  return (
    <>
      {text.slice(0, at)}
      <mark>{text.slice(at, end)}</mark>
      <Marked text={text.slice(end)} mark={mark} />
    </>
  );
}
