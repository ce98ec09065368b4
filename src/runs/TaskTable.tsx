import React from 'react';

import type { TaskRun } from '../_api';
import { EmptyState } from '../components/EmptyState';
import { useTrans } from '../components/translation';
import { formatDuration } from '../format';
import { StateMark } from './StateMark';
import { type ITaskGroup, groupTasks } from './tasks';

export interface ITaskTableProps {
  tasks: TaskRun[];
}

/** Number of runs that an opened mapped task lists. */
const MAX_LISTED = 200;

/** The task runs; those of a mapped task are grouped in one row. */
export function TaskTable({ tasks }: ITaskTableProps): JSX.Element {
  const trans = useTrans();
  if (tasks.length === 0) {
    return (
      <EmptyState
        testId="satflow-no-tasks"
        message={trans.__('No task has started yet.')}
      />
    );
  }
  return (
    <ul
      className="jp-Satflow-list jp-Satflow-tasks"
      aria-label={trans.__('Tasks')}
      data-testid="satflow-tasks"
    >
      {groupTasks(tasks).map(group => (
        <li key={group.task} data-testid="satflow-task" data-task={group.task}>
          {group.runs.length === 1 ? (
            <TaskLine run={group.runs[0]} />
          ) : (
            <MappedTask group={group} />
          )}
        </li>
      ))}
    </ul>
  );
}

function MappedTask(props: { group: ITaskGroup }): JSX.Element {
  const trans = useTrans();
  const { group } = props;
  const hidden = group.runs.length - MAX_LISTED;
  return (
    <details>
      <summary className="jp-Satflow-taskLine">
        <span className="jp-Satflow-name" title={group.task}>
          {group.task} × {group.runs.length}
        </span>
        <span className="jp-Satflow-states">
          {group.counts.map(({ type, name, count }) => (
            <StateMark key={name} type={type} name={`${count} ${name}`} />
          ))}
        </span>
        <span className="jp-Satflow-rowEnd">
          {formatDuration(group.duration)}
        </span>
      </summary>
      {group.runs.slice(0, MAX_LISTED).map(run => (
        <TaskLine key={run.id} run={run} />
      ))}
      {hidden > 0 && <p>{trans.__('and %1 more', hidden)}</p>}
    </details>
  );
}

function TaskLine(props: { run: TaskRun }): JSX.Element {
  const trans = useTrans();
  const { run } = props;
  return (
    <div className="jp-Satflow-taskLine">
      <span className="jp-Satflow-name" title={run.name}>
        {run.name}
      </span>
      {run.interrupted ? (
        <StateMark type="CRASHED" name={trans.__('Interrupted')} />
      ) : (
        <StateMark type={run.state_type} name={run.state_name} />
      )}
      <span className="jp-Satflow-rowEnd">
        {run.start && formatDuration(run.duration)}
      </span>
    </div>
  );
}
