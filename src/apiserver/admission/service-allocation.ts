// Gives Services their cluster addresses and node ports, each to one Service only: each is reserved before the Service is
// written, and given back when it has gone. What was given before there were reservations is read from the Services
// there are, so nothing has to be repaired. Follows pkg/registry/core/service/storage/alloc.go.
import { alreadyExists, internal, invalid, invalidValue } from '../../api/errors.ts';
import type { Service, ServiceSpec } from '../../api/generated/types.ts';
import { isTerminating, nameOf, parseKey, type Stored } from '../../api/objects.ts';
import { formatIPv4, type IPv4Range, parseIPv4, parseIPv4Range } from '../../base/ipv4.ts';
import { present } from '../../base/present.ts';
import { sameJson } from '../../base/same-json.ts';
import {
  type AdmissionContext,
  type AdmissionPlugin,
  type AdmissionRequest,
  type DeletionRequest,
  objectOf,
} from './admission.ts';
import { Reservations } from './reservations.ts';

const NODE_PORTS = { first: 30_000, last: 32_767 };
/** Random tries before the range is searched from one end to the other. */
const RANDOM_TRIES = 16;

/**
 * @param cidr the range of cluster addresses; its first (10.96.0.1) is for the API server's own Service.
 * @throws Error for anything but an IPv4 network of 4 addresses or more.
 */
export function serviceAllocation(cidr: string): AdmissionPlugin {
  const range = parseIPv4Range(cidr);
  if (!range || range.last - range.first < 3) {
    throw new Error(`"${cidr}" is not a usable IPv4 range for Services; give one such as 10.96.0.0/16`);
  }
  return {
    name: 'ServiceAllocation',
    async admit(request, context) {
      const service = objectOf<Service>(request, '', 'Service');
      if (!service) return request.object;
      // The resource decides the type.
      const old = request.old as Stored<Service> | undefined;
      const [addresses, ports] = await allocationsFor(request, context, old);
      // Of its own, to be filled in.
      const copies = service.spec?.ports?.map((port) => ({ ...port }));
      const spec = service.spec && present<ServiceSpec>({ ...service.spec, ports: copies });
      if (spec) {
        keepGiven(spec, old);
        await giveAddress(addresses, spec, range);
        await givePorts(ports, spec);
      }
      const given = sameJson(spec, service.spec) ? service : { ...service, spec };
      const isLeaving = old && isTerminating(old) && !service.metadata.finalizers?.length;
      for (const allocation of [addresses, ports])
        await giveBack(allocation, isLeaving ? [] : allocation.has(given));
      return given;
    },
    async admitDeletion(request, context) {
      const { resource, old } = request;
      if (resource.group !== '' || resource.kind !== 'Service') return;
      // The resource decides the type.
      const allocations = await allocationsFor(request, context, old as Stored<Service>);
      for (const allocation of allocations) await giveBack(allocation, []);
    },
  };
}

/** One sort of thing, for one write of a Service: an address or a port is a number here, and a word in its reservation. */
interface Allocation {
  request: AdmissionRequest | DeletionRequest;
  context: AdmissionContext;
  reservations: Reservations;
  /** What a Service has of it. */
  has(service: Service): string[];
  /** What the Service has already. */
  own: readonly string[];
  /** What other Services have. */
  taken: Set<string>;
}

/** @returns the one of addresses, and the one of node ports. */
async function allocationsFor(
  request: Allocation['request'],
  context: AdmissionContext,
  old: Stored<Service> | undefined,
): Promise<[addresses: Allocation, ports: Allocation]> {
  const { namespace, name } = request.key;
  const services = (await context.list('', 'services')) as Stored<Service>[];
  const others = services.filter(
    ({ metadata }) => metadata.namespace !== namespace || metadata.name !== name,
  );
  const of = (what: string, has: Allocation['has']): Allocation => ({
    request,
    context,
    reservations: new Reservations(context.store, context.clock, what),
    has,
    own: old ? has(old) : [],
    taken: new Set(others.flatMap(has)),
  });
  return [of('clusterips', addressOf), of('nodeports', portsOf)];
}

const addressOf = ({ spec }: Service): string[] =>
  parseIPv4(spec?.clusterIP ?? '') === undefined ? [] : [spec.clusterIP ?? ''];
const portsOf = ({ spec }: Service): string[] =>
  (spec?.ports ?? []).flatMap(({ nodePort }) => (nodePort ? [`${nodePort}`] : []));

/** Whether the Service may have it now: it has it already, or it is free and reserved until the write has ended. */
async function allocate(allocation: Allocation, thing: string): Promise<boolean> {
  const { request, context, reservations, own, taken } = allocation;
  if (own.includes(thing)) return true;
  if (taken.has(thing)) return false;
  const owner = nameOf(request.key);
  const holder = await reservations.ownerOf(thing);
  if (request.dryRun) return holder === undefined || holder === owner;
  // Its own, but not of what is to be made: then that is there already, and may be going this moment.
  if (holder === owner && request.operation === 'CREATE') await requireNew(allocation);
  const taking = await reservations.take(thing, owner, async (other) => {
    const service = await context.find('', 'services', parseKey(other));
    // The resource decides the type.
    return service !== undefined && allocation.has(service as Stored<Service>).includes(thing);
  });
  if (!taking) return false;
  context.afterwards((written) => (written || !taking.isNew ? undefined : reservations.release(taking)));
  return true;
}

async function requireNew({ request, context }: Allocation): Promise<void> {
  if (await context.find('', 'services', request.key))
    throw alreadyExists(request.resource, request.key.name);
}

/** What the Service has and will not have any more is free when the write is done. */
async function giveBack({ request, context, reservations, own }: Allocation, kept: string[]): Promise<void> {
  if (request.dryRun) return;
  for (const thing of own) {
    if (kept.includes(thing)) continue;
    const reservation = await reservations.find(thing, nameOf(request.key));
    if (!reservation) continue;
    context.afterwards((written) => (written ? reservations.release(reservation) : undefined));
  }
}

/** An update that leaves out what was given keeps it (patchAllocatedValues). */
function keepGiven(spec: ServiceSpec, old: Stored<Service> | undefined): void {
  if (!old) return;
  if (hasAddress(spec) && hasAddress(old.spec) && !spec.clusterIP && old.spec.clusterIP) {
    spec.clusterIP = old.spec.clusterIP;
    if (!spec.clusterIPs?.length && old.spec.clusterIPs) spec.clusterIPs = [...old.spec.clusterIPs];
    if (old.spec.ipFamilies) spec.ipFamilies ??= old.spec.ipFamilies;
    if (old.spec.ipFamilyPolicy) spec.ipFamilyPolicy ??= old.spec.ipFamilyPolicy;
  }
  if (!hasNodePorts(spec) || !hasNodePorts(old.spec)) return;
  for (const port of spec.ports ?? []) {
    const before = old.spec.ports?.find((it) => it.port === port.port && it.protocol === port.protocol);
    if (!port.nodePort && before?.nodePort) port.nodePort = before.nodePort;
  }
}

const hasAddress = (spec: ServiceSpec): boolean => spec.type !== 'ExternalName';
const hasNodePorts = (spec: ServiceSpec): boolean =>
  spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);

async function giveAddress(allocation: Allocation, spec: ServiceSpec, range: IPv4Range): Promise<void> {
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
  if (!spec.clusterIP) spec.clusterIP = await freeAddress(allocation, range);
  else if (spec.clusterIP !== 'None') await requireAddress(allocation, spec.clusterIP, range);
  spec.clusterIPs = [spec.clusterIP];
}

async function requireAddress(allocation: Allocation, text: string, range: IPv4Range): Promise<void> {
  const address = parseIPv4(text);
  const why =
    address === undefined
      ? 'must be empty, "None", or a valid IP address'
      : address <= range.first || address >= range.last
        ? `failed to allocate IP ${text}: the provided IP (${text}) is not in the valid range. The range of valid IPs is ${range.cidr}`
        : (await allocate(allocation, text))
          ? ''
          : `failed to allocate IP ${text}: provided IP is already allocated`;
  if (!why) return;
  const { resource, key } = allocation.request;
  throw invalid(resource, key.name, [invalidValue('spec.clusterIPs', [text], why)]);
}

async function freeAddress(allocation: Allocation, range: IPv4Range): Promise<string> {
  // The first address is the API server's own Service, which asks for it by name.
  const first = range.first + 2;
  const found = await allocateAny(allocation, first, range.last - first, formatIPv4);
  if (found !== undefined) return found;
  const { resource, key } = allocation.request;
  throw internal(
    `failed to allocate a serviceIP for ${resource.plural} "${key.name}": range is full (${range.cidr})`,
  );
}

async function givePorts(allocation: Allocation, spec: ServiceSpec): Promise<void> {
  if (!hasNodePorts(spec)) return;
  const given = new Set<number>();
  for (const [index, port] of (spec.ports ?? []).entries()) {
    if (!port.nodePort) port.nodePort = await freePort(allocation);
    else if (!given.has(port.nodePort)) await requirePort(allocation, port.nodePort, index);
    given.add(port.nodePort);
    allocation.taken.add(`${port.nodePort}`);
  }
}

async function requirePort(allocation: Allocation, port: number, index: number): Promise<void> {
  const { first, last } = NODE_PORTS;
  const why =
    port < first || port > last
      ? `provided port is not in the valid range. The range of valid ports is ${first}-${last}`
      : (await allocate(allocation, `${port}`))
        ? ''
        : 'provided port is already allocated';
  if (!why) return;
  const { resource, key } = allocation.request;
  throw invalid(resource, key.name, [invalidValue(`spec.ports[${index}].nodePort`, port, why)]);
}

async function freePort(allocation: Allocation): Promise<number> {
  const count = NODE_PORTS.last - NODE_PORTS.first + 1;
  const found = await allocateAny(allocation, NODE_PORTS.first, count, String);
  if (found === undefined) throw internal('failed to allocate a nodePort: range is full');
  return Number(found);
}

/** One that is free out of `count` from `first` on: a few random tries, then the lowest. */
async function allocateAny(
  allocation: Allocation,
  first: number,
  count: number,
  write: (number: number) => string,
): Promise<string | undefined> {
  const { context, own, taken } = allocation;
  const free = async (number: number): Promise<string | undefined> => {
    const thing = write(number);
    return !own.includes(thing) && (await allocate(allocation, thing)) ? thing : undefined;
  };
  for (let i = 0; i < RANDOM_TRIES; i++) {
    const found = await free(first + Math.floor(context.random.next() * count));
    if (found !== undefined) return found;
  }
  for (let number = first; number < first + count; number++) {
    if (taken.has(write(number))) continue;
    const found = await free(number);
    if (found !== undefined) return found;
  }
  return undefined;
}
