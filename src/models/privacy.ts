import type { JsonObject, JsonValue, LiveFlow } from '../_api';
import { asObject } from './parameterSchema';

/** Names of values that nobody should find in what a browser tab leaves behind. */
const SECRET =
  /pass(word|wd|phrase)?$|secret|token|credential|api_?key|private_?key|auth/i;

/** What the text of a flow could give away, and what says nothing about its type. */
const PRIVATE = ['default', 'description', 'examples'];

/** Keywords whose values map names to schemas: a parameter may well be called `default`. */
const NAMED = ['properties', '$defs', 'definitions'];

/** The flow without its defaults and descriptions; no fingerprint says that it is the kernel's, which has them. */
export function publicFlow(flow: LiveFlow): LiveFlow {
  return {
    ...flow,
    doc: '',
    fingerprint: '',
    parameters: flow.parameters.map(one => ({ ...one, default: null })),
    parameter_schema: asObject(withoutPrivate(flow.parameter_schema))
  };
}

/** The values that are not secret, by name or by type, nor hold something that is. */
export function publicValues(schema: JsonObject, data: JsonObject): JsonObject {
  const properties = asObject(schema.properties ?? {});
  const kept = Object.entries(data).filter(([name, value]) => {
    const type = properties[name] ?? {};
    return !isSecret(name, value) && !wantsSecret(type, schema, []);
  });
  return Object.fromEntries(kept);
}

/** Whether a value is one, or has one inside, that is called like a secret. */
function isSecret(name: string, value: JsonValue | undefined): boolean {
  if (SECRET.test(name)) {
    return true;
  }
  if (typeof value === 'string') {
    // Lists and objects may be asked for as text.
    const inner = parsed(value);
    return typeof inner === 'object' && isSecret('', inner);
  }
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.entries(value).some(([key, one]) => isSecret(key, one))
  );
}

/** Whether a schema asks for a secret somewhere: Pydantic writes a SecretStr as a write-only password. */
function wantsSecret(
  value: JsonValue,
  root: JsonObject,
  seen: string[]
): boolean {
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  const { writeOnly, format, $ref } = asObject(value);
  if (writeOnly === true || format === 'password') {
    return true;
  }
  if (typeof $ref === 'string' && !seen.includes($ref)) {
    const steps = $ref.split('/').slice(1);
    const named = steps.reduce((at, step) => asObject(at[step] ?? {}), root);
    return wantsSecret(named, root, [...seen, $ref]);
  }
  return Object.entries(value).some(
    ([key, one]) => SECRET.test(key) || wantsSecret(one, root, seen)
  );
}

function withoutPrivate(value: JsonValue): JsonValue {
  if (Array.isArray(value)) {
    return value.map(withoutPrivate);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const kept = Object.entries(value).filter(([key]) => !PRIVATE.includes(key));
  return Object.fromEntries(
    kept.map(([key, one]) => [
      key,
      NAMED.includes(key) ? each(one) : withoutPrivate(one)
    ])
  );
}

function each(named: JsonValue): JsonValue {
  return Object.fromEntries(
    Object.entries(asObject(named)).map(([name, one]) => [
      name,
      withoutPrivate(one)
    ])
  );
}

function parsed(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return null;
  }
}
