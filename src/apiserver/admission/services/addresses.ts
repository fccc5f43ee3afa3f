// Gives a Service the cluster addresses that it needs and has not: those that it asks for, or any. Follows
// pkg/registry/core/service/storage/alloc.go, allocClusterIPs and updateClusterIPs.
import {
  alreadyExists,
  conflict,
  internal,
  invalid,
  invalidValue,
  OBJECT_WAS_MODIFIED,
  type StatusError,
} from '../../../api/errors.ts';
import type { IPAddress, ServiceSpec } from '../../../api/generated/types.ts';
import type { Stored } from '../../../api/objects.ts';
import { isHeadless } from '../../../api/resources/services/addresses.ts';
import { needsClusterIP } from '../../../api/resources/services/needs.ts';
import type { AdmissionContext, AdmissionRequest } from '../admission.ts';
import { type AddressPool, ALLOCATED } from './address-pool.ts';
import { isSettled } from './ip-families.ts';

/** For which of its families, by their place in the list, a Service is to be given an address now. */
function missingAddresses(spec: ServiceSpec, old: ServiceSpec | undefined): number[] {
  const families = spec.ipFamilies ?? [];
  if (!needsClusterIP(spec) || isHeadless(spec) || isSettled(spec, old)) return [];
  if (!old || !needsClusterIP(old)) return families.map((_, index) => index);
  // Other changes of its addresses, validation refuses.
  const isSecond = !isHeadless(old) && old.ipFamilies?.length === 1 && families.length === 2;
  return isSecond ? [1] : [];
}

/**
 * The spec with its addresses. What was taken for it is given back if it is not written.
 * @throws StatusError Invalid for an address that it asks for and cannot have, InternalError if none is left.
 */
export async function withAddresses(
  spec: ServiceSpec,
  old: ServiceSpec | undefined,
  request: AdmissionRequest,
  context: AdmissionContext,
  pool: AddressPool,
): Promise<ServiceSpec> {
  const missing = missingAddresses(spec, old);
  if (missing.length === 0) return spec;
  const clusterIPs = [...(spec.clusterIPs ?? [])];
  for (const index of missing) clusterIPs[index] ??= '';
  const keep = (taken: Stored<IPAddress>): void =>
    context.afterwards((written) => (written ? undefined : pool.release(taken)));
  for (const index of missing) {
    const asked = clusterIPs[index];
    if (asked) await require(asked);
    else clusterIPs[index] = await any(spec.ipFamilies?.[index] === 'IPv6' ? 'IPv6' : 'IPv4');
  }
  return { ...spec, clusterIP: clusterIPs[0] ?? '', clusterIPs };

  async function require(address: string): Promise<void> {
    const why = await pool.refusal(address);
    if (why !== undefined) throw refused(address, why);
    if (request.dryRun) {
      if (await pool.find(address)) throw refused(address, ALLOCATED);
      return;
    }
    const taken = await pool.take(address, request.key);
    if (taken) return keep(taken);
    if (await pool.findOf(address, request.key)) await requireOnlyWrite(request, context);
    throw refused(address, ALLOCATED);
  }

  async function any(family: 'IPv4' | 'IPv6'): Promise<string> {
    const { key, dryRun } = request;
    if (dryRun) {
      const shown = await pool.anyOf(family);
      if (shown !== undefined) return shown;
    } else {
      const taken = await pool.takeAny(family, key);
      if (taken) {
        keep(taken);
        return taken.metadata.name;
      }
    }
    throw internal(`failed to allocate a serviceIP for Service "${key.name}": range is full`);
  }

  function refused(address: string, why: string): StatusError {
    const error = invalidValue('spec.clusterIPs', clusterIPs, `failed to allocate IP ${address}: ${why}`);
    return invalid(request.resource, request.key.name, [error]);
  }
}

/**
 * For a write to which something is refused that is its own Service's: then it is not the only write of it.
 * @throws StatusError AlreadyExists if the Service that is to be made is there, Conflict if it is one that changes.
 */
export async function requireOnlyWrite(
  { resource, key, operation }: AdmissionRequest,
  context: AdmissionContext,
): Promise<void> {
  if (operation === 'UPDATE') throw conflict(resource, key.name, OBJECT_WAS_MODIFIED);
  if (await context.find('', 'services', key)) throw alreadyExists(resource, key.name);
}
