// What the cluster's names mean: Kubernetes' DNS-based service discovery (kubernetes/dns docs/specification.md),
// as a pure function of Services and EndpointSlices. No sockets, no packets, no caching: a name changes in the
// same step as the slice that it comes from.
import type { EndpointSlice, Service } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';

export type DnsRecord =
  | { name: string; type: 'A' | 'AAAA' | 'PTR' | 'CNAME' | 'TXT'; data: string }
  | { name: string; type: 'SRV'; data: { target: string; port: number; priority: number; weight: number } };

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
}

/** What names are made from. */
export interface Zone {
  /** `cluster.local` */
  domain: string;
  /** The IPv4 address the server answers on: what `ns.dns.<domain>` means. */
  serverAddress: string;
  hasNamespace(namespace: string): boolean;
  service(namespace: string, name: string): Stored<Service> | undefined;
  slicesOf(namespace: string, service: string): Stored<EndpointSlice>[];
  serviceByIp(ip: string): Stored<Service> | undefined;
  slicesByIp(ip: string): Stored<EndpointSlice>[];
}

const DEFAULT_NEGATIVE_TTL_SECONDS = 5;
const SCHEMA_VERSION = '1.1.0';

/** One address of a Service with the ports it listens on. */
interface Backend {
  hostname: string;
  address: string;
  ports: Array<{ name: string; protocol: string; port: number }>;
}

/**
 * Answers a question about the cluster.
 * @param name without the trailing dot, any case.
 * @returns undefined if the name is outside the cluster's domain and of no pod or Service address.
 */
export function resolve(name: string, type: string, zone: Zone): Resolution | undefined {
  const lower = name.toLowerCase();
  if (lower.endsWith('.in-addr.arpa')) return reverse(lower, type, zone);
  if (lower !== zone.domain && !lower.endsWith(`.${zone.domain}`)) return undefined;
  const labels = lower
    .slice(0, -zone.domain.length - 1)
    .split('.')
    .filter(Boolean);
  const base = labels.pop();
  switch (base) {
    case undefined:
      return found([]);
    case 'dns-version':
      return labels.length === 0
        ? found(only(type, [{ name: lower, type: 'TXT', data: SCHEMA_VERSION }]))
        : missing();
    case 'dns':
      if (labels.length === 0) return found([]);
      return labels.join('.') === 'ns' ? found(only(type, [address(lower, zone.serverAddress)])) : missing();
    case 'svc':
      return serviceName(lower, labels, type, zone);
    case 'pod':
      return podName(lower, labels, type, zone);
    default:
      return missing();
  }
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
    if (labels.length > 0) return missing();
    return found([{ name, type: 'CNAME', data: service.spec.externalName ?? '' }]);
  }
  const backends = backendsOf(service, zone);
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
  if (labels.length === 1) {
    const named = backends.filter((backend) => backend.hostname === labels[0]);
    if (service.spec.clusterIP !== 'None' || named.length === 0)
      return { ...missing(), negativeTtlSeconds: 0 };
    if (type === 'SRV') return srv(name, serviceFqdn, named);
    return found(
      only(
        type,
        named.map((backend) => address(name, backend.address)),
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
  for (const slice of zone.slicesByIp(ip)) {
    const { namespace, labels } = slice.metadata;
    const owner = labels?.['kubernetes.io/service-name'];
    if (!owner || zone.service(namespace ?? '', owner)?.spec.clusterIP !== 'None') continue;
    for (const endpoint of slice.endpoints ?? []) {
      if (!endpoint.addresses.includes(ip)) continue;
      targets.push(`${endpoint.hostname ?? dashed(ip)}.${owner}.${namespace}.svc.${zone.domain}`);
    }
  }
  if (targets.length === 0) return undefined;
  return found(
    only(
      type,
      [...new Set(targets)].map((data) => ({ name, type: 'PTR', data })),
    ),
  );
}

/** The addresses behind a Service: its own, or for a headless one those of its ready endpoints. */
function backendsOf(service: Stored<Service>, zone: Zone): Backend[] {
  const { name, namespace = '' } = service.metadata;
  if (service.spec.clusterIP && service.spec.clusterIP !== 'None') {
    const ports = (service.spec.ports ?? []).map((port) => ({
      name: port.name ?? '',
      protocol: port.protocol ?? 'TCP',
      port: port.port,
    }));
    return (service.spec.clusterIPs ?? [service.spec.clusterIP]).map((ip) => ({
      hostname: '',
      address: ip,
      ports,
    }));
  }
  const backends: Backend[] = [];
  const seen = new Set<string>();
  for (const slice of zone.slicesOf(namespace, name)) {
    if (slice.addressType === 'FQDN') continue;
    const ports = (slice.ports ?? []).map((port) => ({
      name: port.name ?? '',
      protocol: port.protocol ?? 'TCP',
      port: port.port ?? 0,
    }));
    for (const endpoint of slice.endpoints ?? []) {
      if (endpoint.conditions?.ready === false) continue;
      for (const ip of endpoint.addresses) {
        const hostname = endpoint.hostname ?? dashed(ip);
        if (seen.has(`${hostname} ${ip}`)) continue;
        seen.add(`${hostname} ${ip}`);
        backends.push({ hostname, address: ip, ports });
      }
    }
  }
  return backends;
}

function srv(name: string, serviceFqdn: string, backends: Backend[]): Resolution {
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

const dashed = (ip: string): string => ip.replace(/[.:]/g, '-');

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
