import { Dialog, InputDialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import type { Deployment, JsonObject, LiveFlow, Run } from '../_api';
import {
  chosenParameters,
  formData,
  type IParameterForm,
  parameterForm
} from '../models/parameterSchema';

/** Whether the user means to cancel the run. */
export function confirmCancel(
  run: Run,
  trans: TranslationBundle
): Promise<boolean> {
  return confirmed(
    trans.__('Cancel run?'),
    trans.__('%1 stops where it is. Its log stays.', run.name),
    trans.__('Cancel run'),
    trans.__('Keep running')
  );
}

/** Whether the user means to delete the deployment. */
export function confirmDelete(
  deployment: Deployment,
  trans: TranslationBundle
): Promise<boolean> {
  return confirmed(
    trans.__('Delete deployment?'),
    trans.__(
      '%1 and its schedule go. The flow stays in the notebook, past runs stay in the list.',
      deployment.name
    ),
    trans.__('Delete'),
    trans.__('Keep')
  );
}

async function confirmed(
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

/** The flow that the user picks, null for none. */
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

/**
 * The parameters for one run, null when the user thinks better of it.
 *
 * @param deployment - what is to run
 * @param start - the parameters to begin with
 */
export async function askParameters(
  deployment: Deployment,
  start: JsonObject,
  trans: TranslationBundle
): Promise<JsonObject | null> {
  const form = parameterForm(deployment.parameter_schema);
  const properties = form.schema.properties ?? {};
  if (Object.keys(properties).length === 0) {
    return {};
  }
  const result = await showDialog({
    title: trans.__('Run %1', deployment.name),
    body: new ParametersBody(form, formData(form, start)),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: trans.__('Run') })
    ],
    // A form has its own idea of Enter and of where the focus goes first.
    focusNodeSelector: 'input, select, textarea'
  });
  return result.button.accept && result.value
    ? chosenParameters(form, result.value)
    : null;
}

/** The parameters' form in a dialog. */
class ParametersBody
  extends ReactWidget
  implements Dialog.IBodyWidget<JsonObject>
{
  constructor(
    private readonly form: IParameterForm,
    private data: JsonObject
  ) {
    super();
    this.addClass('jp-Satflow-dialog');
  }

  getValue(): JsonObject {
    return this.data;
  }

  protected render(): JSX.Element {
    const { form } = this;
    return (
      <React.Suspense fallback={null}>
        <SchemaForm
          id="satflow-run"
          schema={form.schema}
          jsonFields={form.jsonFields}
          data={this.data}
          onChange={data => {
            this.data = data;
            this.update();
          }}
        />
      </React.Suspense>
    );
  }
}

/** The form library is large; nobody pays for it before it is needed. */
const SchemaForm = React.lazy(async () => {
  const { SchemaForm } = await import('../views/SchemaForm');
  return { default: SchemaForm };
});
