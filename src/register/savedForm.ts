import type { JsonObject } from '../_api';
import { asObject, isSameJson } from '../components/parameterSchema';
import type { IDraft } from './draft';
import type { IFlowSource, Intent } from './flowSource';
import { withoutSecrets } from './infrastructure';
import { publicFlow, publicValues } from './privacy';
import type { RegisterModel } from './register';

const PREFIX = 'satflow-ext:left-form:';

/** A form saved for the next page load, without defaults, docstrings and values that look like secrets. */
export interface ISavedForm {
  subject: IFlowSource;
  intent: Intent;
  draft: IDraft;
}

/** Return the part of a form to save. */
export function saveForm(model: RegisterModel): ISavedForm {
  const { source, intent, draft } = model;
  const { parameter_schema } = source.flow;
  const options = Object.entries(draft.options).map(([name, values]) => [
    name,
    publicValues({}, values)
  ]);
  return {
    subject: { ...source, flow: publicFlow(source.flow) },
    intent,
    draft: {
      ...draft,
      options: Object.fromEntries(options) as IDraft['options'],
      infrastructure: withoutSecrets(draft.infrastructure),
      schedules: draft.schedules.map(schedule => ({
        ...schedule,
        parameters: publicValues(parameter_schema, schedule.parameters)
      })),
      parameters: publicValues(
        parameter_schema,
        nonDefaultValues(model.form.schema, draft.parameters)
      )
    }
  };
}

/** Return whether a saved value is a form that this version can open. */
export function isSavedForm(value: unknown): value is ISavedForm {
  const { subject, draft } = Object(value) as Partial<ISavedForm>;
  return (
    typeof subject?.kernelId === 'string' &&
    typeof subject.flow?.variable === 'string' &&
    Array.isArray(subject.flow.parameters) &&
    typeof subject.flow.parameter_schema === 'object' &&
    typeof draft?.parameters === 'object'
  );
}

/**
 * Save a form for the next page load at once, because JupyterLab saves the state of its tabs a second later.
 *
 * @param id - the id of the form's tab
 * @param form - the form without values that look like secrets, as JupyterLab saves it
 */
export function saveForReload(id: string, form: ISavedForm): void {
  try {
    sessionStorage.setItem(PREFIX + id, JSON.stringify(form));
  } catch (reason) {
    // The storage is full or not available: only the state that JupyterLab saved remains.
    console.error('The last changes of a form were not saved.', reason);
  }
}

/** Return and remove the form that an earlier page saved in this browser tab; null if there is none. */
export function takeSavedForm(id: string): ISavedForm | null {
  const text = sessionStorage.getItem(PREFIX + id);
  sessionStorage.removeItem(PREFIX + id);
  const form: unknown = text === null ? null : JSON.parse(text);
  return isSavedForm(form) ? form : null;
}

/** Return the values that differ from their defaults, which the form library fills in by itself. */
function nonDefaultValues(schema: JsonObject, values: JsonObject): JsonObject {
  const properties = asObject(schema.properties ?? {});
  const differ = Object.entries(values).filter(([name, value]) => {
    const preset = asObject(properties[name] ?? {}).default;
    return value !== undefined && !isSameJson(value, preset ?? null);
  });
  return Object.fromEntries(differ);
}
