// The resourceVersion parameter of reads. Follows apiserver pkg/storage (APIObjectVersioner.ParseResourceVersion).
import { badRequest, type FieldError, invalidValue } from '../../api/errors.ts';
import type { Registry } from '../registry.ts';

const MAX_UINT64 = 2n ** 64n - 1n;

/** What is wrong with a resourceVersion, in Go's words; undefined for a good one, and for none. */
export function revisionError(resourceVersion: string | undefined): FieldError | undefined {
  if (!resourceVersion) return undefined;
  const number = /^\d+$/.test(resourceVersion);
  if (number && (resourceVersion.length < 16 || BigInt(resourceVersion) <= MAX_UINT64)) return undefined;
  const why = number ? 'value out of range' : 'invalid syntax';
  return invalidValue(
    'resourceVersion',
    resourceVersion,
    `strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: ${why}`,
  );
}

/** A resourceVersion as a revision; undefined when none was given. Throws BadRequest. */
export function parseRevision(resourceVersion: string | undefined): number | undefined {
  const wrong = revisionError(resourceVersion);
  if (wrong) throw badRequest(`invalid resource version: ${wrong.field}: ${wrong.body}`);
  return resourceVersion ? Number(resourceVersion) : undefined;
}

/** The same for a read that must not be older, when it is not. Throws Timeout when there is no such version yet. */
export async function reachedRevision(
  registry: Registry,
  resourceVersion: string | undefined,
): Promise<number | undefined> {
  const revision = parseRevision(resourceVersion);
  // Not the number: past 2^53 it would be another one, and the client is told which it asked for.
  if (resourceVersion && revision !== undefined) await registry.requireRevision(BigInt(resourceVersion));
  return revision;
}
