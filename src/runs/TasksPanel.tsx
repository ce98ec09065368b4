import { closeIcon } from '@jupyterlab/ui-components';
import React, { Suspense, useEffect, useMemo, useRef, useState } from 'react';

import { EmptyState } from '../components/EmptyState';
import { IconButton } from '../components/IconButton';
import { nameInvisible } from '../components/terminalText';
import { useTrans } from '../components/translation';
import type { IShownRun } from './runPanels';
import { StateMark } from './StateMark';
import { type ITaskRunCardProps, TaskRunCard } from './TaskRunCard';
import type { ITaskRuns } from './taskRuns';
import { groupTasks } from './tasks';
import { TaskTable } from './TaskTable';
import { Timeline } from './Timeline';
import { stateText } from './timelineText';

// The graph is loaded when it is first shown.
const TaskGraph = React.lazy(async () => {
  const { TaskGraph } = await import('./TaskGraph');
  return { default: TaskGraph };
});

/** The task runs of a run: on a time axis or as a graph, and as a table. */
export function TasksPanel(props: IShownRun): JSX.Element {
  const trans = useTrans();
  const { detail, tasks, workers, actions, onShowLog } = props;
  const { items, total, isLoaded, clockOffset } = tasks;
  const groups = useMemo(() => groupTasks(items), [items]);
  const [isGraph, setGraph] = useState(false);
  const names = useNames(items);
  // The table shows the details of a run below its row, which may be far from the timeline or graph.
  const [inPicture, setInPicture] = useState<string | null>(null);
  const [inTable, setInTable] = useState<string | null>(null);
  if (items.length === 0) {
    return (
      <EmptyState
        testId="satflow-no-tasks"
        message={
          isLoaded ? trans.__('No task has started yet.') : trans.__('Loading…')
        }
      />
    );
  }
  const selected = items.find(run => run.id === inPicture) ?? null;
  const { onReadTaskRun: onRead, onOpen } = actions;
  const shared = { workers, names, onRead, onOpen };
  const picture = {
    groups,
    runs: items,
    workers,
    clockOffset,
    selected: inPicture,
    onSelect: setInPicture
  };
  return (
    <div className="jp-Satflow-tasks">
      {items.length < total && <LoadedNote tasks={tasks} />}
      <PictureSwitch isGraph={isGraph} onGraph={setGraph} />
      {isGraph ? (
        <Suspense fallback={<p role="status">{trans.__('Loading…')}</p>}>
          <TaskGraph {...picture} />
        </Suspense>
      ) : (
        <Timeline {...picture} end={detail.run.end} />
      )}
      {selected && (
        <SelectedTask
          run={selected}
          worker={workers.get(selected.id) ?? null}
          {...shared}
          onClose={() => setInPicture(null)}
        />
      )}
      <TaskTable
        groups={groups}
        {...shared}
        selected={inTable}
        onSelect={setInTable}
        onShowLog={onShowLog}
      />
    </div>
  );
}

/** Return the names of task runs by id. */
function useNames(runs: ITaskRuns['items']): ReadonlyMap<string, string> {
  return useMemo(() => new Map(runs.map(run => [run.id, run.name])), [runs]);
}

/** The choice between the timeline and the graph. */
function PictureSwitch(props: {
  isGraph: boolean;
  onGraph: (isGraph: boolean) => void;
}): JSX.Element {
  const trans = useTrans();
  const { isGraph, onGraph } = props;
  const option = (text: string, id: string, isChosen: boolean) => (
    <button
      type="button"
      aria-pressed={isChosen}
      data-testid={`satflow-show-${id}`}
      onClick={() => onGraph(id === 'graph')}
    >
      {text}
    </button>
  );
  return (
    <div
      className="jp-Satflow-switch"
      role="group"
      aria-label={trans.__('View of the task runs')}
    >
      {option(trans.__('Timeline'), 'timeline', !isGraph)}
      {option(trans.__('Graph'), 'graph', isGraph)}
    </div>
  );
}

/** The reason why not all task runs are shown. */
function LoadedNote({ tasks }: { tasks: ITaskRuns }): JSX.Element {
  const trans = useTrans();
  const { items, total, isLoaded } = tasks;
  return (
    <p className="jp-Satflow-note" role="status">
      {isLoaded
        ? trans.__(
            'The first %1 of %2 task runs are shown.',
            items.length,
            total
          )
        : trans.__('Loading: %1 of %2 task runs', items.length, total)}
    </p>
  );
}

/** The details of the task run that is selected in the timeline or graph. */
function SelectedTask(
  props: ITaskRunCardProps & { onClose: () => void }
): JSX.Element {
  const trans = useTrans();
  const { run, onClose } = props;
  const section = useRef<HTMLElement>(null);
  useEffect(() => {
    void section.current?.scrollIntoView({ block: 'nearest' });
  }, [run.id]);
  return (
    <section
      ref={section}
      className="jp-Satflow-selectedTask"
      aria-label={run.name}
      data-testid="satflow-selected-task"
    >
      <div className="jp-Satflow-rowHead">
        <span className="jp-Satflow-name">{nameInvisible(run.name)}</span>
        <StateMark
          type={run.interrupted ? 'CRASHED' : run.state_type}
          name={stateText(run, trans)}
        />
        <span className="jp-Satflow-rowEnd">
          <IconButton
            icon={closeIcon}
            label={trans.__('Close')}
            onClick={onClose}
          />
        </span>
      </div>
      <TaskRunCard {...props} />
    </section>
  );
}
