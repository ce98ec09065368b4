import type { JsonObject, JsonValue } from '../_api';
import { asObject } from './parameterSchema';

/**
 * The field of a form that a mistake stands in.
 *
 * @param schema - what the form was drawn from
 * @param path - names and positions, from the schema down; may lead into a value that one field asks for as a whole
 * @returns the part of `path` that has a field of its own
 */
export function fieldPath(schema: JsonObject, path: string[]): string[] {
  const found: string[] = [];
  let here = schema;
  for (const part of path) {
    const next = member(resolved(here, schema), part);
    if (next === undefined) {
      break;
    }
    found.push(part);
    here = asObject(next);
  }
  return found;
}

function member(schema: JsonObject, part: string): JsonValue | undefined {
  if (schema.type === 'array') {
    return /^\d+$/.test(part) ? schema.items : undefined;
  }
  const properties = asObject(schema.properties ?? {});
  return Object.hasOwn(properties, part) ? properties[part] : undefined;
}

/** Pydantic refers to its models as `#/$defs/Name` or `#/definitions/Name`. */
function resolved(schema: JsonObject, root: JsonObject): JsonObject {
  if (typeof schema.$ref !== 'string') {
    return schema;
  }
  const steps = schema.$ref.split('/').slice(1);
  return steps.reduce((here, step) => asObject(here[step] ?? {}), root);
}
