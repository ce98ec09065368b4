import { Button } from '@jupyterlab/ui-components';
import React, { useEffect, useState } from 'react';

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
          action={trans._p('verb', 'Start')}
        />
      );
    case 'starting':
      return <StackStarting step={status.step} />;
    default:
      return null;
  }
}

/** The current step of the start, with the time since it began and what to expect. */
function StackStarting({ step }: { step: string | null }): JSX.Element {
  const trans = useTrans();
  const [begun] = useState(() => Date.now());
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(
      () => setSeconds(Math.round((Date.now() - begun) / 1000)),
      1000
    );
    return () => clearInterval(timer);
  }, [begun]);
  return (
    <div className="jp-Satflow-banner" data-testid="satflow-stack-starting">
      <span className="jp-Satflow-spinner" aria-hidden="true" />
      <span role="status">
        {trans.__('Getting ready: %1…', step ?? trans.__('local stack'))}
      </span>
      <span data-testid="satflow-stack-elapsed">
        {trans.__('%1 s', seconds)}
      </span>
      <span className="jp-Satflow-hint">
        {trans.__(
          'Usually 5 to 15 seconds, longer at the first start. You can fill in the form meanwhile.'
        )}
      </span>
    </div>
  );
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
