import {
  Dialog,
  InputDialog,
  Notification,
  showDialog
} from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import type { Deployment, ErrorBody, JsonObject, Run } from '../_api';
import { showConfirmation } from '../components/confirmation';
import {
  asObject,
  changedParameters,
  toFormData,
  type IParameterForm,
  createParameterForm
} from '../components/parameterSchema';
import { TranslationProvider } from '../components/translation';
import { errorBelow, toErrorBody } from '../errors';
import { formatDateTime } from '../format';

/** A run as far as it is named to the user. */
export type NamedRun = Pick<Run, 'id' | 'name'>;

/** Ask the user whether to cancel the run. */
export function confirmCancel(
  run: NamedRun,
  trans: TranslationBundle
): Promise<boolean> {
  return showConfirmation(
    trans.__('Cancel run?'),
    trans.__('%1 is stopped. Its log is kept.', run.name),
    trans.__('Cancel run'),
    trans.__('Keep running')
  );
}

/** Ask the user whether to execute a failed run again. */
export function confirmRetry(
  run: Run,
  trans: TranslationBundle
): Promise<boolean> {
  return showConfirmation(
    trans.__('Retry run?'),
    trans.__(
      '%1 is executed again as the same run, with its parameters and the version that is live now. Tasks that completed are executed again as well, except those whose results Prefect has persisted (persist_result=True).',
      run.name
    ),
    trans.__('Retry'),
    trans.__('Do not retry')
  );
}

/** Let the user pick a deployment; return null if there is none or none was picked. */
export async function pickDeployment(
  deployments: Deployment[],
  trans: TranslationBundle
): Promise<Deployment | null> {
  if (deployments.length < 2) {
    return deployments[0] ?? null;
  }
  const labels = deployments.map(({ name, version }) =>
    trans.__('%1, version %2', name, version)
  );
  const result = await InputDialog.getItem({
    title: trans.__('Run which deployment?'),
    label: trans.__('This notebook registered the flow more than once.'),
    okLabel: trans.__('Run'),
    items: labels
  });
  const picked = result.button.accept ? labels.indexOf(result.value ?? '') : -1;
  return deployments[picked] ?? null;
}

/** Let the user pick the run to compare another one with; return null if there is none or none was picked. */
export async function pickRun(
  run: Run,
  others: readonly Run[],
  trans: TranslationBundle
): Promise<Run | null> {
  if (others.length === 0) {
    Notification.info(
      trans.__('%1 has no other runs yet.', run.deployment_name ?? ''),
      { autoClose: 5000 }
    );
    return null;
  }
  const labels = others.map(
    ({ name, state_name, start }) =>
      `${name}: ${state_name}${start ? `, ${formatDateTime(start)}` : ''}`
  );
  const result = await InputDialog.getItem({
    title: trans.__('Compare %1 with which run?', run.name),
    label: trans.__('The newest other runs of %1.', run.deployment_name ?? ''),
    okLabel: trans.__('Compare'),
    items: labels
  });
  const picked = result.button.accept ? labels.indexOf(result.value ?? '') : -1;
  return others[picked] ?? null;
}

/**
 * Ask for the parameters of one run, and again if one of them is refused, until the user cancels.
 *
 * @param deployment - the deployment to run
 * @param start - the initial parameters
 * @param use - receives the parameters that differ from the deployment's
 */
export async function runWithParameters(
  deployment: Deployment,
  start: JsonObject,
  use: (parameters: JsonObject) => Promise<unknown>,
  trans: TranslationBundle
): Promise<void> {
  const form = createParameterForm(deployment.parameter_schema);
  if (Object.keys(asObject(form.schema.properties ?? {})).length === 0) {
    await use({});
    return;
  }
  let data: JsonObject | null = toFormData(form, start);
  let error: ErrorBody | null = null;
  while (
    (data = await askParameters(deployment, { form, data, error, trans }))
  ) {
    try {
      await use(changedParameters(form, data, deployment.parameters));
      return;
    } catch (reason) {
      error = errorBelow(toErrorBody(reason), 'parameters');
      if (!error) {
        throw reason;
      }
    }
  }
}

/** The content of the dialog for a run's parameters. */
interface IParametersDialog {
  form: IParameterForm;
  data: JsonObject;
  error: ErrorBody | null;
  trans: TranslationBundle;
}

async function askParameters(
  deployment: Deployment,
  shown: IParametersDialog
): Promise<JsonObject | null> {
  const { trans } = shown;
  const result = await showDialog({
    title: trans.__('Run %1', deployment.name),
    body: new ParametersBody(shown),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: trans.__('Run') })
    ]
  });
  return result.button.accept ? result.value : null;
}

/** The form of the parameters in a dialog. */
class ParametersBody
  extends ReactWidget
  implements Dialog.IBodyWidget<JsonObject>
{
  constructor(private readonly shown: IParametersDialog) {
    super();
    this.data = shown.data;
    this.addClass('jp-Satflow-dialog');
  }

  getValue(): JsonObject {
    return this.data;
  }

  protected render(): JSX.Element {
    return (
      <TranslationProvider value={this.shown.trans}>
        <React.Suspense fallback={null}>
          <RunParameters
            form={this.shown.form}
            error={this.shown.error}
            data={this.data}
            onChange={data => {
              this.data = data;
              this.update();
            }}
          />
        </React.Suspense>
      </TranslationProvider>
    );
  }

  private data: JsonObject;
}

/** Loaded on first use, because the form library is large. */
const RunParameters = React.lazy(async () => {
  const { RunParameters } = await import('./RunParameters');
  return { default: RunParameters };
});
