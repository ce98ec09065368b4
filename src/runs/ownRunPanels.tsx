import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useMemo } from 'react';

import { ClusterView } from '../clusters/ClusterView';
import { LogView } from './LogView';
import { RunDetails } from './RunDetails';
import type { IRunPanel, IShownRun, RunPanels } from './runPanels';
import { TaskTable } from './TaskTable';

/** Add our own panels, unless they have been added. */
export function addOwnRunPanels(
  panels: RunPanels,
  trans: TranslationBundle
): void {
  const added = new Set(panels.items.map(one => one.id));
  createRunPanels(trans)
    .filter(one => !added.has(one.id))
    .forEach(one => panels.add(one));
}

/** Return the panels that this extension adds to the views of runs. */
export function createRunPanels(trans: TranslationBundle): IRunPanel[] {
  return [
    {
      id: 'log',
      label: trans.__('Log'),
      rank: 100,
      render: run => <LogPanel {...run} />
    },
    {
      id: 'tasks',
      label: ({ detail }) => trans.__('Tasks (%1)', detail.tasks.length),
      rank: 200,
      render: ({ detail }) => <TaskTable tasks={detail.tasks} />
    },
    {
      id: 'cluster',
      label: ({ cluster }) =>
        cluster
          ? trans.__('Cluster (%1)', cluster.observed)
          : trans.__('Cluster'),
      rank: 300,
      render: ({ cluster, samples, actions }) => (
        <ClusterView
          cluster={cluster}
          samples={samples}
          onDaskPages={actions.onDaskPages}
        />
      )
    },
    {
      id: 'details',
      label: trans.__('Details'),
      rank: 400,
      render: ({ detail }) => <RunDetails detail={detail} />
    }
  ];
}

function LogPanel(props: IShownRun): JSX.Element {
  const { tasks } = props.detail;
  const taskNames = useMemo(
    () => new Map(tasks.map(task => [task.id, task.name])),
    [tasks]
  );
  return (
    <LogView
      lines={props.lines}
      taskNames={taskNames}
      progress={props.progress}
      error={props.streamError}
      follow={props.follow}
      onDownload={props.actions.onDownload}
    />
  );
}
