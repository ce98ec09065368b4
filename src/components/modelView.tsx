import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import React from 'react';

import type { IObservable } from './observable';
import { TranslationProvider } from './translation';

/** A view that is redrawn when one of its models changes. */
export class ModelView extends ReactWidget {
  /**
   * @param trans - the translations for its views
   * @param models - the models of the view
   * @param draw - renders the view
   * @param onFirstShown - called once, when the view is first visible
   */
  constructor(
    private readonly trans: TranslationBundle,
    models: IObservable[],
    private readonly draw: () => JSX.Element | null,
    private readonly onFirstShown: () => void = () => undefined
  ) {
    super();
    this.addClass('jp-Satflow');
    this.node.tabIndex = -1;
    models.forEach(model => model.changed.connect(this.update, this));
  }

  protected render(): JSX.Element {
    return (
      <TranslationProvider value={this.trans}>
        {this.draw()}
      </TranslationProvider>
    );
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.handleFirstShown();
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    if (this.isVisible) {
      this.handleFirstShown();
    }
  }

  /** Focus the view when it is activated, unless the focus is already inside it. */
  protected onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    if (!this.node.contains(document.activeElement)) {
      this.node.focus({ preventScroll: true });
    }
  }

  private handleFirstShown(): void {
    if (!this.wasShown) {
      this.wasShown = true;
      this.onFirstShown();
    }
  }

  private wasShown = false;
}
