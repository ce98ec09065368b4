import { Button } from '@jupyterlab/ui-components';
import { useVirtualizer, type Virtualizer } from '@tanstack/react-virtual';
import React, {
  memo,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState
} from 'react';

import type { LogLine } from '../_api';
import { useTrans } from '../components/translation';
import { formatLogTime, levelName } from '../format';
import { AnsiText } from './AnsiText';
import { findWorker, type ILinkedLine } from './log';
import { LINE_LIMIT, LINE_MAX } from './logText';

export interface ILogLinesProps {
  lines: readonly LogLine[];
  taskNames: ReadonlyMap<string, string>;
  /** The pattern of the search, or null. */
  search: RegExp | null;
  /** The position of the match to show, or null. */
  current: number | null;
  follow: boolean;
  onFollow: (follow: boolean) => void;
  /** The line to which a link leads, which is marked, or null. */
  linkedLine?: ILinkedLine | null;
  /** Copy a link to a line. */
  onCopyLink?: (lineId: string) => void;
}

/** Height of a line that is not wrapped, in pixels. */
const LINE_HEIGHT = 18;

/** Maximum distance from the end, in pixels, that counts as the end. */
const END_DISTANCE = 2 * LINE_HEIGHT;

/** The visible lines, and a few around them. */
export function LogLines(props: ILogLinesProps): JSX.Element {
  const trans = useTrans();
  const { lines, current, follow, onFollow } = props;
  const [whole, showAll] = useWholeLines();
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useRows(lines, scroller);
  const linked = useLinkedIndex(lines, props.linkedLine);
  useScrollPosition(rows, props, linked);
  const release = () => {
    const element = scroller.current;
    if (follow && element && !isAtEnd(element)) {
      onFollow(false);
    }
  };
  return (
    <div
      ref={scroller}
      className="jp-Satflow-lines"
      role="log"
      aria-label={trans.__('Log')}
      aria-live="off"
      tabIndex={0}
      data-testid="satflow-log"
      data-count={lines.length}
      // Only user input ends following: scrolling to new lines also sends scroll events.
      onWheel={event => event.deltaY < 0 && follow && onFollow(false)}
      onKeyUp={release}
      onPointerUp={release}
    >
      <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map(row => (
          <div
            key={row.key}
            ref={rows.measureElement}
            data-index={row.index}
            data-testid="satflow-log-line"
            className={lineClassName(
              lines[row.index],
              row.index === current,
              row.index === linked
            )}
            style={{ transform: `translateY(${row.start}px)` }}
          >
            <LineContent
              {...props}
              line={lines[row.index]}
              isWhole={whole.has(lines[row.index].id)}
              isReached={row.index === (current ?? linked)}
              onShowAll={showAll}
            />
          </div>
        ))}
      </div>
    </div>
  );
}

/** Return the rows that are visible, and a few around them. */
function useRows(
  lines: readonly LogLine[],
  scroller: React.RefObject<HTMLDivElement>
): Virtualizer<HTMLDivElement, Element> {
  return useVirtualizer<HTMLDivElement, Element>({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_HEIGHT,
    getItemKey: index => lines[index].id,
    initialRect: { width: 800, height: 600 },
    overscan: 20
  });
}

/** Return the ids of the lines that the user wants to see whole, and a function that adds one. */
function useWholeLines(): [ReadonlySet<string>, (id: string) => void] {
  const [whole, setWhole] = useState<ReadonlySet<string>>(new Set());
  const add = useCallback(
    (id: string) => setWhole(ids => new Set(ids).add(id)),
    []
  );
  return [whole, add];
}

/** The text of a line, and the button that copies a link to it. */
function LineContent(
  props: ILineTextProps &
    Pick<ILogLinesProps, 'onCopyLink'> & { isReached: boolean }
): JSX.Element {
  const { line, taskNames, search, isWhole, onShowAll, onCopyLink } = props;
  return (
    <>
      <LineText {...{ line, taskNames, search, isWhole, onShowAll }} />
      {onCopyLink && (
        <LinkButton
          lineId={line.id}
          isReached={props.isReached}
          onCopyLink={onCopyLink}
        />
      )}
    </>
  );
}

/** A button that is visible at the pointer. The keyboard reaches that of the current match, or of the linked line. */
const LinkButton = memo(function LinkButton(props: {
  lineId: string;
  isReached: boolean;
  onCopyLink: (lineId: string) => void;
}): JSX.Element {
  const trans = useTrans();
  const label = trans.__('Copy a link to this line');
  return (
    <button
      type="button"
      className="jp-Satflow-lineLink"
      title={label}
      aria-label={label}
      tabIndex={props.isReached ? 0 : -1}
      data-testid="satflow-log-link"
      onClick={() => props.onCopyLink(props.lineId)}
    >
      #
    </button>
  );
});

/** Return the position of the linked line, null if there is none or it is not loaded. */
function useLinkedIndex(
  lines: readonly LogLine[],
  linked: ILinkedLine | null | undefined
): number | null {
  return useMemo(() => {
    const found = linked ? lines.findIndex(one => one.id === linked.id) : -1;
    return found < 0 ? null : found;
  }, [lines, linked]);
}

/** Scroll to the end while following, else to the current match. Scroll to a linked line once, when it is loaded. */
function useScrollPosition(
  rows: Virtualizer<HTMLDivElement, Element>,
  { lines, current, follow, linkedLine }: ILogLinesProps,
  linked: number | null
): void {
  useEffect(() => {
    if (linked !== null) {
      rows.scrollToIndex(linked, { align: 'center' });
    }
  }, [linked !== null, linkedLine]);
  useEffect(() => {
    if (follow && lines.length > 0) {
      rows.scrollToIndex(lines.length - 1, { align: 'end' });
    }
  }, [follow, lines]);
  useEffect(() => {
    if (current !== null && !follow) {
      rows.scrollToIndex(current, { align: 'center' });
    }
  }, [current, follow]);
}

function lineClassName(
  line: LogLine,
  isCurrent: boolean,
  isLinked: boolean
): string {
  const level = `jp-mod-${levelName(line.level).toLowerCase()}`;
  const marks = `${isCurrent ? ' jp-mod-current' : ''}${isLinked ? ' jp-mod-linked' : ''}`;
  return `jp-Satflow-line ${level}${marks}`;
}

function isAtEnd(element: HTMLElement): boolean {
  return (
    element.scrollHeight - element.scrollTop - element.clientHeight <=
    END_DISTANCE
  );
}

export interface ILineTextProps {
  line: LogLine;
  taskNames: ReadonlyMap<string, string>;
  search: RegExp | null;
  /** True if the user asked for the whole of a long line. */
  isWhole: boolean;
  onShowAll: (id: string) => void;
}

/**
 * A line of a log: time, level, task, Dask worker and text. A long text is truncated. Scrolling renders new lines only, so
 * that it keeps up with the frames of the screen.
 */
export const LineText = memo(function LineText(
  props: ILineTextProps
): JSX.Element {
  const trans = useTrans();
  const { isWhole, search } = props;
  const { id, time, level, message, task_run_id } = props.line;
  const task = task_run_id && props.taskNames.get(task_run_id);
  const worker = findWorker(props.line);
  const more = (length: number) =>
    isWhole ? (
      <span className="jp-Satflow-hint">
        {trans.__(' The download has all %1 characters.', length)}
      </span>
    ) : (
      <Button
        minimal
        className="jp-Satflow-link jp-Satflow-showAll"
        onClick={() => props.onShowAll(id)}
        data-testid="satflow-log-show-all"
      >
        {trans.__('Show all %1 characters', length)}
      </Button>
    );
  return (
    <>
      <time>{formatLogTime(time)}</time>
      <span className="jp-Satflow-level">{levelName(level)}</span>
      <span className="jp-Satflow-message">
        {task && <span className="jp-Satflow-logTask">{`${task}  `}</span>}
        {worker && (
          <span
            className="jp-Satflow-logTask"
            title={trans.__('Dask worker')}
          >{`@${worker}  `}</span>
        )}
        <AnsiText
          text={message}
          search={search}
          limit={isWhole ? LINE_MAX : LINE_LIMIT}
          renderMore={more}
        />
      </span>
    </>
  );
});
