import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useMemo } from 'react';

import type { TaskRun } from '../_api';
import { ClusterView } from '../clusters/ClusterView';
import { ArtifactsPanel } from './ArtifactsPanel';
import { type ILogTasks, LogView } from './LogView';
import { ResultPanel } from './ResultPanel';
import { RunDetails } from './RunDetails';
import type { IRunPanel, IShownRun, ITaskFilter, RunPanels } from './runPanels';
import { TasksPanel } from './TasksPanel';

/** Add our own panels, unless they have been added. */
export function addOwnRunPanels(
  panels: RunPanels,
  trans: TranslationBundle,
  rendermime: IRenderMimeRegistry | null
): void {
  const added = new Set(panels.items.map(one => one.id));
  createRunPanels(trans, rendermime)
    .filter(one => !added.has(one.id))
    .forEach(one => panels.add(one));
}

/** Return the panels that this extension adds to the views of runs. */
export function createRunPanels(
  trans: TranslationBundle,
  rendermime: IRenderMimeRegistry | null = null
): IRunPanel[] {
  return [
    {
      id: 'log',
      label: trans.__('Log'),
      rank: 100,
      render: run => <LogPanel {...run} />
    },
    {
      id: 'result',
      label: trans.__('Result'),
      rank: 150,
      render: run => <ResultPanel {...run} />
    },
    {
      id: 'tasks',
      label: ({ tasks }) => trans.__('Tasks (%1)', tasks.total),
      rank: 200,
      render: run => <TasksPanel {...run} />
    },
    {
      id: 'cluster',
      label: ({ cluster }) =>
        cluster
          ? trans.__('Cluster (%1)', cluster.observed)
          : trans.__('Cluster'),
      rank: 300,
      render: ({ actions, ...run }) => (
        <ClusterView {...run} onDaskPages={actions.onDaskPages} />
      )
    },
    {
      id: 'artifacts',
      label: ({ detail }) =>
        trans.__('Artifacts (%1)', detail.artifacts.length),
      rank: 350,
      render: ({ detail, actions }) => (
        <ArtifactsPanel
          artifacts={detail.artifacts}
          rendermime={rendermime}
          onOpen={actions.onOpen}
        />
      )
    },
    {
      id: 'details',
      label: trans.__('Details'),
      rank: 400,
      render: ({ detail, actions }) => (
        <RunDetails detail={detail} {...actions} />
      )
    }
  ];
}

function LogPanel(props: IShownRun): JSX.Element {
  const { tasks, logFilter, onShowLog } = props;
  const { items } = tasks;
  const taskNames = useMemo(
    () => new Map(items.map(task => [task.id, task.name])),
    [items]
  );
  const allTasks = useMemo(
    () => [
      ...new Set(items.filter(run => !run.nested_run_id).map(run => run.task))
    ],
    [items]
  );
  const shownTasks = useMemo(
    () => logFilter && findLogTasks(logFilter, items),
    [logFilter, items]
  );
  return (
    <LogView
      lines={props.lines}
      taskNames={taskNames}
      allTasks={allTasks}
      tasks={shownTasks}
      onTask={task => onShowLog(task ? { task, taskRunId: null } : null)}
      progress={props.progress}
      error={props.streamError}
      follow={props.follow}
      onDownload={props.actions.onDownload}
      onCopyLines={props.actions.onCopyLines}
      linkedLine={props.linkedLine}
      onCopyLink={props.actions.onCopyLink}
    />
  );
}

function findLogTasks(
  { task, taskRunId }: ITaskFilter,
  runs: readonly TaskRun[]
): ILogTasks {
  const chosen = runs.filter(run =>
    taskRunId === null ? run.task === task : run.id === taskRunId
  );
  const label = taskRunId === null ? task : (chosen[0]?.name ?? taskRunId);
  return { label, ids: new Set(chosen.map(run => run.id)) };
}
