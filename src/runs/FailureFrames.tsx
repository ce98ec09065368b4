import { Button } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useLayoutEffect, useRef, useState } from 'react';

import type { FailureCell, FailureFrame } from '../_api';
import { useTrans } from '../components/translation';
import { type CellMatch, isInCell } from './failedCells';
import { type FrameGroup, groupFrames } from './frameGroups';

/** The data and actions of frames in cells. */
export interface IFrameActions {
  /** Return the relation of a frame to the notebook; null if it is in no cell of a known notebook. */
  matchCell: (frame: FailureFrame) => CellMatch | null;
  /** Return the cell of a frame as it was when the flow was registered. */
  cellOf: (frame: FailureFrame) => FailureCell | null;
  onOpenCell: (frame: FailureFrame) => void;
  /** The name of the notebook. */
  notebook: string | null;
  /** The version that ran. */
  version: number | null;
}

export interface IFailureFramesProps extends IFrameActions {
  frames: readonly FailureFrame[];
  /** True for the exception that ended the run, whose innermost frame is shown with the lines around it. */
  isMain?: boolean;
}

/** The frames of an exception, the innermost first; those of libraries are folded. */
export function FailureFrames(props: IFailureFramesProps): JSX.Element {
  const trans = useTrans();
  const { frames, isMain } = props;
  const groups = groupFrames(frames);
  const first = groups.findIndex(one => one.kind === 'own');
  return (
    <ol
      className="jp-Satflow-frames"
      aria-label={trans.__('Calls, the innermost first')}
    >
      {groups.map((group, at) => (
        <li key={at}>
          {group.kind === 'own' ? (
            <OwnFrame
              {...props}
              frame={group.frame}
              isFirst={Boolean(isMain) && at === first}
            />
          ) : (
            <LibraryFrames group={group} />
          )}
        </li>
      ))}
    </ol>
  );
}

function OwnFrame(
  props: IFrameActions & { frame: FailureFrame; isFirst: boolean }
): JSX.Element {
  const trans = useTrans();
  const { frame, isFirst } = props;
  const match = props.matchCell(frame);
  const ran = props.cellOf(frame);
  const isOutdated = match?.kind === 'changed' || match?.kind === 'gone';
  return (
    <div className="jp-Satflow-frame" data-testid="satflow-frame">
      <div className="jp-Satflow-framePlace">
        <FramePlace {...props} match={match} ran={ran} />
        {frame.function && frame.function !== '<module>' && (
          <span>
            {trans.__('in')} <code>{frame.function}</code>
          </span>
        )}
        {!(isFirst && ran) && frame.code && (
          <code className="jp-Satflow-frameCode">{frame.code}</code>
        )}
      </div>
      {isOutdated && isFirst && <OutdatedNote {...props} match={match} />}
      {isFirst && ran && (
        <CodeExcerpt
          text={ran.text}
          line={frame.line}
          shift={
            match?.kind === 'found' ? match.place.line + 1 - frame.line : 0
          }
          isWhole={isOutdated}
        />
      )}
    </div>
  );
}

/** The place of a frame; a link if the notebook has it. */
function FramePlace(
  props: IFrameActions & {
    frame: FailureFrame;
    match: CellMatch | null;
    ran: FailureCell | null;
  }
): JSX.Element {
  const trans = useTrans();
  const { frame, match, ran, onOpenCell } = props;
  const label = isInCell(frame)
    ? formatCellPlace(frame, match, ran, trans)
    : trans.__('%1, line %2', shortFile(frame.file), frame.line);
  if (match?.kind !== 'found' && match?.kind !== 'unread') {
    return <span title={frame.file}>{label}</span>;
  }
  return (
    <Button
      className="jp-Satflow-link"
      minimal
      title={trans.__('Open the cell in %1', props.notebook ?? '')}
      onClick={() => onOpenCell(frame)}
      data-testid="satflow-open-cell"
    >
      {label}
    </Button>
  );
}

/** Format the place of a frame in a cell: by the execution count, or by the position if the cell has no count. */
function formatCellPlace(
  frame: FailureFrame,
  match: CellMatch | null,
  ran: FailureCell | null,
  trans: TranslationBundle
): string {
  if (match?.kind === 'found') {
    const { cell, line, number } = match.place;
    return number === null
      ? trans.__('cell %1, line %2', cell + 1, line + 1)
      : trans.__('cell [%1], line %2', number, line + 1);
  }
  return ran
    ? trans.__('cell [%1], line %2', ran.number, frame.line)
    : trans.__('a cell, line %1', frame.line);
}

function OutdatedNote(
  props: IFrameActions & { frame: FailureFrame; match: CellMatch }
): JSX.Element {
  const trans = useTrans();
  const { match, notebook, version, frame, onOpenCell } = props;
  const hasDefinition = match.kind === 'changed' && match.place !== null;
  return (
    <p className="jp-Satflow-frameNote" data-testid="satflow-cell-outdated">
      {match.kind === 'gone'
        ? trans.__(
            'The notebook %1 was deleted or moved, or another machine has it.',
            notebook ?? ''
          )
        : trans.__(
            'The cell has changed since this version was registered.'
          )}{' '}
      {version !== null && trans.__('This is the code of version %1.', version)}
      {hasDefinition && (
        <>
          {' '}
          <Button
            className="jp-Satflow-link"
            minimal
            onClick={() => onOpenCell(frame)}
            data-testid="satflow-open-definition"
          >
            {trans.__('Open %1 as it is now', frame.function)}
          </Button>
        </>
      )}
    </p>
  );
}

/** Lines before and after the marked one. */
const LINES_BEFORE = 2;
const LINES_AFTER = 1;

/** Lines of code with their numbers, one of them marked; the whole text scrolls to the marked line. */
function CodeExcerpt(props: {
  text: string;
  line: number;
  /** The number of lines by which the cell in the notebook begins before the text, such as blank lines. */
  shift: number;
  isWhole: boolean;
}): JSX.Element {
  const trans = useTrans();
  const { text, line, shift, isWhole } = props;
  const box = useRef<HTMLPreElement>(null);
  useLayoutEffect(() => {
    const shown = box.current?.querySelector<HTMLElement>('.jp-mod-marked');
    if (box.current && shown) {
      box.current.scrollTop = shown.offsetTop - box.current.clientHeight / 2;
    }
  }, [text, line, isWhole]);
  const lines = text.split('\n');
  const from = isWhole ? 0 : Math.max(0, line - 1 - LINES_BEFORE);
  const to = isWhole ? lines.length : line + LINES_AFTER;
  return (
    <pre
      ref={box}
      className="jp-Satflow-excerpt"
      tabIndex={isWhole ? 0 : undefined}
      aria-label={trans.__('Code that ran')}
      data-testid="satflow-code"
    >
      {lines.slice(from, to).map((content, at) => {
        const number = from + at + 1;
        const isMarked = number === line;
        return (
          <div
            key={number}
            className={isMarked ? 'jp-mod-marked' : undefined}
            aria-current={isMarked ? 'location' : undefined}
          >
            <span aria-hidden="true">{number + shift}</span>
            <code>{content || ' '}</code>
          </div>
        );
      })}
    </pre>
  );
}

function LibraryFrames(props: {
  group: Extract<FrameGroup, { kind: 'library' }>;
}): JSX.Element {
  const trans = useTrans();
  const [isOpen, setOpen] = useState(false);
  const { frames, packages } = props.group;
  const names = packages.join(', ');
  const count = frames.length;
  return (
    <details
      className="jp-Satflow-libraryFrames"
      onToggle={event => setOpen(event.currentTarget.open)}
      data-testid="satflow-library-frames"
    >
      <summary>
        {names
          ? trans._n('%1 frame of %2', '%1 frames of %2', count, names)
          : trans._n('%1 library frame', '%1 library frames', count)}
      </summary>
      {isOpen &&
        frames.map((frame, at) => (
          <div key={at} title={frame.file}>
            {trans.__('%1, line %2', shortFile(frame.file), frame.line)}{' '}
            {trans.__('in')} <code>{frame.function}</code>
          </div>
        ))}
    </details>
  );
}

/** Return the last two parts of a path. */
function shortFile(file: string): string {
  return file.replace(/\\/g, '/').split('/').slice(-2).join('/');
}
