// The ServiceCIDR of the ranges that the server was started with: made if it is missing, widened when the server has got
// a second family; another one is left as it is, and said. Pure. Follows pkg/controlplane/controller/defaultservicecidr.
import type { ServiceCIDR } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { DEFAULT_SERVICE_CIDR } from '../../api/service-addresses.ts';
import { sameJson } from '../../base/same-json.ts';

export type DefaultRangePlan =
  | { type: 'nothing' }
  | { type: 'create'; object: ServiceCIDR }
  | { type: 'widen'; object: Stored<ServiceCIDR> }
  | { type: 'complain'; message: string };

/** @param configured the server's ranges, canonical, the default family first. */
export function planDefaultRange(
  found: Stored<ServiceCIDR> | undefined,
  configured: readonly string[],
): DefaultRangePlan {
  const cidrs = [...configured];
  if (!found) {
    return { type: 'create', object: { metadata: { name: DEFAULT_SERVICE_CIDR }, spec: { cidrs } } };
  }
  const { cidrs: there = [] } = found.spec;
  if (sameJson(there, cidrs)) return { type: 'nothing' };
  if (there.length === 1 && cidrs.length === 2 && there[0] === cidrs[0]) {
    return { type: 'widen', object: { ...found, spec: { ...found.spec, cidrs } } };
  }
  const message = `The default ServiceCIDR [${there.join(' ')}] does not match the controller flag configurations [${cidrs.join(' ')}]`;
  return { type: 'complain', message };
}
