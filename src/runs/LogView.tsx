import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useMemo, useState } from 'react';

import type { ErrorBody, LogLine } from '../_api';
import { EmptyState } from '../components/EmptyState';
import { ErrorNote } from '../components/ErrorNote';
import { useTrans } from '../components/translation';
import {
  filterByLevel,
  type LogState,
  findMatches,
  dropOverwritten
} from './log';
import { LogLines } from './LogLines';
import { LogToolbar } from './LogToolbar';

export interface ILogViewProps {
  lines: readonly LogLine[];
  /** Names of task runs by id, as far as they are loaded. */
  taskNames: ReadonlyMap<string, string>;
  progress: LogState;
  error: ErrorBody | null;
  /** True to follow new lines at first. */
  follow: boolean;
  onDownload: () => void;
}

/** The log of a run, with filter, search, follow and download. */
export function LogView(props: ILogViewProps): JSX.Element {
  const trans = useTrans();
  const { progress, error, onDownload } = props;
  const [level, setLevel] = useState(0);
  const [search, setSearch] = useState('');
  const [step, setStep] = useState(0);
  const [follow, setFollow] = useState(props.follow);
  const lines = useMemo(() => dropOverwritten(props.lines), [props.lines]);
  const shown = useMemo(() => filterByLevel(lines, level), [lines, level]);
  const found = useMemo(() => findMatches(shown, search), [shown, search]);
  useEffect(() => setStep(0), [search, level]);
  const position = found.length > 0 ? wrapIndex(step, found.length) : 0;
  const go = (to: number) => {
    setFollow(false);
    setStep(to);
  };
  return (
    <div className="jp-Satflow-log">
      <LogToolbar
        level={level}
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
        onStep={by => go(position + by)}
        onFollow={setFollow}
        onDownload={onDownload}
      />
      {error && <ErrorNote error={error} />}
      {shown.length === 0 ? (
        <EmptyState
          testId="satflow-log-empty"
          message={describeEmptyLog(
            lines.length,
            error ? null : progress,
            trans
          )}
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

/** Return the reason why no line is shown; `progress` is null if the log cannot be read. */
function describeEmptyLog(
  count: number,
  progress: LogState | null,
  trans: TranslationBundle
): string {
  const isLoading = progress === 'loading';
  if (count > 0) {
    return isLoading
      ? trans.__('No lines at this level so far. The log is still loading.')
      : trans.__('No lines at this level.');
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
