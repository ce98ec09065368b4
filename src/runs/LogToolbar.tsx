import type { TranslationBundle } from '@jupyterlab/translation';
import {
  caretDownIcon,
  caretUpIcon,
  closeIcon,
  downloadIcon,
  HTMLSelect,
  InputGroup,
  moveDownIcon
} from '@jupyterlab/ui-components';
import React from 'react';

import { IconButton } from '../components/IconButton';
import { useTrans } from '../components/translation';

export interface ILogToolbarProps {
  level: number;
  /** The name of the task to which the log is restricted, or null. */
  task: string | null;
  onAllTasks?: () => void;
  search: string;
  /** Number of lines that match. */
  matchCount: number;
  /** Position of the current match, from 0. */
  position: number;
  /** Number of lines shown. */
  lineCount: number;
  /** True if lines are still missing, so that the counts are not final. */
  isLoading: boolean;
  follow: boolean;
  onLevel: (level: number) => void;
  onSearch: (words: string) => void;
  onStep: (by: number) => void;
  onFollow: (follow: boolean) => void;
  onDownload: () => void;
}

/** The controls of a log. */
export function LogToolbar(props: ILogToolbarProps): JSX.Element {
  const trans = useTrans();
  const { level, follow, onLevel, onFollow, onDownload } = props;
  return (
    <div
      className="jp-Satflow-logToolbar"
      role="toolbar"
      aria-label={trans.__('Log')}
    >
      <HTMLSelect
        aria-label={trans.__('Minimum level')}
        data-testid="satflow-log-level"
        value={String(level)}
        options={levelOptions(trans)}
        onChange={event => onLevel(Number(event.target.value))}
      />
      {props.task !== null && (
        <TaskChip task={props.task} onAllTasks={props.onAllTasks} />
      )}
      <SearchField {...props} />
      <LineCount {...props} />
      <span className="jp-Satflow-rowEnd">
        <IconButton
          icon={moveDownIcon}
          label={trans.__('Follow new lines')}
          pressed={follow}
          onClick={() => onFollow(!follow)}
          testId="satflow-log-follow"
        />
        <IconButton
          icon={downloadIcon}
          label={trans.__('Download the whole log')}
          onClick={onDownload}
          testId="satflow-log-download"
        />
      </span>
    </div>
  );
}

/** The task to which the log is restricted, with a button that shows all lines again. */
function TaskChip(props: {
  task: string;
  onAllTasks?: () => void;
}): JSX.Element {
  const trans = useTrans();
  return (
    <span className="jp-Satflow-chip" data-testid="satflow-log-task">
      <span className="jp-Satflow-chipText" title={props.task}>
        {trans.__('Task: %1', props.task)}
      </span>
      <IconButton
        icon={closeIcon}
        label={trans.__('Show the lines of all tasks')}
        onClick={() => props.onAllTasks?.()}
        testId="satflow-log-all-tasks"
      />
    </span>
  );
}

/** Number of lines read so far. */
function LineCount(props: ILogToolbarProps): JSX.Element {
  const trans = useTrans();
  const { lineCount, isLoading } = props;
  const count = trans._n('%1 line', '%1 lines', lineCount);
  return (
    <span
      className="jp-Satflow-hint jp-Satflow-lineCount"
      role="status"
      data-testid="satflow-log-count"
    >
      {isLoading && <span className="jp-Satflow-spinner" aria-hidden="true" />}
      {isLoading ? trans.__('Loading: %1 so far', count) : count}
    </span>
  );
}

function SearchField(props: ILogToolbarProps): JSX.Element {
  const trans = useTrans();
  const { search, matchCount, position, onSearch, onStep } = props;
  const matched =
    matchCount > 0 ? trans.__('%1 of %2', position + 1, matchCount) : '0';
  const count = props.isLoading ? trans.__('%1 so far', matched) : matched;
  return (
    <div className="jp-Satflow-search" role="search">
      <InputGroup
        type="search"
        placeholder={trans.__('Search the log')}
        aria-label={trans.__('Search the log')}
        data-testid="satflow-log-search"
        value={search}
        onChange={event => onSearch(event.target.value)}
        onKeyDown={event =>
          event.key === 'Enter' && onStep(event.shiftKey ? -1 : 1)
        }
      />
      {search && (
        <>
          <span role="status" data-testid="satflow-log-matches">
            {count}
          </span>
          <IconButton
            icon={caretUpIcon}
            label={trans.__('Previous match')}
            disabled={matchCount === 0}
            onClick={() => onStep(-1)}
          />
          <IconButton
            icon={caretDownIcon}
            label={trans.__('Next match')}
            disabled={matchCount === 0}
            onClick={() => onStep(1)}
          />
        </>
      )}
    </div>
  );
}

function levelOptions(
  trans: TranslationBundle
): { value: string; label: string }[] {
  return [
    { value: '0', label: trans.__('All levels') },
    { value: '20', label: trans.__('Info and above') },
    { value: '30', label: trans.__('Warnings and above') },
    { value: '40', label: trans.__('Errors only') }
  ];
}
