import { Button } from '@jupyterlab/ui-components';
import React from 'react';

import type { LogLine } from '../_api';
import { LINE_LIMIT, LINE_MAX } from '../models/logText';
import { levelName, formatLogTime } from '../format';
import { AnsiText } from './AnsiText';
import { useTrans } from './translation';

export interface ILineTextProps {
  line: LogLine;
  taskNames: ReadonlyMap<string, string>;
  search: RegExp | null;
  /** True if the user asked for the whole of a long line. */
  isWhole: boolean;
  onShowAll: (id: string) => void;
}

/** A line of a log: time, level, task and text. A long text is truncated. */
export function LineText(props: ILineTextProps): JSX.Element {
  const trans = useTrans();
  const { isWhole, search } = props;
  const { id, time, level, message, task_run_id } = props.line;
  const task = task_run_id && props.taskNames.get(task_run_id);
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
        <AnsiText
          text={message}
          search={search}
          limit={isWhole ? LINE_MAX : LINE_LIMIT}
          renderMore={more}
        />
      </span>
    </>
  );
}
