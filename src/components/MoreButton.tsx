import { Button } from '@jupyterlab/ui-components';
import React from 'react';

/** The button at the end of a list of which more can be shown. */
export function MoreButton(props: {
  label: string;
  onClick: () => void;
  testId: string;
}): JSX.Element {
  return (
    <Button
      minimal
      className="jp-Satflow-more"
      onClick={props.onClick}
      data-testid={props.testId}
    >
      {props.label}
    </Button>
  );
}
