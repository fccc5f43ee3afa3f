// What the cluster's names mean: Kubernetes' DNS-based service discovery (kubernetes/dns docs/specification.md), as a pure
// function of what there is. No sockets, no packets, no caching: a name changes in the same step as what it is made from.
import { isIP } from 'node:net';
import type { Service } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { isReverseName, podLabelAddress, reverseNameAddress } from './address-names.ts';
import type { Backend } from './backends.ts';

export type DnsRecord =
  | { name: string; type: 'A' | 'AAAA' | 'PTR' | 'CNAME' | 'NS' | 'TXT'; data: string }
  | { name: string; type: 'SOA'; data: StartOfAuthority }
  | { name: string; type: 'SRV'; data: { target: string; port: number; priority: number; weight: number } };

/** Times in seconds (RFC 1035, 3.3.13). */
export interface StartOfAuthority {
  mname: string;
  rname: string;
  serial: number;
  refresh: number;
  retry: number;
  expire: number;
  minimum: number;
}

/** An answer from the cluster's own names, or `undefined` when the name is somebody else's to answer. */
export interface Resolution {
  /** False: the name does not exist (NXDOMAIN). True with no answers: it exists, without such records. */
  exists: boolean;
  answers: DnsRecord[];
  /** Addresses of the targets that the answers name. */
  additionals: DnsRecord[];
  /**
   * Seconds for which "there is no such name" may be believed. 0 where a Service or a pod of that name may come to be at
   * any moment: a resolver that remembers the opposite would hide it from its peers.
   */
  negativeTtlSeconds: number;
  /** The name outside the cluster that the answers lead to, and that is still to be asked for. */
  beyond?: string;
}

/** What names are made from. */
export interface Zone {
  /** `cluster.local` */
  domain: string;
  /** The IPv4 address the server answers on: what `ns.dns.<domain>` means. */
  serverAddress: string;
  /** Another number after each change of what names are made from. */
  version(): number;
  hasNamespace(namespace: string): boolean;
  service(namespace: string, name: string): Stored<Service> | undefined;
  /** The ready endpoints of a Service. */
  backendsOf(service: Stored<Service>): readonly Backend[];
  /** Those of them that have this hostname. */
  backendsNamed(service: Stored<Service>, hostname: string): readonly Backend[];
  /** The Service that has the address itself. @param ip in its canonical form. */
  serviceByIp(ip: string): Stored<Service> | undefined;
  /** The Services that the address, in its canonical form, is a ready endpoint of, and its hostname there. */
  placesOf(ip: string): { service: Stored<Service>; hostname: string }[];
}

const DEFAULT_NEGATIVE_TTL_SECONDS = 5;
const SCHEMA_VERSION = '1.1.0';
/** Aliases of aliases are followed so far, as by CoreDNS; a circle ends by itself. */
const MAX_ALIASES = 8;

/**
 * Answers a question about the cluster. An alias (ExternalName) is answered with what is behind it, since resolvers in
 * pods do not ask a second time.
 * @param name without the trailing dot, any case.
 * @returns undefined if the name is outside the cluster's domain and of no pod or Service address.
 */
export function resolve(name: string, type: string, zone: Zone): Resolution | undefined {
  const aliases: DnsRecord[] = [];
  let at = name.toLowerCase();
  for (;;) {
    const resolution = lookUp(at, type, zone);
    if (!resolution) return aliases.length === 0 ? undefined : { ...found(aliases), beyond: at };
    const [alias] = resolution.answers;
    if (alias?.type !== 'CNAME' || type === 'CNAME' || type === 'ANY')
      return { ...resolution, answers: [...aliases, ...resolution.answers] };
    if (aliases.length === MAX_ALIASES || aliases.some((known) => known.name === alias.name))
      return found(aliases);
    aliases.push(alias);
    at = alias.data.toLowerCase();
  }
}

function lookUp(name: string, type: string, zone: Zone): Resolution | undefined {
  if (isReverseName(name)) return reverse(name, type, zone);
  if (name !== zone.domain && !name.endsWith(`.${zone.domain}`)) return undefined;
  const labels = name
    .slice(0, -zone.domain.length - 1)
    .split('.')
    .filter(Boolean);
  const base = labels.pop();
  switch (base) {
    case undefined:
      return apex(type, zone);
    case 'dns-version':
      return labels.length === 0
        ? found(only(type, [{ name, type: 'TXT', data: SCHEMA_VERSION }]))
        : missing();
    case 'dns':
      if (labels.length === 0) return found([]);
      return labels.join('.') === 'ns' ? found(only(type, [address(name, zone.serverAddress)])) : missing();
    case 'svc':
      return serviceName(name, labels, type, zone);
    case 'pod':
      return podName(name, labels, type, zone);
    default:
      return missing();
  }
}

/** The domain itself: who answers for it, with that one's address beside. */
function apex(type: string, { domain, serverAddress }: Zone): Resolution {
  const server = nameServer(domain);
  const answers = only(type, [
    { name: domain, type: 'SOA', data: startOfAuthority(domain, DEFAULT_NEGATIVE_TTL_SECONDS) },
    { name: domain, type: 'NS', data: server },
  ]);
  const additionals = answers.some((record) => record.type === 'NS') ? [address(server, serverAddress)] : [];
  return { ...found(answers), additionals };
}

const nameServer = (domain: string): string => `ns.dns.${domain}`;

/** @param minimum for how many seconds "there is no such name" may be believed. */
export function startOfAuthority(domain: string, minimum: number): StartOfAuthority {
  const rname = `hostmaster.${domain}`;
  return { mname: nameServer(domain), rname, serial: 1, refresh: 7200, retry: 1800, expire: 86400, minimum };
}

function serviceName(name: string, labels: string[], type: string, zone: Zone): Resolution {
  const namespace = labels.pop();
  if (namespace === undefined) return found([]);
  if (!zone.hasNamespace(namespace)) return notYet();
  const serviceLabel = labels.pop();
  if (serviceLabel === undefined) return found([]);
  const service = zone.service(namespace, serviceLabel);
  if (!service) return notYet();
  const serviceFqdn = `${serviceLabel}.${namespace}.svc.${zone.domain}`;
  if (service.spec.type === 'ExternalName') {
    const { externalName = '' } = service.spec;
    // An address is no name, and an alias is of names: CoreDNS has no answer for it either.
    if (labels.length > 0 || isIP(externalName)) return notYet();
    return found([{ name, type: 'CNAME', data: externalName.replace(/\.$/, '') }]);
  }
  const isHeadless = service.spec.clusterIP === 'None';
  const own = isHeadless ? zone.backendsOf(service) : ownBackends(service);
  const [first, second, ...others] = labels;
  if (others.length > 0) return notYet();
  if (second !== undefined) return portName(name, `${first}`, second, own, type, serviceFqdn);
  if (first !== undefined) {
    // Endpoints have names below every Service, as CoreDNS has it; the specification asks for those of headless ones.
    const named = zone.backendsNamed(service, first);
    return named.length === 0 && hasPorts(own, first) ? found([]) : addresses(name, named, type, serviceFqdn);
  }
  return addresses(name, own, type, serviceFqdn);
}

/** A name that means these endpoints, and does not exist without any. */
function addresses(
  name: string,
  backends: readonly Backend[],
  type: string,
  serviceFqdn: string,
): Resolution {
  if (backends.length === 0) return notYet();
  if (type === 'SRV') return srv(name, serviceFqdn, backends);
  const records = backends.map((backend) => address(name, backend.address));
  return found(only(type, records));
}

/** `_web._tcp`: the ports that are called so. */
function portName(
  name: string,
  port: string,
  protocol: string,
  backends: readonly Backend[],
  type: string,
  serviceFqdn: string,
): Resolution {
  const matching = backends.flatMap((backend) => {
    const ports = backend.ports.filter(
      (each) => each.name !== '' && `_${each.name}` === port && protocolLabel(each) === protocol,
    );
    return ports.length === 0 ? [] : { ...backend, ports };
  });
  if (matching.length === 0) return notYet();
  return type === 'SRV' || type === 'ANY' ? srv(name, serviceFqdn, matching) : found([]);
}

const protocolLabel = (port: { protocol: string }): string => `_${port.protocol.toLowerCase()}`;

/** Whether names of ports are below this label: then it exists, without records of its own (RFC 8020). */
function hasPorts(backends: readonly Backend[], label: string): boolean {
  return backends.some(({ ports }) =>
    ports.some((port) => port.name !== '' && protocolLabel(port) === label),
  );
}

/** `10-244-0-7.default.pod.cluster.local`: the address that the name spells, whoever has it. */
function podName(name: string, labels: string[], type: string, zone: Zone): Resolution {
  const namespace = labels.pop();
  if (namespace === undefined) return found([]);
  if (!zone.hasNamespace(namespace)) return notYet();
  const [label, ...others] = labels;
  if (label === undefined) return found([]);
  const spelled = others.length === 0 ? podLabelAddress(label) : undefined;
  return spelled === undefined ? missing() : found(only(type, [address(name, spelled)]));
}

function reverse(name: string, type: string, zone: Zone): Resolution | undefined {
  const ip = reverseNameAddress(name);
  if (ip === undefined) return undefined;
  const service = zone.serviceByIp(ip);
  const places = service ? [{ service, hostname: '' }] : zone.placesOf(ip);
  if (places.length === 0) return undefined;
  const targets = places.map(({ service: { metadata }, hostname }) =>
    [...(hostname ? [hostname] : []), metadata.name, metadata.namespace, 'svc', zone.domain].join('.'),
  );
  return found(
    only(
      type,
      [...new Set(targets)].map((data) => ({ name, type: 'PTR', data })),
    ),
  );
}

/** A Service that has addresses of its own. */
function ownBackends({ spec }: Stored<Service>): Backend[] {
  const ports = (spec.ports ?? []).map((port) => ({
    name: port.name ?? '',
    protocol: port.protocol ?? 'TCP',
    port: port.port,
  }));
  const addresses = spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : []);
  return addresses.map((ip) => ({ hostname: '', address: ip, ports }));
}

function srv(name: string, serviceFqdn: string, backends: readonly Backend[]): Resolution {
  // What has several addresses, as with two families, is one target all the same.
  const targets = new Map<string, { target: string; port: number }>();
  const additionals: DnsRecord[] = [];
  for (const backend of backends) {
    const target = backend.hostname ? `${backend.hostname}.${serviceFqdn}` : serviceFqdn;
    for (const { port } of backend.ports) targets.set(`${target} ${port}`, { target, port });
    if (backend.ports.length > 0) additionals.push(address(target, backend.address));
  }
  const weight = Math.max(1, Math.floor(100 / targets.size));
  const answers = [...targets.values()].map(
    (each): DnsRecord => ({ name, type: 'SRV', data: { ...each, priority: 0, weight } }),
  );
  return { ...found(answers), additionals };
}

function address(name: string, ip: string): DnsRecord {
  return { name, type: ip.includes(':') ? 'AAAA' : 'A', data: ip };
}

/** The records of a name that answer a question of this type. */
function only(type: string, records: DnsRecord[]): DnsRecord[] {
  return records.filter((record) => type === 'ANY' || record.type === type);
}

const found = (answers: DnsRecord[]): Resolution => ({
  exists: true,
  answers,
  additionals: [],
  negativeTtlSeconds: 0,
});

/** No such name, and there never will be. */
const missing = (): Resolution => ({
  exists: false,
  answers: [],
  additionals: [],
  negativeTtlSeconds: DEFAULT_NEGATIVE_TTL_SECONDS,
});

/** No such name; but somebody may make what has it at any moment. */
const notYet = (): Resolution => ({ ...missing(), negativeTtlSeconds: 0 });
