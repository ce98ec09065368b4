import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import type { RunGroup } from '../_api';
import { showConfirmation } from '../components/confirmation';
import { TranslationProvider } from '../components/translation';
import type { RunManyModel } from './runMany';

/** Ask the user whether to cancel all runs of a group. */
export function confirmCancelGroup(
  group: RunGroup,
  trans: TranslationBundle
): Promise<boolean> {
  return showConfirmation(
    trans.__('Cancel all runs?'),
    trans.__(
      'The runs of %1 that have not ended are stopped, and no further ones start. Completed runs are kept.',
      group.name
    ),
    trans.__('Cancel all'),
    trans.__('Keep running')
  );
}

/** Show the form, and again if the server refuses it, until the runs are started or the user cancels. */
export async function askRunMany(
  model: RunManyModel,
  trans: TranslationBundle
): Promise<boolean> {
  for (;;) {
    const result = await showDialog({
      title: trans.__('Run many: %1', model.deployment.name),
      body: new RunManyBody(model, trans),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Cancel') }),
        Dialog.okButton({ label: trans.__('Start runs') })
      ]
    });
    if (!result.button.accept) {
      return false;
    }
    if (await model.start()) {
      return true;
    }
  }
}

/** The form in a dialog. */
class RunManyBody extends ReactWidget {
  constructor(
    private readonly model: RunManyModel,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Satflow-dialog');
    model.changed.connect(this.update, this);
  }

  dispose(): void {
    this.model.changed.disconnect(this.update, this);
    super.dispose();
  }

  protected render(): JSX.Element {
    return (
      <TranslationProvider value={this.trans}>
        <React.Suspense fallback={null}>
          <RunManyForm model={this.model} />
        </React.Suspense>
      </TranslationProvider>
    );
  }
}

/** Loaded on first use, because the form library is large. */
const RunManyForm = React.lazy(async () => {
  const { RunManyForm } = await import('./RunManyForm');
  return { default: RunManyForm };
});
