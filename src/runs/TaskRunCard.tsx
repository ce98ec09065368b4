import { Button } from '@jupyterlab/ui-components';
import React, { useEffect, useState } from 'react';

import type {
  ErrorBody,
  Run,
  TaskRun,
  TaskRunDetail,
  TaskRunInput
} from '../_api';
import { ErrorNote } from '../components/ErrorNote';
import { nameInvisible } from '../components/terminalText';
import { useTrans } from '../components/translation';
import { toErrorBody } from '../errors';
import { StateList } from './StateMark';

export interface ITaskRunCardProps {
  run: TaskRun;
  worker: string | null;
  /** The names of task runs by id. */
  names: ReadonlyMap<string, string>;
  onRead: (id: string) => Promise<TaskRunDetail>;
  /** Open the nested flow run that a task run represents. */
  onOpen: (run: Pick<Run, 'id' | 'name'>) => void;
}

/** The states, inputs and tags of a task run, which are read when it is opened. */
export function TaskRunCard(props: ITaskRunCardProps): JSX.Element {
  const trans = useTrans();
  const { run, worker, names } = props;
  const { detail, error } = useTaskRunDetail(props);
  return (
    <div className="jp-Satflow-taskCard" data-testid="satflow-task-card">
      {error && <ErrorNote error={error} />}
      {!detail && !error && <p role="status">{trans.__('Loading…')}</p>}
      <dl>
        <NestedRun {...props} />
        {detail && (
          <>
            <dt>{trans.__('States')}</dt>
            <dd>
              <StateList states={detail.states} />
            </dd>
            <dt>{trans.__('Inputs')}</dt>
            <dd>
              {detail.inputs.length === 0 && trans.__('None.')}
              {detail.inputs.map(input => (
                <InputLine key={input.name} input={input} names={names} />
              ))}
            </dd>
          </>
        )}
        {run.tags.length > 0 && (
          <>
            <dt>{trans.__('Tags')}</dt>
            <dd className="jp-Satflow-facts">
              {run.tags.map(tag => (
                <span key={tag} className="jp-Satflow-badge">
                  {nameInvisible(tag)}
                </span>
              ))}
            </dd>
          </>
        )}
        {worker && (
          <>
            <dt>{trans.__('Dask worker')}</dt>
            <dd>{worker}</dd>
          </>
        )}
        <dt>{trans.__('Task run id')}</dt>
        <dd>
          <code>{run.id}</code>
        </dd>
      </dl>
    </div>
  );
}

/** A link to the nested flow run that a task run represents. */
function NestedRun({ run, onOpen }: ITaskRunCardProps): JSX.Element | null {
  const trans = useTrans();
  const { nested_run_id: id, name, task } = run;
  return id === null ? null : (
    <>
      <dt>{trans.__('Nested run')}</dt>
      <dd>
        <Button
          minimal
          className="jp-Satflow-link"
          onClick={() => onOpen({ id, name })}
        >
          {trans.__('Open the run of %1', nameInvisible(task))}
        </Button>
      </dd>
    </>
  );
}

/** Read the details when the task run is shown first, and again when its state changes. */
function useTaskRunDetail({ run, onRead }: ITaskRunCardProps) {
  const [detail, setDetail] = useState<TaskRunDetail | null>(null);
  const [error, setError] = useState<ErrorBody | null>(null);
  useEffect(() => {
    let isCurrent = true;
    onRead(run.id).then(
      found => {
        if (isCurrent) {
          setDetail(found);
          setError(null);
        }
      },
      (reason: unknown) => isCurrent && setError(toErrorBody(reason))
    );
    return () => {
      isCurrent = false;
    };
  }, [run.id, run.state_name, run.attempts]);
  return { detail: detail?.id === run.id ? detail : null, error };
}

function InputLine(props: {
  input: TaskRunInput;
  names: ReadonlyMap<string, string>;
}): JSX.Element {
  const trans = useTrans();
  const { name, task_runs: ids, count } = props.input;
  const shown = ids
    .slice(0, 3)
    .map(id => props.names.get(id) ?? id.slice(0, 8));
  const more = count - shown.length;
  const label =
    name === '__parents__'
      ? trans.__('called by')
      : name === 'wait_for'
        ? trans.__('waits for')
        : nameInvisible(name);
  return (
    <div>
      <code>{label}</code>
      {shown.length > 0 && ` ← ${nameInvisible(shown.join(', '))}`}
      {more > 0 && ` ${trans.__('and %1 more', more)}`}
    </div>
  );
}
