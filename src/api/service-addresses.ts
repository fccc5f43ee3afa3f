// What API server and controllers agree on about the addresses of Services: the objects that stand for ranges and for
// addresses, what they are called, and which address of a range can be somebody's (pkg/api/servicecidr, pkg/registry/
// core/service/ipallocator). Who gets which address is decided elsewhere.
import { formatIp, type Ip, type IpRange, includesIp, parseIp, parseIpRange } from '../base/ip.ts';
import { conditionOf } from './conditions.ts';
import type { IPAddress, ServiceCIDR, ServiceSpec } from './generated/types.ts';
import { isTerminating, type ObjectKey } from './objects.ts';

/** The ServiceCIDR of the ranges that the server was started with. */
export const DEFAULT_SERVICE_CIDR = 'kubernetes';
const FAMILY_LABEL = 'ipaddress.kubernetes.io/ip-family';
const MANAGED_BY_LABEL = 'ipaddress.kubernetes.io/managed-by';
/** Who makes IPAddresses for Services: the value of that label. */
const SERVICE_ALLOCATOR = 'ipallocator.k8s.io';

/** The cluster addresses of a Service, canonical as their objects' names are, however they are written. */
export function clusterIPsOf({ type, clusterIP, clusterIPs }: ServiceSpec): string[] {
  if (type === 'ExternalName') return [];
  const all = clusterIPs?.length ? clusterIPs : [clusterIP ?? ''];
  return all.flatMap((address) => {
    if (!address || address === 'None') return [];
    const ip = parseIp(address);
    return ip ? formatIp(ip) : address;
  });
}

/** The ranges of a ServiceCIDR. */
export const rangesOf = ({ spec }: ServiceCIDR): IpRange[] =>
  (spec?.cidrs ?? []).flatMap((cidr) => parseIpRange(cidr) ?? []);

/** Whether new addresses may be taken from it: nobody has said that it is not ready, and it is not going. */
export const givesAddresses = (object: ServiceCIDR): boolean =>
  !isTerminating(object) && (conditionOf(object, 'Ready')?.status ?? 'True') === 'True';

/** The first address of a range that can be somebody's: never the network's own. */
export const firstAddress = ({ first }: IpRange): bigint => first + 1n;
/** The last one: in IPv4, never that of everybody. */
export const lastAddress = ({ family, last }: IpRange): bigint => (family === 'IPv4' ? last - 1n : last);

/** Whether an address of a range can be somebody's (PrefixContainsIP). */
export const holdsAddress = (range: IpRange, ip: Ip): boolean =>
  includesIp(range, ip) && ip.value >= firstAddress(range) && ip.value <= lastAddress(range);

/** The object that stands for an address of a Service (newIPAddress). @param name the address, canonical. */
export function serviceAddress(name: string, { namespace = '', name: service }: ObjectKey): IPAddress {
  return {
    metadata: {
      name,
      labels: {
        [FAMILY_LABEL]: parseIp(name)?.family ?? '',
        [MANAGED_BY_LABEL]: SERVICE_ALLOCATOR,
      },
    },
    spec: { parentRef: { resource: 'services', namespace, name: service } },
  };
}

/** The Service that an address is of; undefined for what is somebody else's. */
export function serviceOf({ spec }: IPAddress): ObjectKey | undefined {
  const { group, resource, namespace, name } = spec?.parentRef ?? {};
  return !group && resource === 'services' && name ? { namespace, name } : undefined;
}

/** Whether an address was made for a Service, and says so as it should (verifyIPAddressLabels). */
export const isServiceAddress = ({ metadata: { name = '', labels } }: IPAddress): boolean =>
  labels?.[MANAGED_BY_LABEL] === SERVICE_ALLOCATOR && labels[FAMILY_LABEL] === parseIp(name)?.family;
