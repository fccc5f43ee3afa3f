// Which Service of type LoadBalancer has which address, and what is to be written so that it is so. A pure function over all
// of them: what one loses, another may be waiting for. Follows, where there is a cloud, the cloud-provider's service
// controller (k8s.io/cloud-provider/controllers/service/controller.go).
import { isIPv6 } from 'node:net';
import type { Node, Service } from '../../api/generated/types.ts';
import { isTerminating, nameOf, type Stored } from '../../api/objects.ts';
import { sameJson } from '../../base/same-json.ts';
import { type AddressPool, type AddressRange, isInRange, lowestFree } from './pool.ts';

/** Holds a Service that is deleted until its address has been given back. */
export const FINALIZER = 'service.kubernetes.io/load-balancer-cleanup';

/** Who has what: an address of a range, or a port of the machine (`TCP.443`); by the owner's name and uid. */
export type Claims = Readonly<Record<string, string>>;

/** All that the decision may depend on. */
export interface BalancerObservation {
  services: readonly Stored<Service>[];
  nodes: readonly Stored<Node>[];
  pool: AddressPool;
  /** As they are written down. */
  claims: Claims;
}

export interface BalancerPlan {
  /** Services that lose what they had, as they are to be written, before it is another's. */
  released: Stored<Service>[];
  /** What is to be written down next. */
  claims: Claims;
  /** Services that have theirs from then on, as they are to be written. */
  granted: Stored<Service>[];
  /** Services that get none, and why. */
  pending: Array<{ service: Stored<Service>; why: string }>;
}

/** What a Service is to have: its addresses, and what it claims by that. */
type Grant = { addresses: string[]; keys: string[] } | { why: string };

/** Who has what, with whom to name when another wants it. */
type Taken = Map<string, Stored<Service>>;

export function planBalancers(observed: BalancerObservation): BalancerPlan {
  const { claims, pool, services } = observed;
  const plan: BalancerPlan = { released: [], claims: {}, granted: [], pending: [] };
  const taken: Taken = new Map();
  const wanting = services.filter((service) => pool.type !== 'none' && wantsBalancer(service));
  for (const service of inOrder(wanting, claims)) {
    const grant = grantOf(service, taken, observed);
    if ('why' in grant) {
      plan.pending.push({ service, why: grant.why });
      continue;
    }
    for (const key of grant.keys) taken.set(key, service);
    const wanted = withAddresses(service, grant.addresses);
    if (!sameJson(facts(wanted), facts(service))) plan.granted.push(wanted);
  }
  const holders = new Set(taken.values());
  const owners = new Set(Object.values(claims));
  for (const service of services) {
    if (holders.has(service)) continue;
    const isOurs = owners.has(ownerOf(service)) || (pool.type !== 'none' && isCleanedUpByUs(service));
    const wanted = withAddresses(service, []);
    if (isOurs && !sameJson(facts(wanted), facts(service))) plan.released.push(wanted);
  }
  plan.claims = Object.fromEntries([...taken].map(([key, service]) => [key, ownerOf(service)]));
  return plan;
}

/** Whether a change of the Service may be of interest: it is one of these, or has been. */
export const isBalanced = ({ metadata, spec }: Service): boolean =>
  spec.type === 'LoadBalancer' || (metadata.finalizers ?? []).includes(FINALIZER);

/** One that names a class is somebody else's (service/helpers, WantsLoadBalancer). */
const wantsBalancer = (service: Stored<Service>): boolean =>
  service.spec.type === 'LoadBalancer' && !service.spec.loadBalancerClass && !isTerminating(service);

const isCleanedUpByUs = ({ metadata, spec }: Service): boolean =>
  !spec.loadBalancerClass && (metadata.finalizers ?? []).includes(FINALIZER);

const ownerOf = (service: Stored<Service>): string => `${nameOf(service.metadata)} ${service.metadata.uid}`;

const addressesOf = ({ status }: Service): string[] =>
  (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);

/** Who has something keeps it; then the oldest comes first. */
function inOrder(services: readonly Stored<Service>[], claims: Claims): Stored<Service>[] {
  const owners = new Set(Object.values(claims));
  const rank = (service: Stored<Service>): string => {
    const has = owners.has(ownerOf(service)) ? 0 : addressesOf(service).length > 0 ? 1 : 2;
    return `${has} ${service.metadata.creationTimestamp} ${nameOf(service.metadata)}`;
  };
  const ranked = services.map((service): [string, Stored<Service>] => [rank(service), service]);
  return ranked.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, service]) => service);
}

function grantOf(
  service: Stored<Service>,
  taken: Taken,
  { claims, nodes, pool }: BalancerObservation,
): Grant {
  if (pool.type === 'range') return addressOfRange(service, taken, pool, claims);
  return addressesOfMachine(service, taken, nodes);
}

function addressOfRange(service: Stored<Service>, taken: Taken, range: AddressRange, claims: Claims): Grant {
  const { ipFamilies = ['IPv4'] } = service.spec;
  if (!ipFamilies.includes(range.family))
    return { why: `${range.text} has no ${ipFamilies.join(' or ')} addresses` };
  const grant = (address: string): Grant => ({ addresses: [address], keys: [address] });
  const asked = service.spec.loadBalancerIP;
  if (asked) {
    if (!isInRange(asked, range)) return { why: `spec.loadBalancerIP ${asked} is none of ${range.text}` };
    const other = taken.get(asked);
    return other ? { why: `${asked} is the Service ${nameOf(other.metadata)}’s` } : grant(asked);
  }
  const owner = ownerOf(service);
  const before = Object.keys(claims).filter((key) => claims[key] === owner);
  const isFree = (address: string): boolean => isInRange(address, range) && !taken.has(address);
  const kept = [...before, ...addressesOf(service)].find(isFree);
  if (kept !== undefined) return grant(kept);
  // What another has and has not been looked at yet it keeps.
  const free = lowestFree(range, (address) => taken.has(address) || address in claims);
  return free === undefined ? { why: `no address of ${range.text} is free` } : grant(free);
}

function addressesOfMachine(service: Stored<Service>, taken: Taken, nodes: readonly Stored<Node>[]): Grant {
  const all = nodes.flatMap(({ status }) =>
    (status?.addresses ?? []).flatMap(({ address, type }) => (type === 'InternalIP' ? [address] : [])),
  );
  const { ipFamilies = ['IPv4'], loadBalancerIP: asked, ports = [] } = service.spec;
  const own = [...new Set(all)].sort();
  if (asked && !own.includes(asked))
    return { why: `spec.loadBalancerIP ${asked} is no address of this machine (${own.join(', ')})` };
  const addresses = own.filter(
    (address) => (!asked || address === asked) && ipFamilies.includes(isIPv6(address) ? 'IPv6' : 'IPv4'),
  );
  if (addresses.length === 0) return { why: `this machine has no ${ipFamilies.join(' or ')} address` };
  const keys: string[] = [];
  for (const { port, protocol = 'TCP' } of ports) {
    const key = `${protocol}.${port}`;
    const other = taken.get(key);
    if (other)
      return { why: `port ${port}/${protocol} of this machine is the Service ${nameOf(other.metadata)}’s` };
    keys.push(key);
  }
  return { addresses, keys };
}

/** The Service with these addresses and held by the finalizer; with none, without it. */
function withAddresses(service: Stored<Service>, addresses: readonly string[]): Stored<Service> {
  const { finalizers = [], ...metadata } = service.metadata;
  const others = finalizers.filter((name) => name !== FINALIZER);
  const held = addresses.length > 0 ? [...others, FINALIZER] : others;
  const ingress = addresses.map((ip) => ({ ip, ipMode: 'VIP' }));
  return {
    ...service,
    metadata: held.length > 0 ? { ...metadata, finalizers: held } : metadata,
    status: { ...service.status, loadBalancer: addresses.length > 0 ? { ingress } : {} },
  };
}

/** What of the Service is this controller's. */
const facts = ({ metadata, status }: Service): unknown => [
  (metadata.finalizers ?? []).includes(FINALIZER),
  (status?.loadBalancer?.ingress ?? []).map(({ hostname, ip }) => [hostname, ip]),
];
