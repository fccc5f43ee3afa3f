// What a Service says of its traffic, read as the proxy needs it. Pure. Follows pkg/proxy/serviceport.go and
// pkg/api/v1/service.
import type { Service, ServicePort } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import type { UsedPolicies } from './choice.ts';
import { addressesOfFamily, type Family, rangesOfFamily } from './family.ts';

/** On a Service that another proxy leads the traffic of. */
const PROXY_NAME = 'service.kubernetes.io/service-proxy-name';
const DEFAULT_AFFINITY_SECONDS = 10_800;

export interface Traffic {
  clusterIps: readonly string[];
  externalIps: readonly string[];
  /** Of the load balancer, as far as traffic comes here with them as its destination. */
  balancerIps: readonly string[];
  /** Who may ask the load balancer; empty: everybody. */
  sourceRanges: readonly string[];
  /** How long a client stays with an endpoint; undefined: it does not. */
  affinitySeconds: number | undefined;
  isInternalLocal: boolean;
  isExternalLocal: boolean;
}

/** Whether the rules have anything to say of the Service. */
export function isProxied({ metadata, spec }: Service): boolean {
  const hasAddress = Boolean(spec.clusterIP) && spec.clusterIP !== 'None';
  return hasAddress && spec.type !== 'ExternalName' && metadata.labels?.[PROXY_NAME] === undefined;
}

export function trafficOf({ spec, status }: Stored<Service>, family: Family): Traffic {
  const external = spec.externalIPs ?? [];
  const isExternal = spec.type === 'NodePort' || spec.type === 'LoadBalancer' || external.length > 0;
  const balancers = (status?.loadBalancer?.ingress ?? []).filter(({ ipMode }) => ipMode !== 'Proxy');
  return {
    clusterIps: addressesOfFamily(family, spec.clusterIPs ?? [spec.clusterIP]),
    externalIps: addressesOfFamily(family, external),
    balancerIps: addressesOfFamily(
      family,
      balancers.map(({ ip }) => ip),
    ),
    sourceRanges: rangesOfFamily(family, spec.loadBalancerSourceRanges ?? []),
    affinitySeconds:
      spec.sessionAffinity === 'ClientIP'
        ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS)
        : undefined,
    isInternalLocal: spec.internalTrafficPolicy === 'Local',
    isExternalLocal: isExternal && spec.externalTrafficPolicy === 'Local',
  };
}

/** Whether traffic may come to the port by another address than the cluster's. */
export function isExternallyAccessible(
  { externalIps, balancerIps }: Traffic,
  { nodePort }: ServicePort,
): boolean {
  return Boolean(nodePort) || externalIps.length > 0 || balancerIps.length > 0;
}

/** Local endpoints alone do not do for a Service with external traffic: that of pods and of the machine goes anywhere. */
export function usedPolicies(traffic: Traffic, port: ServicePort): UsedPolicies {
  const external = isExternallyAccessible(traffic, port);
  return {
    cluster: !traffic.isInternalLocal || external,
    local: traffic.isInternalLocal || (external && traffic.isExternalLocal),
  };
}
