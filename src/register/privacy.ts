import type { JsonObject, JsonValue, LiveFlow } from '../_api';
import { asObject } from '../components/parameterSchema';

/** Names of values that must not be stored in the browser. */
const SECRET_NAME =
  /pass(word|wd|phrase)?$|secret|token|credential|api_?key|private_?key|auth/i;

/** Schema keywords that may contain private text and do not affect the type. */
const PRIVATE_KEYWORDS = ['default', 'description', 'examples'];

/** Keywords whose values map names to schemas, because a parameter can have the name `default`. */
const SCHEMA_MAPS = ['properties', '$defs', 'definitions'];

/** Return the flow without defaults and descriptions. Its fingerprint is empty, because it is not the flow in the kernel. */
export function publicFlow(flow: LiveFlow): LiveFlow {
  return {
    ...flow,
    doc: '',
    fingerprint: '',
    parameters: flow.parameters.map(one => ({ ...one, default: null })),
    parameter_schema: asObject(removePrivate(flow.parameter_schema))
  };
}

/** Return the values that are not secret, by name or by type, and do not contain a secret. */
export function publicValues(schema: JsonObject, data: JsonObject): JsonObject {
  const properties = asObject(schema.properties ?? {});
  const kept = Object.entries(data).filter(([name, value]) => {
    const type = properties[name] ?? {};
    return !isSecret(name, value) && !hasSecretField(type, schema, []);
  });
  return Object.fromEntries(kept);
}

/** Return whether a value, or a value inside it, has a name that looks like a secret. */
function isSecret(name: string, value: JsonValue | undefined): boolean {
  if (SECRET_NAME.test(name)) {
    return true;
  }
  if (typeof value === 'string') {
    // Lists and objects may be edited as text.
    const inner = parseJson(value);
    return typeof inner === 'object' && isSecret('', inner);
  }
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.entries(value).some(([key, one]) => isSecret(key, one))
  );
}

/** Return whether a schema contains a secret field; Pydantic describes a SecretStr as a write-only password. */
function hasSecretField(
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
    return hasSecretField(named, root, [...seen, $ref]);
  }
  return Object.entries(value).some(
    ([key, one]) => SECRET_NAME.test(key) || hasSecretField(one, root, seen)
  );
}

function removePrivate(value: JsonValue): JsonValue {
  if (Array.isArray(value)) {
    return value.map(removePrivate);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const kept = Object.entries(value).filter(
    ([key]) => !PRIVATE_KEYWORDS.includes(key)
  );
  return Object.fromEntries(
    kept.map(([key, one]) => [
      key,
      SCHEMA_MAPS.includes(key)
        ? removePrivateFromEach(one)
        : removePrivate(one)
    ])
  );
}

function removePrivateFromEach(named: JsonValue): JsonValue {
  return Object.fromEntries(
    Object.entries(asObject(named)).map(([name, one]) => [
      name,
      removePrivate(one)
    ])
  );
}

function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return null;
  }
}
