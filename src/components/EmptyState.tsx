import { Button } from '@jupyterlab/ui-components';
import React from 'react';

export interface IEmptyStateProps {
  /** Text about what is missing and why. */
  message: string;
  /** A command or code to show. */
  code?: string;
  /** The action that resolves it. */
  action?: { label: string; run: () => void };
  testId: string;
}

/** Placeholder for an empty list, with the reason and the next step. */
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
