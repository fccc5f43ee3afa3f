// Who writes, as metadata.managedFields names them.
//
// Requests over HTTP say so themselves (fieldManager, or the User-Agent), and are recorded from the first write on. The
// system's own requests, from within this process and from nodes, are recorded on objects that others have written, and not on those
// that it alone has made (the pods of a set, leases, slices): recording them made every such write half as long again
// and a pod in memory nearly half as large. What such an object has is recorded as a whole when somebody else first
// writes it.
import type { KubeObject } from '../../api/objects.ts';
import type { ApiRequest } from '../request.ts';
import type { Writer } from './managed-fields.ts';
import type { VersionNames } from './version-names.ts';

/**
 * The writer to record; undefined when nothing is.
 * @param live the object as stored; undefined when it is created.
 * @param nowMs server time.
 * @param versions of the kind, if there are several.
 */
export function writerOf(
  { options, user, subresource }: ApiRequest,
  live: KubeObject | undefined,
  nowMs: number,
  versions?: VersionNames,
): Writer | undefined {
  if (options.fieldManager === undefined && !live?.metadata.managedFields?.length) return undefined;
  const manager = options.fieldManager ?? user.name.slice(user.name.lastIndexOf(':') + 1);
  return { manager, nowMs, subresource, versions };
}
