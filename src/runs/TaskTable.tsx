import {
  Button,
  caretDownIcon,
  caretRightIcon,
  launchIcon,
  listIcon
} from '@jupyterlab/ui-components';
import React, { useState } from 'react';

import type { TaskRun } from '../_api';
import { IconButton } from '../components/IconButton';
import { nameInvisible } from '../components/terminalText';
import { useTrans } from '../components/translation';
import { formatDuration, formatLogTime } from '../format';
import type { ITaskFilter } from './runPanels';
import { StateMark } from './StateMark';
import { type ITaskRunCardProps, TaskRunCard } from './TaskRunCard';
import { isFinished, type ITaskGroup } from './tasks';

export interface ITaskTableProps {
  groups: readonly ITaskGroup[];
  workers: ReadonlyMap<string, string>;
  names: ReadonlyMap<string, string>;
  /** The id of the task run whose details are shown, or null. */
  selected: string | null;
  onSelect: (taskRunId: string | null) => void;
  onShowLog: (filter: ITaskFilter) => void;
  onRead: ITaskRunCardProps['onRead'];
  onOpen: ITaskRunCardProps['onOpen'];
}

/** Number of runs of a mapped task that are listed at once. */
const LISTED_STEP = 200;
/** Number of columns, with that of the Dask workers. */
const COLUMNS = 7;

/** The task runs as a table; those of a mapped task are grouped. */
export function TaskTable(props: ITaskTableProps): JSX.Element {
  const trans = useTrans();
  const hasWorkers = props.workers.size > 0;
  return (
    <table
      className="jp-Satflow-taskTable"
      aria-label={trans.__('Tasks')}
      data-testid="satflow-tasks"
    >
      <thead>
        <tr>
          <th scope="col">{trans.__('Task')}</th>
          <th scope="col">{trans.__('State')}</th>
          <th scope="col">{trans.__('Start')}</th>
          <th scope="col">{trans.__('Duration')}</th>
          <th scope="col">{trans.__('Attempts')}</th>
          {hasWorkers && <th scope="col">{trans.__('Dask worker')}</th>}
          <th scope="col">
            <span className="jp-Satflow-srOnly">{trans.__('Log')}</span>
          </th>
        </tr>
      </thead>
      {props.groups.map(group => (
        <tbody
          key={group.task}
          data-testid="satflow-task"
          data-task={group.task}
        >
          {group.runs.length === 1 ? (
            <TaskRunRows {...props} run={group.runs[0]} isChild={false} />
          ) : (
            <MappedTask {...props} group={group} />
          )}
        </tbody>
      ))}
    </table>
  );
}

function MappedTask(
  props: ITaskTableProps & { group: ITaskGroup }
): JSX.Element {
  const trans = useTrans();
  const { runs } = props.group;
  const [isOpen, setOpen] = useState(false);
  const [limit, setLimit] = useState(LISTED_STEP);
  const listed = isOpen ? runs.slice(0, limit) : [];
  const hidden = runs.length - limit;
  return (
    <>
      <GroupRow {...props} isOpen={isOpen} onToggle={() => setOpen(!isOpen)} />
      {listed.map(run => (
        <TaskRunRows key={run.id} {...props} run={run} isChild />
      ))}
      {isOpen && hidden > 0 && (
        <tr>
          <td colSpan={COLUMNS}>
            <Button
              minimal
              className="jp-Satflow-link"
              onClick={() => setLimit(limit + LISTED_STEP)}
            >
              {trans.__(
                'Show %1 more of %2',
                Math.min(hidden, LISTED_STEP),
                hidden
              )}
            </Button>
          </td>
        </tr>
      )}
    </>
  );
}

function GroupRow(
  props: ITaskTableProps & {
    group: ITaskGroup;
    isOpen: boolean;
    onToggle: () => void;
  }
): JSX.Element {
  const trans = useTrans();
  const { group, isOpen, workers, onToggle, onShowLog } = props;
  const { task, runs, duration } = group;
  const retried = runs.filter(run => run.attempts > 1).length;
  return (
    <tr className="jp-mod-group">
      <th scope="rowgroup">
        <Twisty
          isOpen={isOpen}
          text={`${nameInvisible(task)} × ${runs.length}`}
          onClick={onToggle}
        />
      </th>
      <td>
        <GroupStates group={group} />
      </td>
      <td>{runs[0].start && formatLogTime(runs[0].start)}</td>
      <td title={trans.__('Sum of all runs')}>
        {trans.__('Σ %1', formatDuration(duration))}
      </td>
      <td>{retried > 0 && trans.__('%1 retried', retried)}</td>
      {workers.size > 0 && <td />}
      <td>
        {!runs[0].nested_run_id && (
          <LogButton
            name={task}
            onClick={() => onShowLog({ task, taskRunId: null })}
          />
        )}
      </td>
    </tr>
  );
}

/** The number of runs in each state, and of the finished ones as a bar. */
function GroupStates({ group }: { group: ITaskGroup }): JSX.Element {
  const trans = useTrans();
  const { runs, counts, finished } = group;
  return (
    <>
      {finished < runs.length && (
        <progress
          max={runs.length}
          value={finished}
          aria-label={trans.__('%1 of %2 finished', finished, runs.length)}
        />
      )}
      <span className="jp-Satflow-states">
        {counts.map(({ type, name, count }) => (
          <StateMark
            key={name}
            type={type}
            name={name ?? 'Interrupted'}
            count={count}
          />
        ))}
      </span>
    </>
  );
}

/** The row of a task run, and its details if it is selected. */
function TaskRunRows(
  props: ITaskTableProps & { run: TaskRun; isChild: boolean }
): JSX.Element {
  const { run, isChild, workers, selected, onSelect } = props;
  const isSelected = run.id === selected;
  const worker = workers.get(run.id) ?? null;
  return (
    <>
      <tr
        className={isSelected ? 'jp-mod-selected' : undefined}
        data-testid="satflow-task-run"
      >
        <th scope="row" className={isChild ? 'jp-mod-child' : undefined}>
          <Twisty
            isOpen={isSelected}
            text={nameInvisible(run.name)}
            onClick={() => onSelect(isSelected ? null : run.id)}
          />
        </th>
        <td>
          {run.interrupted ? (
            <StateMark type="CRASHED" name="Interrupted" />
          ) : (
            <StateMark type={run.state_type} name={run.state_name} />
          )}
        </td>
        <td>{run.start && formatLogTime(run.start)}</td>
        <td>{isFinished(run) && run.start && formatDuration(run.duration)}</td>
        <td>{run.attempts > 0 && run.attempts}</td>
        {workers.size > 0 && <td>{worker}</td>}
        <td>
          <TaskRunButton {...props} />
        </td>
      </tr>
      {isSelected && (
        <tr>
          <td colSpan={COLUMNS}>
            <TaskRunCard
              run={run}
              worker={worker}
              names={props.names}
              onRead={props.onRead}
              onOpen={props.onOpen}
            />
          </td>
        </tr>
      )}
    </>
  );
}

/** The button that opens a nested run, or shows the log of another task run. */
function TaskRunButton(props: ITaskTableProps & { run: TaskRun }): JSX.Element {
  const trans = useTrans();
  const { run, onOpen, onShowLog } = props;
  const { id, name, task, nested_run_id: nested } = run;
  return nested ? (
    <IconButton
      icon={launchIcon}
      label={trans.__('Open the nested run %1', name)}
      onClick={() => onOpen({ id: nested, name })}
      testId="satflow-open-nested"
    />
  ) : (
    <LogButton name={name} onClick={() => onShowLog({ task, taskRunId: id })} />
  );
}

function Twisty(props: {
  isOpen: boolean;
  text: string;
  onClick: () => void;
}): JSX.Element {
  const { isOpen, text, onClick } = props;
  const icon = isOpen ? caretDownIcon : caretRightIcon;
  return (
    <button
      type="button"
      className="jp-Satflow-twisty"
      aria-expanded={isOpen}
      title={text}
      onClick={onClick}
    >
      <icon.react tag="span" width="14px" aria-hidden="true" />
      <span className="jp-Satflow-name">{text}</span>
    </button>
  );
}

function LogButton(props: { name: string; onClick: () => void }): JSX.Element {
  const trans = useTrans();
  return (
    <IconButton
      icon={listIcon}
      label={trans.__('Show the log of %1', props.name)}
      onClick={props.onClick}
      testId="satflow-task-log"
    />
  );
}
