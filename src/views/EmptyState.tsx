import { Button } from '@jupyterlab/ui-components';
import React from 'react';

export interface IEmptyStateProps {
  /** What there is none of, and why. */
  message: string;
  /** A command or code to show as it is typed. */
  code?: string;
  /** The one thing to do about it. */
  action?: { label: string; run: () => void };
  testId: string;
}

/** In place of a list: why it is empty, and what to do about it. */
export function EmptyState(props: IEmptyStateProps): JSX.Element {
  const { message, code, action, testId } = props;
  return (
    <div className="jp-Satflow-empty" data-testid={testId}>
      <p>{message}</p>
      {code && <pre className="jp-Satflow-code">{code}</pre>}
      {action && (
        <Button
          className="jp-mod-styled jp-Satflow-button"
          onClick={action.run}
        >
          {action.label}
        </Button>
      )}
    </div>
  );
}
