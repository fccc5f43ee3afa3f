// Who writes, as metadata.managedFields names them. Requests over HTTP say so themselves (fieldManager, or the
// User-Agent); those from within this process are known by their user.
import type { ApiRequest } from '../request.ts';
import type { Writer } from './managed-fields.ts';

/** @param nowMs server time. */
export function writerOf({ options, user, subresource }: ApiRequest, nowMs: number): Writer {
  const manager = options.fieldManager ?? user.name.slice(user.name.lastIndexOf(':') + 1);
  return { manager, nowMs, subresource };
}
