import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useMemo, useState } from 'react';

import type { ErrorBody, LogLine } from '../_api';
import { EmptyState } from '../components/EmptyState';
import { ErrorNote } from '../components/ErrorNote';
import { useTrans } from '../components/translation';
import {
  filterByLevel,
  filterByLogger,
  filterByTask,
  formatLines,
  loggerOf,
  type ILinkedLine,
  type LogState,
  findMatches,
  dropOverwritten
} from './log';
import { LogLines } from './LogLines';
import { searchPattern } from './logText';
import { LogToolbar } from './LogToolbar';

/** The task runs to which a log is restricted. */
export interface ILogTasks {
  label: string;
  ids: ReadonlySet<string>;
}

export interface ILogViewProps {
  lines: readonly LogLine[];
  /** Names of task runs by id, as far as they are loaded. */
  taskNames: ReadonlyMap<string, string>;
  /** The names of the tasks to which the log can be restricted. */
  allTasks?: readonly string[];
  /** Show only lines of these task runs, or all with null. */
  tasks?: ILogTasks | null;
  /** Show only lines of a task, or all with null. */
  onTask?: (task: string | null) => void;
  progress: LogState;
  error: ErrorBody | null;
  /** True to follow new lines at first. */
  follow: boolean;
  onDownload: () => void;
  onCopyLines?: (text: string, count: number) => void;
  /** The line to show and mark, or null. */
  linkedLine?: ILinkedLine | null;
  /** Copy a link to a line. */
  onCopyLink?: (lineId: string) => void;
}

/** The log of a run, with filter, search, follow and download. */
export function LogView(props: ILogViewProps): JSX.Element {
  const { progress, error, taskNames, tasks = null, onCopyLines } = props;
  const [step, setStep] = useState(0);
  const [follow, setFollow] = useState(props.follow && !props.linkedLine);
  const { shown, ofTasks, filter } = useShownLines(props);
  const { pattern, found, ...search } = useSearch(shown, setFollow);
  useLinkedLine(props.linkedLine, () => {
    filter.onLevel(0);
    filter.onLogger('');
    search.onSearch('');
    setFollow(false);
  });
  useEffect(
    () => setStep(0),
    [pattern, filter.level, filter.logger, tasks?.label]
  );
  const position = found.length > 0 ? wrapIndex(step, found.length) : 0;
  const stepBy = (by: number) => {
    setFollow(false);
    setStep(position + by);
  };
  const onCopy = () =>
    onCopyLines?.(formatLines(shown, taskNames), shown.length);
  return (
    <div className="jp-Satflow-log">
      <LogToolbar
        {...filter}
        task={tasks ? tasks.label : ''}
        tasks={props.allTasks ?? []}
        onTask={task => props.onTask?.(task || null)}
        {...search}
        matchCount={found.length}
        position={position}
        lineCount={shown.length}
        // A log that failed is not being read; the error shows what to do.
        isLoading={progress === 'loading' && !error}
        follow={follow}
        onStep={stepBy}
        onFollow={setFollow}
        onDownload={props.onDownload}
        onCopy={onCopy}
      />
      {error && <ErrorNote error={error} />}
      <LinkedLineNote {...props} shown={shown} />
      {shown.length === 0 ? (
        <EmptyLog {...props} count={ofTasks.length} />
      ) : (
        <LogLines
          {...props}
          lines={shown}
          search={pattern}
          current={found.length > 0 ? found[position] : null}
          follow={follow}
          onFollow={setFollow}
        />
      )}
    </div>
  );
}

/** Show all lines when a link is opened, so that its line is among them. */
function useLinkedLine(
  linkedLine: ILinkedLine | null | undefined,
  showAll: () => void
): void {
  useEffect(() => {
    if (linkedLine) {
      showAll();
    }
  }, [linkedLine]);
}

/** The reason why the line to which a link leads is not shown, as long as it is not. */
function LinkedLineNote(
  props: ILogViewProps & { shown: readonly LogLine[] }
): JSX.Element | null {
  const trans = useTrans();
  const { lines, shown, linkedLine, progress } = props;
  const id = linkedLine?.id;
  const isShown = useMemo(
    () => id === undefined || shown.some(line => line.id === id),
    [shown, id]
  );
  if (isShown) {
    return null;
  }
  const message = lines.some(line => line.id === id)
    ? trans.__(
        'The linked line is hidden by the filters, or a later line of the same progress bar replaced it.'
      )
    : progress === 'whole'
      ? trans.__(
          'The linked line is not in the log of this run. Its log or the oldest lines of a long log may have been deleted.'
        )
      : trans.__('The linked line is not loaded yet.');
  return (
    <p
      className="jp-Satflow-note"
      role="status"
      data-testid="satflow-linked-line-note"
    >
      {message}
    </p>
  );
}

/** The search in the lines that are shown, and the positions of those that match. */
function useSearch(
  shown: readonly LogLine[],
  setFollow: React.Dispatch<React.SetStateAction<boolean>>
) {
  const [search, setSearch] = useState('');
  const [isRegExp, onRegExp] = useState(false);
  const pattern = useMemo(
    () => searchPattern(search, isRegExp),
    [search, isRegExp]
  );
  const found = useMemo(() => findMatches(shown, pattern), [shown, pattern]);
  const isInvalid = search !== '' && pattern === null;
  const onSearch = (words: string) => {
    setSearch(words);
    setFollow(follow => words === '' && follow);
  };
  return { search, onSearch, isRegExp, onRegExp, isInvalid, pattern, found };
}

interface IShownLines {
  /** The lines of the chosen task runs. */
  ofTasks: readonly LogLine[];
  /** Those of them with the chosen level and logger. */
  shown: readonly LogLine[];
  /** The chosen level and logger, and the names of all loggers. */
  filter: {
    level: number;
    onLevel: (level: number) => void;
    logger: string;
    loggers: readonly string[];
    onLogger: (logger: string) => void;
  };
}

function useShownLines({ lines, tasks = null }: ILogViewProps): IShownLines {
  const [level, setLevel] = useState(0);
  const [logger, setLogger] = useState('');
  const whole = useMemo(() => dropOverwritten(lines), [lines]);
  const ofTasks = useMemo(
    () => filterByTask(whole, tasks && tasks.ids),
    [whole, tasks]
  );
  const shown = useMemo(
    () => filterByLogger(filterByLevel(ofTasks, level), logger),
    [ofTasks, level, logger]
  );
  const loggers = useMemo(
    () => [...new Set(lines.map(loggerOf))].sort(),
    [lines]
  );
  const filter = {
    level,
    onLevel: setLevel,
    logger,
    loggers,
    onLogger: setLogger
  };
  return { ofTasks, shown, filter };
}

/** The reason why no line is shown; `count` is the number of lines of the chosen task runs. */
function EmptyLog(props: ILogViewProps & { count: number }): JSX.Element {
  const message = describeEmptyLog(props.count, props, useTrans());
  return <EmptyState testId="satflow-log-empty" message={message} />;
}

/** Return the reason why none of the lines of the chosen task runs is shown. */
function describeEmptyLog(
  count: number,
  { progress: state, error, tasks }: ILogViewProps,
  trans: TranslationBundle
): string {
  const progress = error ? null : state;
  const isLoading = progress === 'loading';
  if (count > 0) {
    return isLoading
      ? trans.__('No lines match the filters so far. The log is still loading.')
      : trans.__('No lines match the filters.');
  }
  if (tasks && progress !== null) {
    return isLoading
      ? trans.__(
          'No lines of these task runs so far. The log is still loading.'
        )
      : trans.__('These task runs have logged nothing.');
  }
  switch (progress) {
    case 'loading':
      return trans.__('Loading the log…');
    case 'live':
      return trans.__('The run has not logged anything yet.');
    case 'whole':
      return trans.__(
        'The run logged nothing. Lines of print() are logged with @flow(log_prints=True), or for all flows of a deployment with the environment variable PREFECT_LOGGING_LOG_PRINTS=true in the form, under Infrastructure.'
      );
    default:
      return trans.__('No lines could be read.');
  }
}

function wrapIndex(value: number, count: number): number {
  return ((value % count) + count) % count;
}
