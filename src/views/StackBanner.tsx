import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import React from 'react';

import type { ErrorBody, StackStatus } from '../_api';

export interface IStackBannerProps {
  status: StackStatus | null;
  error: ErrorBody | null;
  onRetry: () => void;
  trans: TranslationBundle;
}

/** What keeps runs from going anywhere yet; nothing once the stack is ready. */
export function StackBanner(props: IStackBannerProps): JSX.Element | null {
  const { status, error, trans } = props;
  if (error) {
    return <Failed {...props} words={[error.message, error.fix]} />;
  }
  switch (status?.state) {
    case 'failed':
      return (
        <Failed {...props} words={[trans.__('Not ready:'), status.step]} />
      );
    case 'starting':
      return (
        <div
          className="jp-Satflow-banner"
          role="status"
          data-testid="satflow-stack-starting"
        >
          <span className="jp-Satflow-spinner" aria-hidden="true" />
          {trans.__(
            'Getting ready: %1…',
            status.step ?? trans.__('local stack')
          )}
        </div>
      );
    default:
      return null;
  }
}

function Failed(
  props: IStackBannerProps & { words: (string | null)[] }
): JSX.Element {
  const { words, onRetry, trans } = props;
  return (
    <div
      className="jp-Satflow-banner jp-mod-error"
      role="alert"
      data-testid="satflow-stack-failed"
    >
      <span>{words.filter(Boolean).join(' ')}</span>
      <Button className="jp-mod-styled jp-Satflow-button" onClick={onRetry}>
        {trans.__('Retry')}
      </Button>
    </div>
  );
}
