// Which families of addresses a Service has, and whether it may: what it says of ipFamilyPolicy, ipFamilies and
// clusterIPs, completed by what the server has. Pure. Follows pkg/registry/core/service/storage/alloc.go,
// initIPFamilyFields.
import { type FieldError, invalidValue } from '../../../api/errors.ts';
import type { Service, ServiceSpec } from '../../../api/generated/types.ts';
import { validateClusterIPs } from '../../../api/resources/services/addresses.ts';
import { needsClusterIP } from '../../../api/resources/services/needs.ts';
import { type IpFamily, parseIp } from '../../../base/ip.ts';
import { sameJson } from '../../../base/same-json.ts';

const POLICY = 'spec.ipFamilyPolicy';

/** A spec with its families, or what is wrong with what it says of them. */
export type Families = { spec: ServiceSpec; errors?: undefined } | { errors: readonly FieldError[] };

/**
 * @param families that the server has ranges of, the default one first.
 * @param old the spec before; undefined for a new Service.
 */
export function withFamilies(
  spec: ServiceSpec,
  old: ServiceSpec | undefined,
  families: readonly IpFamily[],
): Families {
  if (!needsClusterIP(spec) || isSettled(spec, old)) return { spec };
  let next: ServiceSpec = { ...spec, ipFamilyPolicy: spec.ipFamilyPolicy ?? defaultPolicy(spec, old) };
  const bad = validateClusterIPs(next);
  if (bad.length > 0) return { errors: bad };
  const errors: FieldError[] = [];
  if (old) {
    errors.push(...reductions(next, old));
    next = downgraded(next, old);
  }
  errors.push(...singleStackErrors(next));
  const inferred = inferFamilies(next, families);
  errors.push(...inferred.errors);
  if (errors.length > 0) return { errors };
  next = { ...next, ipFamilies: inferred.families };
  if (isWithoutEndpoints(next)) return { spec: { ...next, ipFamilies: completed(next, families[0], true) } };
  const refused = unservedFamilies(next, families);
  if (refused.length > 0) return { errors: refused };
  return { spec: { ...next, ipFamilies: completed(next, families[0], families.length === 2) } };
}

const isSingle = ({ ipFamilyPolicy }: ServiceSpec): boolean => ipFamilyPolicy === 'SingleStack';
const sameAddresses = (spec: ServiceSpec, old: ServiceSpec): boolean =>
  sameJson(spec.clusterIPs ?? [], old.clusterIPs ?? []);
const sameFamilies = (spec: ServiceSpec, old: ServiceSpec): boolean =>
  sameJson(spec.ipFamilies ?? [], old.ipFamilies ?? []);

/** Headless, and whoever writes its endpoints decides of which families they are. */
const isWithoutEndpoints = ({ clusterIP, selector }: ServiceSpec): boolean =>
  clusterIP === 'None' && Object.keys(selector ?? {}).length === 0;

/** A Service that prefers two families keeps what it has, whatever the server has now (isMatchingPreferDualStack…). */
export function isSettled(spec: ServiceSpec, old: ServiceSpec | undefined): boolean {
  return (
    old !== undefined &&
    old.type === spec.type &&
    spec.ipFamilyPolicy === 'PreferDualStack' &&
    (old.ipFamilyPolicy ?? 'PreferDualStack') === 'PreferDualStack' &&
    sameAddresses(spec, old) &&
    sameFamilies(spec, old)
  );
}

function defaultPolicy(spec: ServiceSpec, old: ServiceSpec | undefined): string {
  if (old?.ipFamilyPolicy !== undefined) return old.ipFamilyPolicy;
  return isWithoutEndpoints(spec) ? 'RequireDualStack' : 'SingleStack';
}

/** Who takes the second address or family away must say that one is enough. */
function reductions(spec: ServiceSpec, old: ServiceSpec): FieldError[] {
  if (isSingle(spec)) return [];
  const errors: FieldError[] = [];
  const isReduced = (now: readonly string[] = [], before: readonly string[] = []): boolean =>
    now.length > 0 && now.length < before.length;
  const refuse = (what: string): void => {
    errors.push(
      invalidValue(POLICY, spec.ipFamilyPolicy, `must be 'SingleStack' to release the secondary ${what}`),
    );
  };
  if (isReduced(spec.clusterIPs, old.clusterIPs)) refuse('cluster IP');
  if (isReduced(spec.ipFamilies, old.ipFamilies)) refuse('IP family');
  return errors;
}

/** To say that one is enough, and nothing of the rest, is clear. */
function downgraded(spec: ServiceSpec, old: ServiceSpec): ServiceSpec {
  if (!isSingle(spec)) return spec;
  const next = { ...spec };
  if (sameAddresses(spec, old) && next.clusterIPs) next.clusterIPs = next.clusterIPs.slice(0, 1);
  if (sameFamilies(spec, old) && next.ipFamilies) next.ipFamilies = next.ipFamilies.slice(0, 1);
  return next;
}

function singleStackErrors(spec: ServiceSpec): FieldError[] {
  if (!isSingle(spec)) return [];
  const errors: FieldError[] = [];
  const refuse = (what: string): void => {
    const why = `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`;
    errors.push(invalidValue(POLICY, spec.ipFamilyPolicy, why));
  };
  if (spec.clusterIPs?.length === 2) refuse('cluster IPs');
  if (spec.ipFamilies?.length === 2) refuse('IP families');
  return errors;
}

/** An address that is asked for says which family is meant. */
function inferFamilies(
  { clusterIPs = [], ipFamilies = [] }: ServiceSpec,
  served: readonly IpFamily[],
): { families: string[]; errors: FieldError[] } {
  const families = [...ipFamilies];
  const errors: FieldError[] = [];
  for (const [index, address] of clusterIPs.entries()) {
    const family = parseIp(address)?.family;
    if (!family || index < families.length) continue;
    if (served.includes(family)) families.push(family);
    else {
      const why = `${family} is not configured on this cluster`;
      errors.push(invalidValue(`spec.clusterIPs[${index}]`, clusterIPs, why));
    }
  }
  return { families, errors };
}

function unservedFamilies(
  { ipFamilyPolicy, ipFamilies = [] }: ServiceSpec,
  served: readonly string[],
): FieldError[] {
  const errors: FieldError[] = [];
  if (ipFamilyPolicy === 'RequireDualStack' && served.length < 2) {
    errors.push(
      invalidValue(POLICY, ipFamilyPolicy, 'this cluster is not configured for dual-stack services'),
    );
  }
  for (const [index, family] of ipFamilies.entries()) {
    if (served.includes(family)) continue;
    errors.push(invalidValue(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster'));
  }
  return errors;
}

/** The families with the default one if there is none, and with the other one if two are wanted and there can be two. */
function completed(spec: Service['spec'], first: IpFamily | undefined, hasBoth: boolean): string[] {
  const families = spec.ipFamilies?.length ? spec.ipFamilies : [first ?? 'IPv4'];
  if (families.length > 1 || isSingle(spec) || !hasBoth) return families;
  return [...families, families[0] === 'IPv4' ? 'IPv6' : 'IPv4'];
}
