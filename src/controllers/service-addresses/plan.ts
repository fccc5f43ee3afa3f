// Whether each Service has the IPAddress of each of its addresses, and each IPAddress the Service that it names: what is
// wrong, what is said of it and what is done. Pure. Follows pkg/registry/core/service/ipallocator/controller/repairip.go.
import type { IPAddress, Service } from '../../api/generated/types.ts';
import { keyOf, nameOf, type ObjectKey, type Stored } from '../../api/objects.ts';
import { clusterIPsOf, holdsAddress, isServiceAddress, serviceOf } from '../../api/service-addresses.ts';
import { type IpRange, parseIp } from '../../base/ip.ts';

/** What is said of a Service or an IPAddress. */
interface Said {
  reason: string;
  message: string;
}

/** What is to be done about one address of a Service. */
export type ServiceAddressPlan =
  | { type: 'nothing' }
  /** Nothing can be done about it here. */
  | ({ type: 'complain' } & Said)
  /** Its IPAddress is made. */
  | ({ type: 'create' } & Said)
  /** Its IPAddress is made anew. */
  | ({ type: 'replace' } & Partial<Said>);

/** What a plan looks at. */
export interface AddressView {
  ranges: readonly IpRange[];
  address(name: string): Stored<IPAddress> | undefined;
  service(key: ObjectKey): Stored<Service> | undefined;
}

/** @param name one of the Service's cluster addresses. */
export function planServiceAddress(
  service: Stored<Service>,
  name: string,
  { ranges, address, service: find }: AddressView,
): ServiceAddressPlan {
  const ip = parseIp(name);
  if (!ip) {
    const message = `Cluster IP ${name} is not a valid IP; please recreate Service`;
    return { type: 'complain', reason: 'ClusterIPNotValid', message };
  }
  const what = `Cluster IP [${ip.family}]: ${name}`;
  if (!ranges.some((range) => holdsAddress(range, ip))) {
    const message = `${what} is not within any configured Service CIDR; please recreate service`;
    return { type: 'complain', reason: 'ClusterIPOutOfRange', message };
  }
  const reason = 'ClusterIPNotAllocated';
  const found = address(name);
  if (!found) return { type: 'create', reason, message: `${what} is not allocated; repairing` };
  const owner = serviceOf(found);
  const wrong: ServiceAddressPlan = {
    type: 'replace',
    reason,
    message: `the ClusterIP [${ip.family}]: ${name} for Service ${keyOf(service)} has a wrong reference; repairing`,
  };
  if (!owner) return wrong;
  if (nameOf(owner) !== keyOf(service)) {
    const other = find(owner);
    // Of two that have it, neither may take it from the other again and again.
    if (!other || !clusterIPsOf(other.spec).includes(name)) return wrong;
    const message = `Cluster IP [${ip.family}]:${name} was assigned to multiple services; please recreate service`;
    return { type: 'complain', reason: 'ClusterIPAlreadyAllocated', message };
  }
  return isServiceAddress(found) ? { type: 'nothing' } : { type: 'replace' };
}

/** What is to be done about an IPAddress. */
export type AddressPlan =
  | { type: 'nothing' }
  /** Perhaps its Service is about to be written. */
  | { type: 'wait'; ms: number }
  | ({ type: 'delete' } & Said);

/** As long as a request may last, ms: so long a Service may come after its address. */
const REQUEST_MS = 60_000;
/** So long, ms, a write that has failed may take to give its address back. */
const REVERT_MS = 5_000;

/** @param find the Service of a key, as it is known. */
export function planAddress(
  object: Stored<IPAddress>,
  find: AddressView['service'],
  nowMs: number,
): AddressPlan {
  if (!isServiceAddress(object)) return { type: 'nothing' };
  const { name, creationTimestamp } = object.metadata;
  const owner = serviceOf(object);
  if (!owner) {
    const parent = JSON.stringify(object.spec.parentRef);
    const message = `IPAddress ${name} appears to have been modified, not referencing a Service ${parent}: cleaning up`;
    return { type: 'delete', reason: 'IPAddressNotAllocated', message };
  }
  const service = find(owner);
  const ageMs = nowMs - Date.parse(creationTimestamp);
  const subject = `IPAddress: ${name} for Service ${nameOf(owner)}`;
  if (!service) {
    if (ageMs <= REQUEST_MS) return { type: 'wait', ms: REQUEST_MS - ageMs + 1 };
    const message = `${subject} appears to have leaked: cleaning up`;
    return { type: 'delete', reason: 'IPAddressNotAllocated', message };
  }
  if (clusterIPsOf(service.spec).includes(name)) return { type: 'nothing' };
  // It may be about to become one with an address, or to get a second one; or to be refused.
  const patienceMs = service.spec.type === 'ExternalName' ? REQUEST_MS : REVERT_MS;
  if (ageMs < patienceMs) return { type: 'wait', ms: patienceMs - ageMs };
  const message = `${subject} has a wrong reference; cleaning up`;
  return { type: 'delete', reason: 'IPAddressWrongReference', message };
}
