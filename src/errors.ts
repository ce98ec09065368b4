import type { ErrorBody } from './_api';

/** Names in `ErrorBody.error` that come from the browser's own side, beside those of satflow_ext/errors.py. */
export const SERVER_MISSING = 'ServerExtensionMissing';
export const SERVER_UNREACHABLE = 'ServerUnreachable';
export const BROKEN_OFF = 'BrokenOff';

/** A request that was refused or got no answer, with what the user can do about it. */
export class RequestFailed extends Error {
  constructor(readonly body: ErrorBody) {
    super(body.message);
    this.name = body.error;
  }
}

/** What went wrong, whatever was thrown. */
export function errorBody(reason: unknown): ErrorBody {
  if (reason instanceof RequestFailed) {
    return reason.body;
  }
  const message = reason instanceof Error ? reason.message : String(reason);
  return { error: 'Unexpected', message, fix: null, field: null };
}

/** The mistake as it is seen from a field: `field` is the path below it, null for all of it; null for mistakes elsewhere. */
export function errorUnder(
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
