import React from 'react';

import { toErrorBody } from '../errors';
import { ErrorNote } from './ErrorNote';

export interface IExtensionProps {
  /** Renders the content; it may use hooks. */
  render: () => JSX.Element | null;
}

interface IExtensionState {
  error: unknown;
}

/** Content that another extension may have added; if it fails to render, the error is shown in its place. */
export class Extension extends React.Component<
  IExtensionProps,
  IExtensionState
> {
  static getDerivedStateFromError(error: unknown): IExtensionState {
    return { error };
  }

  state: IExtensionState = { error: null };

  render(): JSX.Element {
    const { error } = this.state;
    return error ? (
      <ErrorNote error={toErrorBody(error)} />
    ) : (
      <Content {...this.props} />
    );
  }
}

function Content({ render }: IExtensionProps): JSX.Element | null {
  return render();
}
