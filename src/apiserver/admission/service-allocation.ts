// Gives Services their cluster addresses and node ports, each to one Service only. What is taken is read from the
// Services there are, so nothing has to be repaired; what is given out and not yet written is held meanwhile. Follows
// pkg/registry/core/service/storage/alloc.go.
import { internal, invalid, invalidValue } from '../../api/errors.ts';
import type { Service } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { type AddressRange, formatAddress, isUsable, parseAddress, parseRange } from './address-range.ts';
import { type AdmissionContext, type AdmissionPlugin, type AdmissionRequest, objectOf } from './admission.ts';

const NODE_PORTS = { first: 30_000, last: 32_767 };
/** Random tries before the range is searched from one end to the other. */
const RANDOM_TRIES = 16;

/** Addresses and ports of writes that have not ended. */
interface Held {
  addresses: Set<number>;
  ports: Set<number>;
}

/** @param cidr the range of cluster addresses; its first (10.96.0.1) is for the API server's own Service. */
export function serviceAllocation(cidr: string): AdmissionPlugin {
  const range = parseRange(cidr);
  const held: Held = { addresses: new Set(), ports: new Set() };
  return {
    name: 'ServiceAllocation',
    async admit(request, context) {
      const service = objectOf<Service>(request, '', 'Service');
      if (!service?.spec || request.operation === 'DELETE') return;
      keepGiven(service, request.old as Stored<Service> | undefined);
      const others = ((await context.list('', 'services')) as Stored<Service>[]).filter(
        ({ metadata }) => metadata.namespace !== request.key.namespace || metadata.name !== request.key.name,
      );
      // No await from here on: two writes cannot choose the same.
      giveAddress(request, service, range, others, held, context);
      givePorts(request, service, others, held, context);
    },
  };
}

/** An update that leaves out what was given keeps it (patchAllocatedValues). */
function keepGiven({ spec }: Service, old: Stored<Service> | undefined): void {
  if (!old) return;
  if (hasAddress(spec) && hasAddress(old.spec) && !spec.clusterIP && old.spec.clusterIP) {
    spec.clusterIP = old.spec.clusterIP;
    if (!spec.clusterIPs?.length && old.spec.clusterIPs) spec.clusterIPs = [...old.spec.clusterIPs];
    spec.ipFamilies ??= old.spec.ipFamilies;
    spec.ipFamilyPolicy ??= old.spec.ipFamilyPolicy;
  }
  if (!hasNodePorts(spec) || !hasNodePorts(old.spec)) return;
  for (const port of spec.ports ?? []) {
    const before = old.spec.ports?.find((it) => it.port === port.port && it.protocol === port.protocol);
    if (!port.nodePort && before?.nodePort) port.nodePort = before.nodePort;
  }
}

const hasAddress = (spec: Service['spec']): boolean => spec.type !== 'ExternalName';
const hasNodePorts = (spec: Service['spec']): boolean =>
  spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);

function giveAddress(
  request: AdmissionRequest,
  { spec }: Service,
  range: AddressRange,
  others: readonly Stored<Service>[],
  held: Held,
  context: AdmissionContext,
): void {
  if (!hasAddress(spec)) {
    delete spec.clusterIP;
    delete spec.clusterIPs;
    delete spec.ipFamilies;
    delete spec.ipFamilyPolicy;
    return;
  }
  spec.ipFamilyPolicy ??= 'SingleStack';
  spec.ipFamilies ??= ['IPv4'];
  spec.clusterIP ||= spec.clusterIPs?.[0] ?? '';
  if (spec.clusterIP !== 'None') {
    const taken = new Set(held.addresses);
    for (const other of others) {
      const address = parseAddress(other.spec.clusterIP ?? '');
      if (address !== undefined) taken.add(address);
    }
    const address = spec.clusterIP
      ? requireAddress(request, spec.clusterIP, range, taken)
      : freeAddress(request, range, taken, context);
    held.addresses.add(address);
    context.afterwards(() => held.addresses.delete(address));
    spec.clusterIP = formatAddress(address);
  }
  spec.clusterIPs = [spec.clusterIP];
}

function requireAddress(
  request: AdmissionRequest,
  text: string,
  range: AddressRange,
  taken: ReadonlySet<number>,
): number {
  const address = parseAddress(text);
  const why =
    address === undefined
      ? 'must be empty, "None", or a valid IP address'
      : !isUsable(range, address)
        ? `failed to allocate IP ${text}: the provided IP (${text}) is not in the valid range. The range of valid IPs is ${range.cidr}`
        : taken.has(address)
          ? `failed to allocate IP ${text}: provided IP is already allocated`
          : '';
  if (address === undefined || why) {
    throw invalid(request.resource, request.key.name, [invalidValue('spec.clusterIPs', [text], why)]);
  }
  return address;
}

function freeAddress(
  { resource, key }: AdmissionRequest,
  range: AddressRange,
  taken: ReadonlySet<number>,
  context: AdmissionContext,
): number {
  // The first address is the API server's own Service, which asks for it by name.
  const first = range.base + 2;
  const count = range.size - 3;
  const found = pick(first, count, taken, context);
  if (found === undefined) {
    throw internal(
      `failed to allocate a serviceIP for ${resource.plural} "${key.name}": range is full (${range.cidr})`,
    );
  }
  return found;
}

function givePorts(
  request: AdmissionRequest,
  { spec }: Service,
  others: readonly Stored<Service>[],
  held: Held,
  context: AdmissionContext,
): void {
  if (!hasNodePorts(spec)) return;
  const taken = new Set(held.ports);
  for (const other of others) {
    for (const { nodePort } of other.spec.ports ?? []) if (nodePort) taken.add(nodePort);
  }
  const given = new Set<number>();
  spec.ports?.forEach((port, index) => {
    if (port.nodePort) requirePort(request, port.nodePort, index, taken);
    else port.nodePort = freePort(new Set([...taken, ...given]), context);
    given.add(port.nodePort);
  });
  for (const port of given) held.ports.add(port);
  context.afterwards(() => {
    for (const port of given) held.ports.delete(port);
  });
}

function requirePort(
  request: AdmissionRequest,
  port: number,
  index: number,
  taken: ReadonlySet<number>,
): void {
  const { first, last } = NODE_PORTS;
  const why = taken.has(port)
    ? 'provided port is already allocated'
    : port < first || port > last
      ? `provided port is not in the valid range. The range of valid ports is ${first}-${last}`
      : '';
  if (!why) return;
  const error = invalidValue(`spec.ports[${index}].nodePort`, port, why);
  throw invalid(request.resource, request.key.name, [error]);
}

function freePort(taken: ReadonlySet<number>, context: AdmissionContext): number {
  const found = pick(NODE_PORTS.first, NODE_PORTS.last - NODE_PORTS.first + 1, taken, context);
  if (found === undefined) throw internal('failed to allocate a nodePort: range is full');
  return found;
}

/** A free number out of `count` from `first` on: a few random tries, then the lowest that is free. */
function pick(
  first: number,
  count: number,
  taken: ReadonlySet<number>,
  { random }: AdmissionContext,
): number | undefined {
  for (let i = 0; i < RANDOM_TRIES; i++) {
    const candidate = first + Math.floor(random.next() * count);
    if (!taken.has(candidate)) return candidate;
  }
  for (let candidate = first; candidate < first + count; candidate++) {
    if (!taken.has(candidate)) return candidate;
  }
  return undefined;
}
