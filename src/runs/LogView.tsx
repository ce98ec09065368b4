import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useMemo, useState } from 'react';

import type { ErrorBody, LogLine } from '../_api';
import { EmptyState } from '../components/EmptyState';
import { ErrorNote } from '../components/ErrorNote';
import { useTrans } from '../components/translation';
import {
  filterByLevel,
  filterByTask,
  type LogState,
  findMatches,
  dropOverwritten
} from './log';
import { LogLines } from './LogLines';
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
  /** Show only lines of these task runs, or all with null. */
  tasks?: ILogTasks | null;
  onAllTasks?: () => void;
  progress: LogState;
  error: ErrorBody | null;
  /** True to follow new lines at first. */
  follow: boolean;
  onDownload: () => void;
}

/** The log of a run, with filter, search, follow and download. */
export function LogView(props: ILogViewProps): JSX.Element {
  const trans = useTrans();
  const { progress, error, tasks = null } = props;
  const [level, setLevel] = useState(0);
  const [search, setSearch] = useState('');
  const [step, setStep] = useState(0);
  const [follow, setFollow] = useState(props.follow);
  const { shown, ofTasks } = useShownLines(props, level);
  const found = useMemo(() => findMatches(shown, search), [shown, search]);
  useEffect(() => setStep(0), [search, level, tasks?.label]);
  const position = found.length > 0 ? wrapIndex(step, found.length) : 0;
  const stepBy = (by: number) => {
    setFollow(false);
    setStep(position + by);
  };
  return (
    <div className="jp-Satflow-log">
      <LogToolbar
        level={level}
        task={tasks && tasks.label}
        onAllTasks={props.onAllTasks}
        search={search}
        matchCount={found.length}
        position={position}
        lineCount={shown.length}
        // A log that failed is not being read; the error shows what to do.
        isLoading={progress === 'loading' && !error}
        follow={follow}
        onLevel={setLevel}
        onSearch={words => {
          setSearch(words);
          setFollow(words === '' && follow);
        }}
        onStep={stepBy}
        onFollow={setFollow}
        onDownload={props.onDownload}
      />
      {error && <ErrorNote error={error} />}
      {shown.length === 0 ? (
        <EmptyState
          testId="satflow-log-empty"
          message={describeEmptyLog(ofTasks.length, props, trans)}
        />
      ) : (
        <LogLines
          lines={shown}
          taskNames={props.taskNames}
          search={search}
          current={found.length > 0 ? found[position] : null}
          follow={follow}
          onFollow={setFollow}
        />
      )}
    </div>
  );
}

/** Return the lines of the chosen task runs, and those of them to show. */
function useShownLines(
  { lines, tasks = null }: ILogViewProps,
  level: number
): Record<'shown' | 'ofTasks', readonly LogLine[]> {
  const whole = useMemo(() => dropOverwritten(lines), [lines]);
  const ofTasks = useMemo(
    () => filterByTask(whole, tasks && tasks.ids),
    [whole, tasks]
  );
  const shown = useMemo(() => filterByLevel(ofTasks, level), [ofTasks, level]);
  return { shown, ofTasks };
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
      ? trans.__('No lines at this level so far. The log is still loading.')
      : trans.__('No lines at this level.');
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
      return trans.__('The run logged nothing.');
    default:
      return trans.__('No lines could be read.');
  }
}

function wrapIndex(value: number, count: number): number {
  return ((value % count) + count) % count;
}
