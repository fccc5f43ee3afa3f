// What the cluster's names mean: Kubernetes' DNS-based service discovery (kubernetes/dns docs/specification.md), as a pure
// function of what there is. No sockets, no packets, no caching: a name changes in the same step as what it is made from.
import { isIP } from 'node:net';
import type { Service } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
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
   * Seconds for which "there is no such name" may be believed. 0 below an existing Service: a pod of that name may
   * become ready at any moment, and a resolver that remembers the opposite would hide it from its peers.
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
  hasNamespace(namespace: string): boolean;
  service(namespace: string, name: string): Stored<Service> | undefined;
  /** The ready endpoints of a headless Service. */
  backendsOf(service: Stored<Service>): readonly Backend[];
  /** Those of them that have this hostname. */
  backendsNamed(service: Stored<Service>, hostname: string): readonly Backend[];
  serviceByIp(ip: string): Stored<Service> | undefined;
  /** The headless Services that the address is a ready endpoint of, and its hostname there. */
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
  if (name.endsWith('.in-addr.arpa')) return reverse(name, type, zone);
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
  if (!zone.hasNamespace(namespace)) return missing();
  const serviceLabel = labels.pop();
  if (serviceLabel === undefined) return found([]);
  const service = zone.service(namespace, serviceLabel);
  if (!service) return missing();
  const serviceFqdn = `${serviceLabel}.${namespace}.svc.${zone.domain}`;
  if (service.spec.type === 'ExternalName') {
    const { externalName = '' } = service.spec;
    // An address is no name, and an alias is of names: CoreDNS has no answer for it either.
    if (labels.length > 0 || isIP(externalName)) return missing();
    return found([{ name, type: 'CNAME', data: externalName.replace(/\.$/, '') }]);
  }
  const [hostname, ...others] = labels;
  if (hostname !== undefined && others.length === 0) {
    const named = service.spec.clusterIP === 'None' ? zone.backendsNamed(service, hostname) : [];
    if (named.length === 0) return { ...missing(), negativeTtlSeconds: 0 };
    if (type === 'SRV') return srv(name, serviceFqdn, named);
    return found(
      only(
        type,
        named.map((backend) => address(name, backend.address)),
      ),
    );
  }
  const backends = service.spec.clusterIP === 'None' ? zone.backendsOf(service) : ownBackends(service);
  if (labels.length === 0) {
    if (type === 'SRV') return srv(name, serviceFqdn, backends);
    if (service.spec.clusterIP === 'None' && backends.length === 0)
      return { ...missing(), negativeTtlSeconds: 0 };
    return found(
      only(
        type,
        backends.map((backend) => address(name, backend.address)),
      ),
    );
  }
  const [portLabel, protocolLabel] = labels;
  if (labels.length !== 2 || !portLabel?.startsWith('_') || !protocolLabel?.startsWith('_')) return missing();
  const matching = backends
    .map((backend) => ({
      ...backend,
      ports: backend.ports.filter(
        (port) => `_${port.name}` === portLabel && `_${port.protocol.toLowerCase()}` === protocolLabel,
      ),
    }))
    .filter((backend) => backend.ports.length > 0);
  if (matching.length === 0) return { ...missing(), negativeTtlSeconds: 0 };
  return type === 'SRV' ? srv(name, serviceFqdn, matching) : found([]);
}

/** `10-244-0-7.default.pod.cluster.local`: the address that the name spells, whoever has it. */
function podName(name: string, labels: string[], type: string, zone: Zone): Resolution {
  const namespace = labels.pop();
  if (namespace === undefined) return found([]);
  if (!zone.hasNamespace(namespace)) return missing();
  if (labels.length === 0) return found([]);
  const octets =
    labels.length === 1 ? /^(\d{1,3})-(\d{1,3})-(\d{1,3})-(\d{1,3})$/.exec(labels[0] ?? '') : null;
  if (!octets || octets.slice(1).some((octet) => Number(octet) > 255)) return missing();
  return found(only(type, [address(name, octets.slice(1).map(Number).join('.'))]));
}

function reverse(name: string, type: string, zone: Zone): Resolution | undefined {
  const ip = name.slice(0, -'.in-addr.arpa'.length).split('.').reverse().join('.');
  const targets: string[] = [];
  const service = zone.serviceByIp(ip);
  if (service) targets.push(`${service.metadata.name}.${service.metadata.namespace}.svc.${zone.domain}`);
  for (const { service: owner, hostname } of zone.placesOf(ip)) {
    targets.push(`${hostname}.${owner.metadata.name}.${owner.metadata.namespace}.svc.${zone.domain}`);
  }
  if (targets.length === 0) return undefined;
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
  const answers: DnsRecord[] = [];
  const additionals: DnsRecord[] = [];
  const total = backends.reduce((sum, backend) => sum + backend.ports.length, 0);
  for (const backend of backends) {
    const target = backend.hostname ? `${backend.hostname}.${serviceFqdn}` : serviceFqdn;
    for (const { port } of backend.ports) {
      const weight = Math.max(1, Math.floor(100 / total));
      answers.push({ name, type: 'SRV', data: { target, port, priority: 0, weight } });
    }
    if (backend.ports.length > 0) additionals.push(address(target, backend.address));
  }
  return { exists: backends.length > 0, answers, additionals, negativeTtlSeconds: 0 };
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

const missing = (): Resolution => ({
  exists: false,
  answers: [],
  additionals: [],
  negativeTtlSeconds: DEFAULT_NEGATIVE_TTL_SECONDS,
});
