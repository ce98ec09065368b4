import { Dialog, InputDialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import type { Deployment, ErrorBody, JsonObject, LiveFlow, Run } from '../_api';
import { toErrorBody, errorBelow } from '../errors';
import {
  asObject,
  changedParameters,
  toFormData,
  type IParameterForm,
  createParameterForm
} from '../models/parameterSchema';
import { TranslationProvider } from '../views/translation';

/** Ask the user whether to cancel the run. */
export function confirmCancel(
  run: Run,
  trans: TranslationBundle
): Promise<boolean> {
  return showConfirmation(
    trans.__('Cancel run?'),
    trans.__('%1 is stopped. Its log is kept.', run.name),
    trans.__('Cancel run'),
    trans.__('Keep running')
  );
}

/** Ask the user whether to delete the deployment. */
export function confirmDelete(
  deployment: Deployment,
  trans: TranslationBundle
): Promise<boolean> {
  return showConfirmation(
    trans.__('Delete deployment?'),
    trans.__(
      '%1 and its schedule are deleted. The flow stays in the notebook, and past runs stay in the list.',
      deployment.name
    ),
    trans.__('Delete'),
    trans.__('Keep')
  );
}

/** Ask the user whether to roll back to an earlier version. */
export function confirmRollBack(
  name: string,
  version: number,
  trans: TranslationBundle
): Promise<boolean> {
  return showConfirmation(
    trans.__('Roll back to version %1?', version),
    trans.__(
      'A new version of %1 is created from the code and choices of version %2, and the next runs use it. No version is lost, and active runs are not affected.',
      name,
      version
    ),
    trans.__('Roll back'),
    trans.__('Keep')
  );
}

/** Ask the user whether to close a cluster that runs may be using. */
export function confirmCloseCluster(
  name: string,
  trans: TranslationBundle
): Promise<boolean> {
  return showConfirmation(
    trans.__('Close cluster?'),
    trans.__('Runs of %1 that use it will fail.', name),
    trans.__('Close cluster'),
    trans.__('Keep')
  );
}

/** Ask the user whether to restart such a cluster. */
export function confirmRestartCluster(
  name: string,
  trans: TranslationBundle
): Promise<boolean> {
  return showConfirmation(
    trans.__('Restart cluster?'),
    trans.__('Runs of %1 that use it will fail.', name),
    trans.__('Restart cluster'),
    trans.__('Keep')
  );
}

/** Ask for the number of Dask workers of a cluster. Return the typed text, or null if the user cancels. */
export async function askClusterSize(
  name: string,
  workers: number,
  trans: TranslationBundle
): Promise<string | null> {
  const result = await InputDialog.getText({
    title: trans.__('Dask workers of %1', name),
    label: trans.__(
      'A number such as 4, or a range that follows the load: 1-8'
    ),
    text: `${workers}`
  });
  return result.button.accept ? result.value : null;
}

async function showConfirmation(
  title: string,
  body: string,
  yes: string,
  no: string
): Promise<boolean> {
  const buttons = [
    Dialog.cancelButton({ label: no }),
    Dialog.warnButton({ label: yes })
  ];
  const result = await showDialog({ title, body, buttons });
  return result.button.accept;
}

/** Let the user pick a flow; return null if there is none or none was picked. */
export async function pickFlow(
  flows: LiveFlow[],
  trans: TranslationBundle
): Promise<LiveFlow | null> {
  if (flows.length < 2) {
    return flows[0] ?? null;
  }
  const result = await InputDialog.getItem({
    title: trans.__('Which flow?'),
    items: flows.map(flow => flow.variable)
  });
  return flows.find(flow => flow.variable === result.value) ?? null;
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
  const { RunParameters } = await import('../views/RunParameters');
  return { default: RunParameters };
});
