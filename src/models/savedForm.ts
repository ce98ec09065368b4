import type { JsonObject } from '../_api';
import type { IDraft } from './draft';
import { withoutSecrets } from './infrastructure';
import { asObject, isSameJson } from './parameterSchema';
import { publicFlow, publicValues } from './privacy';
import type { RegisterModel } from './register';
import type { Intent, IFlowSource } from './flowSource';

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

/** Return the values that differ from their defaults, which the form library fills in by itself. */
function nonDefaultValues(schema: JsonObject, values: JsonObject): JsonObject {
  const properties = asObject(schema.properties ?? {});
  const differ = Object.entries(values).filter(([name, value]) => {
    const preset = asObject(properties[name] ?? {}).default;
    return value !== undefined && !isSameJson(value, preset ?? null);
  });
  return Object.fromEntries(differ);
}
