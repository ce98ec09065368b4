import type { JsonObject, JsonValue } from '../_api';
import { RequestFailed } from '../errors';

/** Marks a JSON field that also accepts text. */
const OR_TEXT = 'JSON or text';

/** Number of significant digits that a JavaScript number preserves. */
const MAX_DIGITS = 15;

/** A form for parameters. The fields in `jsonFields` are edited as JSON text. */
export interface IParameterForm {
  schema: JsonObject;
  jsonFields: readonly string[];
}

/**
 * Convert a Pydantic schema to a form that the form library supports.
 *
 * `anyOf` with null becomes an optional field, a single `allOf` becomes its member, and `prefixItems` becomes a
 * tuple. A field without a type, or with any shape, is edited as JSON. A date and time is edited as text, because the
 * browser's input for it converts a time without a time zone to a different time in UTC.
 */
export function createParameterForm(schema: JsonObject): IParameterForm {
  const simple = asObject(simplifySchema(schema));
  const fields = Object.entries(asObject(simple.properties ?? {}));
  fields.sort(([, a], [, b]) => positionOf(a) - positionOf(b));
  const jsonFields = fields
    .filter(([, one]) => isUntyped(one))
    .map(([key]) => key);
  const properties = Object.fromEntries(
    fields.map(([key, one]) => [
      key,
      jsonFields.includes(key) ? toJsonField(asObject(one)) : one
    ])
  );
  return { schema: { ...simple, title: '', properties }, jsonFields };
}

/** Kinds of values with an input of their own in a form of values that replace others; the rest is edited as JSON. */
const SIMPLE_TYPES = ['boolean', 'integer', 'number', 'string'];

/** Return the form of values that replace others: without defaults, and with every field optional. */
export function createOverrideForm(form: IParameterForm): IParameterForm {
  const fields = Object.entries(asObject(form.schema.properties ?? {}));
  const isSimple = (field: JsonObject) =>
    SIMPLE_TYPES.includes(String(field.type)) || field.enum !== undefined;
  const properties = fields.map(([key, one]) => {
    const { default: _, ...field } = asObject(one);
    return [key, isSimple(field) ? field : toJsonField(field)];
  });
  const asJson = fields.filter(([, one]) => !isSimple(asObject(one)));
  return {
    schema: {
      ...form.schema,
      required: [],
      properties: Object.fromEntries(properties) as JsonObject
    },
    jsonFields: [...form.jsonFields, ...asJson.map(([key]) => key)]
  };
}

/**
 * Return the parameters that differ from their defaults.
 *
 * @param form - the form of the parameters
 * @param data - the values of the form
 * @param base - values that replace the defaults
 * @throws RequestFailed if a JSON field does not contain JSON; `field` names it.
 */
export function changedParameters(
  form: IParameterForm,
  data: JsonObject,
  base: JsonObject = {}
): JsonObject {
  const preset = { ...defaultValues(form), ...base };
  const chosen = Object.entries(data).flatMap(([key, value]) => {
    const said = value === undefined ? undefined : fieldValue(form, key, value);
    const isSame = said === undefined || isSameJson(said, preset[key] ?? null);
    return isSame ? [] : [[key, said] as const];
  });
  return Object.fromEntries(chosen);
}

/** Return the default values of a form. */
function defaultValues(form: IParameterForm): JsonObject {
  const properties = asObject(form.schema.properties ?? {});
  const given = Object.entries(properties).flatMap(([key, one]) => {
    const preset = asObject(one).default;
    return preset === undefined ? [] : [[key, fieldValue(form, key, preset)]];
  });
  return Object.fromEntries(given) as JsonObject;
}

function fieldValue(form: IParameterForm, key: string, value: JsonValue) {
  const isText = form.jsonFields.includes(key) && typeof value === 'string';
  if (!isText) {
    return value;
  }
  const field = asObject(asObject(form.schema.properties ?? {})[key]);
  return parseField(key, value, field.$comment === OR_TEXT);
}

/** Return the required parameters that have no value, in the form's order. */
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
 * Refuse a run if a required parameter has no value.
 *
 * @throws RequestFailed if a value is missing; `field` names it.
 */
export function checkRequired(form: IParameterForm, data: JsonObject): void {
  const [name] = missingParameters(form, data);
  if (name !== undefined) {
    throw new RequestFailed({
      error: 'InvalidParameter',
      message: `A run needs a value for ${name}.`,
      fix: 'Enter a value, or register without running.',
      field: `parameters.${name}`
    });
  }
}

/** Convert values to form data: JSON fields get JSON text. */
export function toFormData(
  form: IParameterForm,
  values: JsonObject
): JsonObject {
  const entries = Object.entries(values).map(([key, value]) => [
    key,
    form.jsonFields.includes(key) ? JSON.stringify(value, null, 2) : value
  ]);
  return Object.fromEntries(entries) as JsonObject;
}

/** Convert values to form data, but keep text that the user typed into JSON fields. */
export function toJsonTexts(
  form: IParameterForm,
  values: JsonObject
): JsonObject {
  const isTyped = ([key, value]: [string, JsonValue]) =>
    form.jsonFields.includes(key) && typeof value === 'string';
  const typed = Object.entries(values).filter(isTyped);
  return { ...toFormData(form, values), ...Object.fromEntries(typed) };
}

/** Return whether two JSON values are equal. */
export function isSameJson(a: JsonValue, b: JsonValue): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Return the value as an object, or an empty object. */
export function asObject(value: JsonValue): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? value
    : {};
}

function simplifySchema(value: JsonValue): JsonValue {
  if (Array.isArray(value)) {
    return value.map(simplifySchema);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const inner = Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      key === 'default' ? one : simplifySchema(one)
    ])
  );
  return timeAsText(convertTuple(unwrapAllOf(withoutNull(inner))));
}

function timeAsText(schema: JsonObject): JsonObject {
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

function unwrapAllOf(schema: JsonObject): JsonObject {
  if (!Array.isArray(schema.allOf) || schema.allOf.length !== 1) {
    return schema;
  }
  const { allOf, ...rest } = schema;
  return { ...asObject((allOf as JsonValue[])[0]), ...rest };
}

function convertTuple(schema: JsonObject): JsonObject {
  if (!Array.isArray(schema.prefixItems)) {
    return schema;
  }
  const { prefixItems, ...rest } = schema;
  return { ...rest, items: prefixItems, additionalItems: false };
}

/** Return whether a schema is too general for a form field. */
function isUntyped(value: JsonValue): boolean {
  const schema = asObject(value);
  if (schema.$ref !== undefined || schema.enum !== undefined) {
    return false;
  }
  switch (schema.type) {
    case 'object':
      return schema.properties === undefined;
    case 'array':
      return Array.isArray(schema.items) || isUntyped(schema.items ?? {});
    default:
      return schema.type === undefined;
  }
}

function toJsonField(schema: JsonObject): JsonObject {
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

function positionOf(value: JsonValue): number {
  const place = asObject(value).position;
  return typeof place === 'number' ? place : Number.MAX_SAFE_INTEGER;
}

/**
 * Parse the text of a JSON field. Return the text itself if the field accepts text and it is not JSON, or if it is a
 * number with too many digits.
 */
function parseField(key: string, text: string, orText: boolean): JsonValue {
  try {
    const value = JSON.parse(text) as JsonValue;
    return orText && losesDigits(value, text) ? text.trim() : value;
  } catch {
    if (orText) {
      return text;
    }
    throw new RequestFailed({
      error: 'InvalidParameter',
      message: `The value of ${key} is not JSON.`,
      fix: 'Enter JSON, for example [1, 2], {"a": 1} or "text".',
      field: `parameters.${key}`
    });
  }
}

function losesDigits(value: JsonValue, text: string): boolean {
  const digits = text.replace(/e.*$/i, '').replace(/\D/g, '');
  return (
    typeof value === 'number' && digits.replace(/^0+/, '').length > MAX_DIGITS
  );
}
