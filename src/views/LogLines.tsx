import type { TranslationBundle } from '@jupyterlab/translation';
import { useVirtualizer } from '@tanstack/react-virtual';
import React, { useEffect, useRef } from 'react';

import type { LogLine } from '../_api';
import { levelName, stamp } from '../words';
import { AnsiText } from './AnsiText';

export interface ILogLinesProps {
  lines: readonly LogLine[];
  taskNames: ReadonlyMap<string, string>;
  search: string;
  /** The position of the match to show, null for none. */
  current: number | null;
  follow: boolean;
  onFollow: (follow: boolean) => void;
  trans: TranslationBundle;
}

/** Height of a line that is not wrapped, in pixels. */
const LINE = 18;

/** How near to the end, in pixels, still counts as there. */
const END = 2 * LINE;

/** The lines in view, and a few around them. */
export function LogLines(props: ILogLinesProps): JSX.Element {
  const { lines, current, follow, onFollow, trans } = props;
  const told = { search: props.search, taskNames: props.taskNames };
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE,
    getItemKey: index => lines[index].id,
    initialRect: { width: 800, height: 600 },
    overscan: 20
  });
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
  const release = () => {
    const element = scroller.current;
    if (follow && element && !atEnd(element)) {
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
      // Only the user's own hand lets go: scrolling to new lines also sends scroll events.
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
            className={rowClass(lines[row.index], row.index === current)}
            style={{ transform: `translateY(${row.start}px)` }}
          >
            <LineText line={lines[row.index]} {...told} />
          </div>
        ))}
      </div>
    </div>
  );
}

interface ILineTextProps {
  line: LogLine;
  taskNames: ReadonlyMap<string, string>;
  search: string;
}

function LineText(props: ILineTextProps): JSX.Element {
  const { time, level, message, task_run_id } = props.line;
  const task = task_run_id && props.taskNames.get(task_run_id);
  return (
    <>
      <time>{stamp(time)}</time>
      <span className="jp-Satflow-level">{levelName(level)}</span>
      <span className="jp-Satflow-message">
        {task && <span className="jp-Satflow-logTask">{`${task}  `}</span>}
        <AnsiText text={message} mark={props.search} />
      </span>
    </>
  );
}

function rowClass(line: LogLine, isCurrent: boolean): string {
  const level = `jp-mod-${levelName(line.level).toLowerCase()}`;
  return `jp-Satflow-line ${level}${isCurrent ? ' jp-mod-current' : ''}`;
}

function atEnd(element: HTMLElement): boolean {
  return element.scrollHeight - element.scrollTop - element.clientHeight <= END;
}
