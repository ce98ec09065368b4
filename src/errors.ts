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

/** Return the error in a reply, or an error of ours if another server replied. */
export function parseErrorReply(status: number, text: string): ErrorBody {
  const body = parseErrorBody(text);
  if (body) {
    return body;
  }
  if (status === 404) {
    return {
      error: SERVER_MISSING,
      message: 'The SatFlow server extension is not enabled.',
      fix: 'jupyter server extension enable satflow_ext',
      field: null
    };
  }
  const message = `The Jupyter server answered with status ${status}.`;
  return { error: 'UnexpectedReply', message, fix: null, field: null };
}

function parseErrorBody(text: string): ErrorBody | null {
  try {
    const body = JSON.parse(text) as Partial<ErrorBody> | null;
    return typeof body?.error === 'string' && typeof body.message === 'string'
      ? {
          error: body.error,
          message: body.message,
          fix: body.fix ?? null,
          field: body.field ?? null
        }
      : null;
  } catch {
    return null;
  }
}
