import type { ErrorBody } from './_api';

/** Values of `ErrorBody.error` that the browser sets, in addition to those of satflow_ext/errors.py. */
export const SERVER_MISSING = 'ServerExtensionMissing';
export const SERVER_UNREACHABLE = 'ServerUnreachable';
export const LOG_INCOMPLETE = 'BrokenOff';

/** The error of a request that was refused or got no answer, with a suggested fix. */
export class RequestFailed extends Error {
  constructor(readonly body: ErrorBody) {
    super(body.message);
    this.name = body.error;
  }
}

/** Convert any thrown value to an error body. */
export function toErrorBody(reason: unknown): ErrorBody {
  if (reason instanceof RequestFailed) {
    return reason.body;
  }
  const message = reason instanceof Error ? reason.message : String(reason);
  return { error: 'Unexpected', message, fix: null, field: null };
}

/**
 * Return an error as seen from a field, or null if it concerns another field. `field` becomes the path below that
 * field, or null for the whole field.
 */
export function errorBelow(
  error: ErrorBody | null,
  field: string
): ErrorBody | null {
  if (error?.field === field) {
    return { ...error, field: null };
  }
  return error?.field?.startsWith(`${field}.`)
    ? { ...error, field: error.field.slice(field.length + 1) }
    : null;
}
