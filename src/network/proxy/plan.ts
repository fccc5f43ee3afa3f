// The rules of one Service: what becomes of traffic to its addresses and ports. Pure; follows pkg/proxy/nftables
// (syncProxyRules). The chains that lead here, and what holds for all Services, are in frame.ts.
import type { Service, ServicePort } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import type { Chain, NftSet, Ruleset } from '../nftables/ruleset.ts';
import { type Choice, chooseEndpoints } from './choice.ts';
import { type Backing, endpointsOf, type Place, type ProxyEndpoint } from './endpoints.ts';
import { type Family, isWithin } from './family.ts';
import {
  clusterIpsSet,
  firewallMap,
  hairpinSet,
  MASQUERADE,
  nodePortsMap,
  noEndpointNodePortsMap,
  noEndpointsMap,
  REJECT_CHAIN,
  serviceIpsMap,
} from './names.ts';
import { isExternallyAccessible, isProxied, type Traffic, trafficOf, usedPolicies } from './traffic.ts';

export interface ProxyOptions extends Place {
  bridge: string;
  families: readonly Family[];
  /** This machine's addresses. */
  nodeIps: readonly string[];
  /** The addresses of Services, which none has but by its clusterIPs. */
  serviceRanges: readonly { cidr: string }[];
}

/** A UDP port of a Service: connections of UDP that the kernel remembers outlive the rules that led them. */
export interface UdpPort {
  family: Family;
  /** Where clients send to: with the Service's port, or to any address of the machine with the node port. */
  addresses: readonly string[];
  port: number;
  nodePort: number | undefined;
  /** Addresses of the endpoints that are used. */
  endpoints: readonly string[];
}

/** What is asked by a load balancer that wants to know whether this node has a pod of the Service. */
export interface HealthCheck {
  port: number;
  namespace: string;
  name: string;
  /** How many ready endpoints are on this node. */
  localEndpoints: number;
}

export interface PlannedService {
  rules: Ruleset;
  udp: readonly UdpPort[];
  healthCheck: HealthCheck | undefined;
}

/** The plan for one Service; undefined if it is not the proxy's: headless, of another's, or only a name. */
export function planService(
  service: Stored<Service>,
  backing: Backing,
  options: ProxyOptions,
): PlannedService | undefined {
  if (!isProxied(service)) return undefined;
  const rules = new Rules();
  const udp: UdpPort[] = [];
  const local = new Set<string>();
  for (const family of options.families) {
    const traffic = trafficOf(service, family);
    if (traffic.clusterIps.length === 0) continue;
    for (const port of service.spec.ports ?? []) {
      const endpoints = endpointsOf(service, port, family, backing, options);
      for (const { address, isLocal, isReady } of endpoints) if (isLocal && isReady) local.add(address);
      const choice = chooseEndpoints(endpoints, usedPolicies(traffic, port), options);
      new PortPlan(service, port, family, traffic, choice, options).write(rules);
      if (protocolOf(port) === 'udp') {
        udp.push({
          family,
          addresses: [...traffic.clusterIps, ...traffic.externalIps, ...traffic.balancerIps],
          port: port.port,
          nodePort: port.nodePort || undefined,
          endpoints: [...new Set(choice.reachable.map(({ address }) => address))],
        });
      }
    }
  }
  const { namespace = '', name } = service.metadata;
  const { healthCheckNodePort: checked } = service.spec;
  const healthCheck = checked ? { port: checked, namespace, name, localEndpoints: local.size } : undefined;
  return { rules, udp, healthCheck };
}

const protocolOf = ({ protocol = 'TCP' }: ServicePort): string => protocol.toLowerCase();

/** A ruleset that is being written. */
class Rules implements Ruleset {
  readonly chains = new Map<string, Chain>();
  readonly sets = new Map<string, NftSet>();
  readonly elements = new Map<string, Map<string, string | undefined>>();

  element(set: string, key: string, value?: string): void {
    const elements = this.elements.get(set) ?? new Map<string, string | undefined>();
    this.elements.set(set, elements);
    elements.set(key, value);
  }
}

/** One port of a Service in one family. */
class PortPlan {
  readonly #port: ServicePort;
  readonly #family: Family;
  readonly #traffic: Traffic;
  readonly #choice: Choice;
  readonly #options: ProxyOptions;
  readonly #protocol: string;
  /** `default/web/tcp/80` */
  readonly #id: string;

  constructor(
    service: Stored<Service>,
    port: ServicePort,
    family: Family,
    traffic: Traffic,
    choice: Choice,
    options: ProxyOptions,
  ) {
    this.#port = port;
    this.#family = family;
    this.#traffic = traffic;
    this.#choice = choice;
    this.#options = options;
    this.#protocol = protocolOf(port);
    const { namespace, name } = service.metadata;
    this.#id = `${namespace}/${name}/${this.#protocol}/${port.port}`;
  }

  write(rules: Rules): void {
    const { cluster, local, reachable, hasAny } = this.#choice;
    const { isInternalLocal, isExternalLocal, affinitySeconds } = this.#traffic;
    if (affinitySeconds !== undefined) {
      for (const endpoint of reachable) this.#writeEndpoint(rules, endpoint, affinitySeconds);
    }
    if (cluster.length > 0) rules.chains.set(this.#chain('service'), { rules: this.#lead(cluster) });
    if (local.length > 0) rules.chains.set(this.#chain('local'), { rules: this.#lead(local) });
    for (const { address } of reachable) {
      rules.element(hairpinSet(this.#family), `${address} . ${address}`);
    }
    // Refused if there is nothing anywhere; dropped if there is, and the policy keeps traffic from it.
    const refusal = hasAny ? 'drop' : `goto ${REJECT_CHAIN}`;
    const inside = isInternalLocal ? local : cluster;
    this.#writeInside(rules, inside.length > 0, isInternalLocal, refusal);
    if (!isExternallyAccessible(this.#traffic, this.#port)) return;
    const outside = isExternalLocal ? local : cluster;
    if (hasAny) this.#writeExternalChain(rules, outside.length > 0);
    this.#writeOutside(rules, outside.length > 0, hasAny, refusal);
  }

  #writeInside(rules: Rules, isLed: boolean, isLocal: boolean, refusal: string): void {
    for (const address of this.#traffic.clusterIps) {
      rules.element(clusterIpsSet(this.#family), address);
      if (isLed) {
        const chain = this.#chain(isLocal ? 'local' : 'service');
        rules.element(serviceIpsMap(this.#family), this.#at(address), `goto ${chain}`);
      } else rules.element(noEndpointsMap(this.#family), this.#at(address), refusal);
    }
  }

  #writeOutside(rules: Rules, isLed: boolean, hasAny: boolean, refusal: string): void {
    const { balancerIps, externalIps, sourceRanges } = this.#traffic;
    const onward = `goto ${this.#chain('external')}`;
    const { serviceRanges } = this.#options;
    for (const address of [...externalIps, ...balancerIps]) {
      // It may be another Service's, and of two elements for one address one would prevail by chance.
      if (serviceRanges.some(({ cidr }) => isWithin(cidr, address))) continue;
      if (hasAny) rules.element(serviceIpsMap(this.#family), this.#at(address), onward);
      if (!isLed) rules.element(noEndpointsMap(this.#family), this.#at(address), refusal);
    }
    if (this.#port.nodePort) {
      const at = `${this.#protocol} . ${this.#port.nodePort}`;
      if (hasAny) rules.element(nodePortsMap(this.#family), at, onward);
      if (!isLed) rules.element(noEndpointNodePortsMap(this.#family), at, refusal);
    }
    if (balancerIps.length === 0 || sourceRanges.length === 0) return;
    const chain = this.#chain('firewall');
    rules.chains.set(chain, { rules: this.#admit(sourceRanges, balancerIps) });
    for (const address of balancerIps) {
      rules.element(firewallMap(this.#family), this.#at(address), `goto ${chain}`);
    }
  }

  /** The chain for traffic that comes by another address than the cluster's. */
  #writeExternalChain(rules: Rules, isLed: boolean): void {
    const { isExternalLocal } = this.#traffic;
    const cluster = this.#choice.cluster.length > 0 ? [`goto ${this.#chain('service')}`] : [];
    const onward = isExternalLocal ? [`goto ${this.#chain('local')}`] : cluster;
    const before = isExternalLocal
      ? [
          // As if it had gone out and come in again: neither policy holds for pods and for the machine itself.
          ...cluster.map((verdict) => `iifname "${this.#options.bridge}" ${verdict}`),
          `fib saddr type local ${MASQUERADE}`,
          ...cluster.map((verdict) => `fib saddr type local ${verdict}`),
        ]
      : [MASQUERADE];
    rules.chains.set(this.#chain('external'), { rules: [...before, ...(isLed ? onward : [])] });
  }

  /** Leads to one of them: to the one that the client was led to before, if clients are to stay. */
  #lead(endpoints: readonly ProxyEndpoint[]): string[] {
    const { ip } = this.#family;
    const spread = `numgen random mod ${endpoints.length}`;
    const { affinitySeconds } = this.#traffic;
    if (affinitySeconds === undefined) {
      const targets = endpoints.map(({ address, port }, index) => `${index} : ${address} . ${port}`);
      const protocol = `meta l4proto ${this.#protocol}`;
      return [`${protocol} dnat ${ip} addr . port to ${spread} map { ${targets.join(', ')} }`];
    }
    const chains = endpoints.map((endpoint) => this.#endpointChain(endpoint));
    return [
      ...endpoints.map(
        (endpoint, index) =>
          `${ip} saddr @${this.#affinitySet(endpoint, affinitySeconds)} goto ${chains[index]}`,
      ),
      `${spread} vmap { ${chains.map((chain, index) => `${index} : goto ${chain}`).join(', ')} }`,
    ];
  }

  /** The chain that leads to one endpoint, and remembers of a client that it did. */
  #writeEndpoint(rules: Rules, endpoint: ProxyEndpoint, seconds: number): void {
    const { address: type, ip } = this.#family;
    const set = this.#affinitySet(endpoint, seconds);
    rules.sets.set(set, { kind: 'set', type, dynamicSeconds: seconds });
    const { address, port } = endpoint;
    const target = ip === 'ip' ? `${address}:${port}` : `[${address}]:${port}`;
    rules.chains.set(this.#endpointChain(endpoint), {
      rules: [`update @${set} { ${ip} saddr }`, `meta l4proto ${this.#protocol} dnat ${ip} to ${target}`],
    });
  }

  /** Those in the ranges may come, and the machine under the balancer's own address if it is in one. */
  #admit(ranges: readonly string[], balancerIps: readonly string[]): string[] {
    const { ip } = this.#family;
    return [
      ...ranges.map((range) => `${ip} saddr ${range} return`),
      ...(this.#options.nodeIps.some((address) => ranges.some((range) => isWithin(range, address)))
        ? balancerIps.map((address) => `${ip} saddr ${address} return`)
        : []),
      'drop',
    ];
  }

  #chain(kind: 'service' | 'local' | 'external' | 'firewall'): string {
    return `${kind}${this.#family.suffix}-${this.#id}`;
  }

  #endpointChain(endpoint: ProxyEndpoint): string {
    return `endpoint${this.#family.suffix}-${this.#id}/${nameOf(endpoint)}`;
  }

  /** Its name tells how long it remembers: that of a set cannot be changed. */
  #affinitySet(endpoint: ProxyEndpoint, seconds: number): string {
    return `affinity${this.#family.suffix}-${this.#id}/${nameOf(endpoint)}/${seconds}`;
  }

  #at(address: string): string {
    return `${address} . ${this.#protocol} . ${this.#port.port}`;
  }
}

/** nft's names have no colons. */
const nameOf = ({ address, port }: ProxyEndpoint): string => `${address.replaceAll(':', '.')}/${port}`;
