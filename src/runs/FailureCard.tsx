import {
  Button,
  copyIcon,
  caretDownIcon,
  caretRightIcon
} from '@jupyterlab/ui-components';
import React, { useId, useState } from 'react';

import type { FailedTask, Failure, FailureException } from '../_api';
import { IconButton } from '../components/IconButton';
import { nameInvisible } from '../components/terminalText';
import { useTrans } from '../components/translation';
import { AnsiText } from './AnsiText';
import { FailureFrames, type IFrameActions } from './FailureFrames';
import { findMainException } from './frameGroups';

export interface IFailureCardProps extends Omit<
  IFrameActions,
  'notebook' | 'version'
> {
  failure: Failure;
  onCopy: (traceback: string) => void;
  /** Load the run into a notebook; null if the run does not belong to a deployment. */
  onDebug: (() => void) | null;
}

/** The reason why a run failed: the exception, the failed task, and the lines of the user's code. */
export function FailureCard(props: IFailureCardProps): JSX.Element {
  const trans = useTrans();
  const id = useId();
  const [isOpen, setOpen] = useState(true);
  const { failure } = props;
  const { traceback, task } = failure;
  return (
    <section
      className="jp-Satflow-failure"
      aria-label={trans.__('Failure')}
      data-testid="satflow-failure"
    >
      <header>
        <button
          type="button"
          className="jp-Satflow-failureTitle"
          aria-expanded={isOpen}
          aria-controls={id}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? (
            <caretDownIcon.react tag="span" />
          ) : (
            <caretRightIcon.react tag="span" />
          )}
          <Cause failure={failure} isShort={!isOpen} />
        </button>
        <FailureButtons {...props} />
      </header>
      <div id={id} hidden={!isOpen} className="jp-Satflow-failureBody">
        {task && <TaskNote task={task} />}
        {failure.exceptions.length > 0 ? (
          <Exceptions {...props} />
        ) : (
          traceback && (
            <pre tabIndex={0} data-testid="satflow-traceback">
              <AnsiText text={traceback} />
            </pre>
          )
        )}
      </div>
    </section>
  );
}

function FailureButtons(props: IFailureCardProps): JSX.Element {
  const trans = useTrans();
  const { onCopy, onDebug } = props;
  const { traceback } = props.failure;
  return (
    <>
      {onDebug && (
        <Button
          className="jp-mod-styled jp-Satflow-button jp-mod-accept"
          title={trans.__(
            'Load this version and its inputs, and insert a cell that repeats the failed call'
          )}
          onClick={onDebug}
          data-testid="satflow-debug-run"
        >
          {trans.__('Open in notebook')}
        </Button>
      )}
      {traceback && (
        <IconButton
          icon={copyIcon}
          label={trans.__('Copy the traceback')}
          onClick={() => onCopy(traceback)}
          testId="satflow-copy-traceback"
        />
      )}
    </>
  );
}

function Cause(props: { failure: Failure; isShort: boolean }): JSX.Element {
  const { failure, isShort } = props;
  const main = findMainException(failure);
  const className = isShort ? 'jp-mod-short' : undefined;
  return (
    <span className={className} data-testid="satflow-failure-cause">
      {main?.type ? (
        <ExceptionText error={main} />
      ) : (
        <strong>{nameInvisible(failure.cause)}</strong>
      )}
    </span>
  );
}

function ExceptionText(props: { error: FailureException }): JSX.Element {
  const { type, message } = props.error;
  return (
    <>
      <strong>{nameInvisible(message ? `${type}: ` : type)}</strong>
      {nameInvisible(message)}
    </>
  );
}

function TaskNote(props: { task: FailedTask }): JSX.Element {
  const trans = useTrans();
  const { name, inputs } = props.task;
  return (
    <div className="jp-Satflow-failedTask" data-testid="satflow-failed-task">
      {trans.__('In task')} <strong>{nameInvisible(name)}</strong>
      {inputs.length > 0 && (
        <ul aria-label={trans.__('Inputs of the task')}>
          {inputs.map(one => (
            <li key={one.name}>
              <code>
                {one.name}
                {one.value !== null && ` = ${nameInvisible(one.value)}`}
              </code>
              {one.tasks.length > 0 &&
                ` ${trans.__('from %1', one.tasks.join(', '))}`}
              {one.not_kept !== null && (
                <small>
                  {' '}
                  {trans.__('(not kept: %1)', nameInvisible(one.not_kept))}
                </small>
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** The exception that ended the run, then those that led to it, from the last to the first, and those that it contains. */
function Exceptions(props: IFailureCardProps): JSX.Element {
  const { exceptions, notebook, version } = props.failure;
  const shared = { ...props, notebook, version };
  const main = findMainException(props.failure);
  const at = main ? exceptions.indexOf(main) : exceptions.length;
  const earlier = exceptions.slice(0, at).reverse();
  const later = exceptions.slice(at + 1);
  return (
    <div data-testid="satflow-traceback">
      {main && <FailureFrames {...shared} frames={main.frames} isMain />}
      {[...later, ...earlier].map((error, key) => (
        <RelatedException key={key} {...shared} error={error} />
      ))}
    </div>
  );
}

function RelatedException(
  props: IFrameActions & { error: FailureException }
): JSX.Element {
  const trans = useTrans();
  const { error } = props;
  const labels = {
    cause: trans.__('Caused by'),
    context: trans.__('Raised while handling'),
    member: trans.__('Contains')
  };
  return (
    <details className="jp-Satflow-relatedException">
      <summary>
        {labels[error.relation ?? 'context']} <ExceptionText error={error} />
      </summary>
      <FailureFrames {...props} frames={error.frames} />
    </details>
  );
}
