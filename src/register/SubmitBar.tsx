import { Button } from '@jupyterlab/ui-components';
import React from 'react';

import type { Registered } from '../_api';
import { useTrans } from '../components/translation';
import type { Intent } from './flowSource';
import { RegisteredNote } from './RegisteredNote';

export interface ISubmitBarProps {
  /** The action of the Enter key. */
  intent: Intent;
  isSending: boolean;
  registered: Registered | null;
  /** True if the request was refused because of a deployment in Prefect that can be overwritten. */
  canOverwrite: boolean;
  onRegister: () => void;
  onOverwrite: () => void;
  onRegisterAndRun: () => void;
  onCopyCode: () => void;
}

/** The buttons and the result of the form; stays in view however long the form is. */
export function SubmitBar(props: ISubmitBarProps): JSX.Element {
  const trans = useTrans();
  const { intent, registered, onCopyCode } = props;
  const other = intent === 'run' ? 'register' : 'run';
  return (
    <div className="jp-Satflow-submitBar">
      {registered && (
        <RegisteredNote
          registered={registered}
          onRun={props.onRegisterAndRun}
        />
      )}
      <div className="jp-Satflow-submit">
        <SubmitButton {...props} to={registered ? 'register' : intent} first />
        <SubmitButton {...props} to={registered ? 'run' : other} />
        {props.canOverwrite && (
          <Button
            type="button"
            className="jp-mod-styled jp-mod-warn"
            aria-disabled={props.isSending}
            onClick={props.onOverwrite}
            data-testid="satflow-overwrite"
          >
            {trans.__('Overwrite')}
          </Button>
        )}
        <Button
          type="button"
          className="jp-mod-styled"
          onClick={onCopyCode}
          data-testid="satflow-copy-code"
        >
          {trans.__('Copy as code')}
        </Button>
      </div>
    </div>
  );
}

/** A submit button that stays focusable while the form is sent, so that the focus is not lost. */
function SubmitButton(
  props: ISubmitBarProps & { to: Intent; first?: boolean }
): JSX.Element {
  const trans = useTrans();
  const { to, first, isSending } = props;
  const isRun = to === 'run';
  const words = isRun ? trans.__('Register and run') : trans.__('Register');
  return (
    <Button
      type={first ? 'submit' : 'button'}
      className={`jp-mod-styled${first ? ' jp-mod-accept' : ''}`}
      aria-disabled={isSending}
      onClick={
        first ? undefined : isRun ? props.onRegisterAndRun : props.onRegister
      }
      data-testid={isRun ? 'satflow-submit-and-run' : 'satflow-submit'}
    >
      {first && isSending ? trans.__('Registering…') : words}
    </Button>
  );
}
