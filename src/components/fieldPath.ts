import type { JsonObject, JsonValue } from '../_api';
import { asObject } from './parameterSchema';

/**
 * Return the path of the form field that contains an error.
 *
 * @param schema - the schema of the form
 * @param path - names and positions from the schema down; may lead into a value that the form edits as one field
 * @returns the part of `path` that has its own field
 */
export function findFieldPath(schema: JsonObject, path: string[]): string[] {
  const found: string[] = [];
  let current = schema;
  for (const part of path) {
    const next = memberSchema(current, part, schema);
    if (next === undefined) {
      break;
    }
    found.push(part);
    current = asObject(next);
  }
  return found;
}

/**
 * Return the schema of a name or position. Among alternatives, use the first one that has it, because the form draws
 * its fields.
 */
function memberSchema(
  reference: JsonObject,
  part: string,
  root: JsonObject
): JsonValue | undefined {
  const schema = resolveReference(reference, root);
  const alternatives = [schema.anyOf, schema.oneOf, schema.allOf].flatMap(
    one => (Array.isArray(one) ? one : [])
  );
  const [inner] = alternatives.flatMap(one => {
    const next = memberSchema(asObject(one), part, root);
    return next === undefined ? [] : [next];
  });
  return ownMemberSchema(schema, part) ?? inner;
}

function ownMemberSchema(
  schema: JsonObject,
  part: string
): JsonValue | undefined {
  if (schema.type === 'array') {
    return /^\d+$/.test(part) ? schema.items : undefined;
  }
  const properties = asObject(schema.properties ?? {});
  if (Object.hasOwn(properties, part)) {
    return properties[part];
  }
  const { additionalProperties } = schema;
  return typeof additionalProperties === 'object' && additionalProperties
    ? additionalProperties
    : undefined;
}

/** Resolve a reference to a Pydantic model, written as `#/$defs/Name` or `#/definitions/Name`. */
function resolveReference(schema: JsonObject, root: JsonObject): JsonObject {
  if (typeof schema.$ref !== 'string') {
    return schema;
  }
  const steps = schema.$ref.split('/').slice(1);
  return steps.reduce((current, step) => asObject(current[step] ?? {}), root);
}
