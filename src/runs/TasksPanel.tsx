import { closeIcon } from '@jupyterlab/ui-components';
import React, { useEffect, useMemo, useRef, useState } from 'react';

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

/** The task runs of a run: on a time axis, and as a table. */
export function TasksPanel(props: IShownRun): JSX.Element {
  const trans = useTrans();
  const { detail, tasks, workers, actions, onShowLog } = props;
  const { items, total, isLoaded, clockOffset } = tasks;
  const groups = useMemo(() => groupTasks(items), [items]);
  const names = useMemo(
    () => new Map(items.map(run => [run.id, run.name])),
    [items]
  );
  // The table shows the details of a run below its row, which may be far from the timeline.
  const [inTimeline, setInTimeline] = useState<string | null>(null);
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
  const selected = items.find(run => run.id === inTimeline) ?? null;
  const { onReadTaskRun: onRead, onOpen } = actions;
  const shared = { workers, names, onRead, onOpen };
  return (
    <div className="jp-Satflow-tasks">
      {items.length < total && <LoadedNote tasks={tasks} />}
      <Timeline
        groups={groups}
        runs={items}
        workers={workers}
        end={detail.run.end}
        clockOffset={clockOffset}
        selected={inTimeline}
        onSelect={setInTimeline}
      />
      {selected && (
        <SelectedTask
          run={selected}
          worker={workers.get(selected.id) ?? null}
          {...shared}
          onClose={() => setInTimeline(null)}
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

/** The details of the task run that is selected in the timeline. */
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
