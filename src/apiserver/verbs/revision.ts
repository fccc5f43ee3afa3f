// The resourceVersion parameter of reads.
import { badRequest } from '../../api/errors.ts';

/** A resourceVersion as a revision; undefined when none was given. Throws BadRequest. */
export function parseRevision(resourceVersion: string | undefined): number | undefined {
  if (resourceVersion === undefined || resourceVersion === '') return undefined;
  if (!/^\d+$/.test(resourceVersion)) {
    throw badRequest(
      `resourceVersion: Invalid value: ${JSON.stringify(resourceVersion)}: invalid resource version`,
    );
  }
  return Number(resourceVersion);
}
