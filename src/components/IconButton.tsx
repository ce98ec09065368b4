import { Button, type LabIcon } from '@jupyterlab/ui-components';
import React from 'react';

export interface IIconButtonProps {
  icon: LabIcon;
  /** The action, shown as tooltip and used as accessible name. */
  label: string;
  onClick: () => void;
  pressed?: boolean;
  disabled?: boolean;
  testId?: string;
}

/** A small button with only an icon. */
export function IconButton(props: IIconButtonProps): JSX.Element {
  const { icon, label, onClick, pressed, disabled, testId } = props;
  return (
    <Button
      minimal
      small
      type="button"
      className={`jp-Satflow-iconButton${pressed ? ' jp-mod-pressed' : ''}`}
      title={label}
      aria-label={label}
      aria-pressed={pressed}
      disabled={disabled}
      onClick={onClick}
      data-testid={testId}
    >
      <icon.react tag="span" elementPosition="center" width="14px" />
    </Button>
  );
}
