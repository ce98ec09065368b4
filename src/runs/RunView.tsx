import React, { useMemo, useState } from 'react';

import type {
  ClusterStatus,
  ErrorBody,
  LogLine,
  Run,
  RunDetail
} from '../_api';
import { ClusterView } from '../clusters/ClusterView';
import type { OnDaskPages } from '../clusters/daskPages';
import type { ISample } from '../clusters/sampleHistory';
import { ErrorNote } from '../components/ErrorNote';
import { Tabs } from '../components/Tabs';
import { useTrans } from '../components/translation';
import { FailureCard } from './FailureCard';
import type { LogState } from './log';
import { LogView } from './LogView';
import { RunDetails } from './RunDetails';
import { RunHeader } from './RunHeader';
import { TaskTable } from './TaskTable';

/** Actions of a run's tab. */
export interface IRunActions {
  onCancel: (run: Run) => void;
  onRunAgain: (run: Run) => void;
  onDownload: () => void;
  onDaskPages: OnDaskPages;
}

export interface IRunViewProps {
  detail: RunDetail | null;
  /** The deployment's version, if it still exists. */
  version: number | null;
  lines: readonly LogLine[];
  /** The loading state of the log. */
  progress: LogState;
  cluster: ClusterStatus | null;
  samples: readonly ISample[];
  error: ErrorBody | null;
  streamError: ErrorBody | null;
  follow: boolean;
  actions: IRunActions;
}

/** A run with all details. */
export function RunView(props: IRunViewProps): JSX.Element {
  const trans = useTrans();
  const { detail, error, version, actions } = props;
  if (!detail) {
    return error ? (
      <ErrorNote error={error} />
    ) : (
      <p role="status">{trans.__('Loading…')}</p>
    );
  }
  const { run, failure } = detail;
  return (
    <div className="jp-Satflow-run" data-testid="satflow-run" data-run={run.id}>
      {error && <ErrorNote error={error} />}
      <RunHeader run={run} version={version} actions={actions} />
      {failure && <FailureCard failure={failure} />}
      <RunTabs {...props} detail={detail} />
    </div>
  );
}

function RunTabs(props: IRunViewProps & { detail: RunDetail }): JSX.Element {
  const trans = useTrans();
  const { detail, cluster } = props;
  const [selected, setSelected] = useState('log');
  const taskNames = useMemo(
    () => new Map(detail.tasks.map(task => [task.id, task.name])),
    [detail.tasks]
  );
  const tabs = [
    { id: 'log', label: trans.__('Log') },
    { id: 'tasks', label: trans.__('Tasks (%1)', detail.tasks.length) },
    {
      id: 'cluster',
      label: cluster
        ? trans.__('Cluster (%1)', cluster.observed)
        : trans.__('Cluster')
    },
    { id: 'details', label: trans.__('Details') }
  ];
  return (
    <Tabs
      label={trans.__('Run')}
      tabs={tabs}
      selected={selected}
      onSelect={setSelected}
    >
      {selected === 'log' && (
        <LogView
          lines={props.lines}
          taskNames={taskNames}
          progress={props.progress}
          error={props.streamError}
          follow={props.follow}
          onDownload={props.actions.onDownload}
        />
      )}
      {selected === 'tasks' && <TaskTable tasks={detail.tasks} />}
      {selected === 'cluster' && (
        <ClusterView
          cluster={cluster}
          samples={props.samples}
          onDaskPages={props.actions.onDaskPages}
        />
      )}
      {selected === 'details' && <RunDetails detail={detail} />}
    </Tabs>
  );
}
