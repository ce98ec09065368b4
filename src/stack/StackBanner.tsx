import { Button } from '@jupyterlab/ui-components';
import React from 'react';

import type { ErrorBody, StackStatus } from '../_api';
import { useTrans } from '../components/translation';

export interface IStackBannerProps {
  status: StackStatus | null;
  error: ErrorBody | null;
  onRetry: () => void;
}

/** The reason why runs cannot start yet; empty once the stack is ready. */
export function StackBanner(props: IStackBannerProps): JSX.Element | null {
  const trans = useTrans();
  const { status, error } = props;
  if (error) {
    const words = [error.message, error.fix];
    return <StackError {...props} words={words} action={trans.__('Retry')} />;
  }
  switch (status?.state) {
    case 'failed':
      return (
        <StackError
          {...props}
          words={[trans.__('Not ready:'), status.step]}
          action={trans.__('Retry')}
        />
      );
    case 'stopped':
      return (
        <StackError
          {...props}
          words={[trans.__('The local stack is stopped.')]}
          action={trans.__('Start')}
        />
      );
    case 'starting':
      return (
        <div
          className="jp-Satflow-banner"
          role="status"
          data-testid="satflow-stack-starting"
        >
          <span className="jp-Satflow-spinner" aria-hidden="true" />
          <span>
            {trans.__(
              'Getting ready: %1…',
              status.step ?? trans.__('local stack')
            )}
          </span>
        </div>
      );
    default:
      return null;
  }
}

function StackError(
  props: IStackBannerProps & { words: (string | null)[]; action: string }
): JSX.Element {
  const { words, action, onRetry } = props;
  return (
    <div
      className="jp-Satflow-banner jp-mod-error"
      role="alert"
      data-testid="satflow-stack-failed"
    >
      <span>{words.filter(Boolean).join(' ')}</span>
      <Button className="jp-mod-styled jp-Satflow-button" onClick={onRetry}>
        {action}
      </Button>
    </div>
  );
}
