import type { JsonObject, JsonValue } from '../_api';
import { RequestFailed } from '../errors';

/** Marks a JSON field that takes text as well. */
const OR_TEXT = 'JSON or text';

/** Significant digits that a number keeps. */
const DIGITS = 15;

/** What a form needs to ask for parameters. `jsonFields` are asked for as JSON text. */
export interface IParameterForm {
  schema: JsonObject;
  jsonFields: readonly string[];
}

/**
 * A form for a schema as Pydantic writes it, in the words that the form library knows.
 *
 * `anyOf` with null becomes an optional field, a single `allOf` its member, `prefixItems` a tuple; what has no type of its
 * own, or any shape at all, is asked for as JSON. A date and time is typed: the browser's input for it turns one without a time
 * zone into another one with UTC.
 */
export function parameterForm(schema: JsonObject): IParameterForm {
  const simple = asObject(simplified(schema));
  const fields = Object.entries(asObject(simple.properties ?? {}));
  fields.sort(([, a], [, b]) => position(a) - position(b));
  const jsonFields = fields
    .filter(([, one]) => isFree(one))
    .map(([key]) => key);
  const properties = Object.fromEntries(
    fields.map(([key, one]) => [
      key,
      jsonFields.includes(key) ? asText(asObject(one)) : one
    ])
  );
  return { schema: { ...simple, title: '', properties }, jsonFields };
}

/**
 * The parameters that differ from what they are when nobody says anything.
 *
 * @param form - what they were asked with
 * @param data - what was answered
 * @param base - what is set already, in place of the defaults
 * @throws RequestFailed where a JSON field holds no JSON; `field` names it.
 */
export function chosenParameters(
  form: IParameterForm,
  data: JsonObject,
  base: JsonObject = {}
): JsonObject {
  const preset = { ...presets(form), ...base };
  const chosen = Object.entries(data).flatMap(([key, value]) => {
    const said = value === undefined ? undefined : valueOf(form, key, value);
    const isSame = said === undefined || sameJson(said, preset[key] ?? null);
    return isSame ? [] : [[key, said] as const];
  });
  return Object.fromEntries(chosen);
}

/** The defaults as values. */
function presets(form: IParameterForm): JsonObject {
  const properties = asObject(form.schema.properties ?? {});
  const given = Object.entries(properties).flatMap(([key, one]) => {
    const preset = asObject(one).default;
    return preset === undefined ? [] : [[key, valueOf(form, key, preset)]];
  });
  return Object.fromEntries(given) as JsonObject;
}

function valueOf(form: IParameterForm, key: string, value: JsonValue) {
  const isText = form.jsonFields.includes(key) && typeof value === 'string';
  if (!isText) {
    return value;
  }
  const field = asObject(asObject(form.schema.properties ?? {})[key]);
  return parsedField(key, value, field.$comment === OR_TEXT);
}

/** The parameters that a run needs and that have no value, in the form's order. */
export function missingParameters(
  form: IParameterForm,
  data: JsonObject
): string[] {
  const { required } = form.schema;
  const names = Array.isArray(required) ? (required as string[]) : [];
  const fields = Object.keys(asObject(form.schema.properties ?? {}));
  return fields.filter(
    name => names.includes(name) && data[name] === undefined
  );
}

/**
 * Refuse a run that has no value for a parameter.
 *
 * @throws RequestFailed where one is missing; `field` names it.
 */
export function refuseMissing(form: IParameterForm, data: JsonObject): void {
  const [name] = missingParameters(form, data);
  if (name !== undefined) {
    throw new RequestFailed({
      error: 'InvalidParameter',
      message: `A run needs a value for ${name}.`,
      fix: 'Fill it in, or register without running.',
      field: `parameters.${name}`
    });
  }
}

/** Values to start a form with: those given, where a JSON field wants text. */
export function formData(form: IParameterForm, values: JsonObject): JsonObject {
  const entries = Object.entries(values).map(([key, value]) => [
    key,
    form.jsonFields.includes(key) ? JSON.stringify(value, null, 2) : value
  ]);
  return Object.fromEntries(entries) as JsonObject;
}

/** The same where a JSON field may hold what was typed, which stays as it is. */
export function jsonTexts(
  form: IParameterForm,
  values: JsonObject
): JsonObject {
  const isTyped = ([key, value]: [string, JsonValue]) =>
    form.jsonFields.includes(key) && typeof value === 'string';
  const typed = Object.entries(values).filter(isTyped);
  return { ...formData(form, values), ...Object.fromEntries(typed) };
}

/** Whether two JSON values say the same. */
export function sameJson(a: JsonValue, b: JsonValue): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The value as an object, or an empty one. */
export function asObject(value: JsonValue): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? value
    : {};
}

function simplified(value: JsonValue): JsonValue {
  if (Array.isArray(value)) {
    return value.map(simplified);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const inner = Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      key === 'default' ? one : simplified(one)
    ])
  );
  return typedTime(tuple(onlyMember(withoutNull(inner))));
}

function typedTime(schema: JsonObject): JsonObject {
  if (schema.type !== 'string' || schema.format !== 'date-time') {
    return schema;
  }
  const { format: _, ...rest } = schema;
  return rest;
}

function withoutNull(schema: JsonObject): JsonObject {
  if (!Array.isArray(schema.anyOf)) {
    return schema;
  }
  const { anyOf, ...rest } = schema;
  const members = (anyOf as JsonValue[]).filter(
    one => asObject(one).type !== 'null'
  );
  if (members.length !== 1) {
    return { ...rest, anyOf: members };
  }
  const merged: JsonObject = { ...asObject(members[0]), ...rest };
  if (merged.default === null) {
    delete merged.default;
  }
  return merged;
}

function onlyMember(schema: JsonObject): JsonObject {
  if (!Array.isArray(schema.allOf) || schema.allOf.length !== 1) {
    return schema;
  }
  const { allOf, ...rest } = schema;
  return { ...asObject((allOf as JsonValue[])[0]), ...rest };
}

function tuple(schema: JsonObject): JsonObject {
  if (!Array.isArray(schema.prefixItems)) {
    return schema;
  }
  const { prefixItems, ...rest } = schema;
  return { ...rest, items: prefixItems, additionalItems: false };
}

/** A schema that says too little to draw a field for. */
function isFree(value: JsonValue): boolean {
  const schema = asObject(value);
  if (schema.$ref !== undefined || schema.enum !== undefined) {
    return false;
  }
  switch (schema.type) {
    case 'object':
      return schema.properties === undefined;
    case 'array':
      return Array.isArray(schema.items) || isFree(schema.items ?? {});
    default:
      return schema.type === undefined;
  }
}

function asText(schema: JsonObject): JsonObject {
  const { title, description, position: place } = schema;
  const preset = schema.default;
  const text: JsonObject = { type: 'string', title: title ?? '' };
  const choices = Array.isArray(schema.anyOf) ? schema.anyOf : [];
  if (choices.some(one => asObject(one as JsonValue).type === 'string')) {
    text.$comment = OR_TEXT;
  }
  if (typeof description === 'string') {
    text.description = description;
  }
  if (place !== undefined) {
    text.position = place;
  }
  if (preset !== undefined) {
    text.default = JSON.stringify(preset);
  }
  return text;
}

function position(value: JsonValue): number {
  const place = asObject(value).position;
  return typeof place === 'number' ? place : Number.MAX_SAFE_INTEGER;
}

/** The JSON that was typed; the text itself where that is taken as well, and is no JSON or a number of more digits. */
function parsedField(key: string, text: string, orText: boolean): JsonValue {
  try {
    const value = JSON.parse(text) as JsonValue;
    return orText && losesDigits(value, text) ? text.trim() : value;
  } catch {
    if (orText) {
      return text;
    }
    throw new RequestFailed({
      error: 'InvalidParameter',
      message: `${key} is not JSON.`,
      fix: 'Write for example [1, 2], {"a": 1} or "text".',
      field: `parameters.${key}`
    });
  }
}

function losesDigits(value: JsonValue, text: string): boolean {
  const digits = text.replace(/e.*$/i, '').replace(/\D/g, '');
  return typeof value === 'number' && digits.replace(/^0+/, '').length > DIGITS;
}
