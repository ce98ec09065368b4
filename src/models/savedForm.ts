import type { JsonObject } from '../_api';
import type { IDraft } from './draft';
import { publicInfrastructure } from './infrastructure';
import { asObject, sameJson } from './parameterSchema';
import { publicFlow, publicValues } from './privacy';
import type { RegisterModel } from './register';
import type { Intent, ISubject } from './subject';

/** A form as it is kept for the next load of the page, without defaults, docstrings and whatever looks like a secret. */
export interface ISavedForm {
  subject: ISubject;
  intent: Intent;
  draft: IDraft;
}

/** What to keep of a form. */
export function savedForm(model: RegisterModel): ISavedForm {
  const { subject, intent, draft } = model;
  const { parameter_schema } = subject.flow;
  const options = Object.entries(draft.options).map(([name, values]) => [
    name,
    publicValues({}, values)
  ]);
  return {
    subject: { ...subject, flow: publicFlow(subject.flow) },
    intent,
    draft: {
      ...draft,
      options: Object.fromEntries(options) as IDraft['options'],
      infrastructure: publicInfrastructure(draft.infrastructure),
      parameters: publicValues(
        parameter_schema,
        chosen(model.form.schema, draft.parameters)
      )
    }
  };
}

/** Whether something that was kept is a form that this version can open. */
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

/** The values that differ from their defaults: the form library fills those in by itself. */
function chosen(schema: JsonObject, values: JsonObject): JsonObject {
  const properties = asObject(schema.properties ?? {});
  const differ = Object.entries(values).filter(([name, value]) => {
    const preset = asObject(properties[name] ?? {}).default;
    return value !== undefined && !sameJson(value, preset ?? null);
  });
  return Object.fromEntries(differ);
}
