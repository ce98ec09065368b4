import type { TranslationBundle } from '@jupyterlab/translation';
import {
  caretDownIcon,
  caretUpIcon,
  copyIcon,
  downloadIcon,
  HTMLSelect,
  InputGroup,
  moveDownIcon,
  regexIcon
} from '@jupyterlab/ui-components';
import React from 'react';

import { IconButton } from '../components/IconButton';
import { nameInvisible } from '../components/terminalText';
import { useTrans } from '../components/translation';

export interface ILogToolbarProps {
  level: number;
  /** The name of the task or task run to which the log is restricted; empty for all. */
  task: string;
  /** The names of all tasks. */
  tasks: readonly string[];
  onTask: (task: string) => void;
  /** The logger to which the log is restricted; empty for all. */
  logger: string;
  loggers: readonly string[];
  onLogger: (logger: string) => void;
  search: string;
  isRegExp: boolean;
  /** True if the search is not a valid regular expression. */
  isInvalid: boolean;
  onRegExp: (isRegExp: boolean) => void;
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
  /** Copy the shown lines. */
  onCopy: () => void;
}

/** The controls of a log. */
export function LogToolbar(props: ILogToolbarProps): JSX.Element {
  const trans = useTrans();
  const { follow, onFollow, onDownload } = props;
  return (
    <div
      className="jp-Satflow-logToolbar"
      role="toolbar"
      aria-label={trans.__('Log')}
    >
      <LogFilters {...props} />
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
          icon={copyIcon}
          label={trans.__('Copy the lines that are shown')}
          disabled={props.lineCount === 0}
          onClick={props.onCopy}
          testId="satflow-log-copy"
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

/** The filters by level, task and logger. */
function LogFilters(props: ILogToolbarProps): JSX.Element {
  const trans = useTrans();
  const { level, task, tasks, logger, loggers, onLevel } = props;
  return (
    <>
      <HTMLSelect
        aria-label={trans.__('Minimum level')}
        data-testid="satflow-log-level"
        value={String(level)}
        options={levelOptions(trans)}
        onChange={event => onLevel(Number(event.target.value))}
      />
      {(tasks.length > 0 || task !== '') && (
        <NameSelect
          label={trans.__('Task')}
          all={trans.__('All tasks')}
          names={tasks}
          value={task}
          onChange={props.onTask}
          testId="satflow-log-task"
        />
      )}
      {(loggers.length > 1 || logger !== '') && (
        <NameSelect
          label={trans.__('Logger')}
          all={trans.__('All loggers')}
          names={loggers}
          value={logger}
          onChange={props.onLogger}
          testId="satflow-log-logger"
        />
      )}
    </>
  );
}

/** A choice of one of these names, or of all. */
function NameSelect(props: {
  label: string;
  all: string;
  names: readonly string[];
  /** The chosen name, which can be missing in the list; empty for all. */
  value: string;
  onChange: (name: string) => void;
  testId: string;
}): JSX.Element {
  const { label, all, names, value, onChange, testId } = props;
  const isMissing = value !== '' && !names.includes(value);
  const listed = isMissing ? [...names, value] : names;
  return (
    <HTMLSelect
      aria-label={label}
      data-testid={testId}
      value={value}
      options={[
        { value: '', label: all },
        ...listed.map(name => ({ value: name, label: nameInvisible(name) }))
      ]}
      onChange={event => onChange(event.target.value)}
    />
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
  const { search, isRegExp, isInvalid, onSearch, onStep } = props;
  const { matchCount, position } = props;
  const matched =
    matchCount > 0 ? trans.__('%1 of %2', position + 1, matchCount) : '0';
  const count = props.isLoading ? trans.__('%1 so far', matched) : matched;
  return (
    <div className="jp-Satflow-search" role="search">
      <InputGroup
        type="search"
        placeholder={trans.__('Search the log')}
        aria-label={trans.__('Search the log')}
        aria-invalid={isInvalid}
        data-testid="satflow-log-search"
        value={search}
        onChange={event => onSearch(event.target.value)}
        onKeyDown={event =>
          event.key === 'Enter' && onStep(event.shiftKey ? -1 : 1)
        }
      />
      <IconButton
        icon={regexIcon}
        label={trans.__('Use a regular expression')}
        pressed={isRegExp}
        onClick={() => props.onRegExp(!isRegExp)}
        testId="satflow-log-regexp"
      />
      {search && (
        <>
          <span role="status" data-testid="satflow-log-matches">
            {isInvalid ? trans.__('Not a valid regular expression') : count}
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
