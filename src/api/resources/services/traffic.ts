// Rules of where a Service's traffic goes, and of its load balancer (pkg/apis/core/validation,
// validateServiceExternalTrafficPolicy and those beside it, ValidateLoadBalancerStatus).
import { isIP } from 'node:net';
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '../../errors.ts';
import type { Service, ServiceSpec } from '../../generated/types.ts';
import { dns1123Subdomain } from '../../names.ts';
import { checked, labelName, optionalOneOf, portNumber } from '../../validation/field-rules.ts';
import { ipAddress } from '../../validation/ip-rules.ts';
import { needsHealthCheck } from './needs.ts';

const POLICIES: readonly string[] = ['Cluster', 'Local'];
/** The types whose services have an address in the cluster. */
const CLUSTER_TYPES: readonly string[] = ['ClusterIP', 'LoadBalancer', 'NodePort'];
const DISTRIBUTIONS: readonly string[] = ['PreferClose', 'PreferSameNode', 'PreferSameZone'];
const IP_MODES: readonly string[] = ['Proxy', 'VIP'];
export const ONLY_FOR_BALANCERS = "may only be used when `type` is 'LoadBalancer'";

export function validateTrafficPolicies(spec: ServiceSpec): FieldError[] {
  const { type, externalTrafficPolicy: external, internalTrafficPolicy: internal } = spec;
  const errors = validateBalancerPorts(spec);
  if (!isExternallyAccessible(spec)) {
    if (external) {
      const reason = 'may only be set for externally-accessible services';
      errors.push(invalidValue('spec.externalTrafficPolicy', external, reason));
    }
  } else if (!external) errors.push(required('spec.externalTrafficPolicy'));
  else errors.push(...optionalOneOf(external, 'spec.externalTrafficPolicy', POLICIES));
  const { healthCheckNodePort: port } = spec;
  const path = 'spec.healthCheckNodePort';
  if (needsHealthCheck(spec)) errors.push(...(port ? portNumber(port, path) : [required(path)]));
  else if (port) {
    const reason = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(invalidValue(path, port, reason));
  }
  if (internal === undefined) {
    if (CLUSTER_TYPES.includes(type ?? '')) errors.push(required('spec.internalTrafficPolicy'));
  } else if (!POLICIES.includes(internal)) {
    errors.push(notSupported('spec.internalTrafficPolicy', internal, POLICIES));
  }
  const { trafficDistribution: distribution } = spec;
  if (distribution !== undefined && !DISTRIBUTIONS.includes(distribution)) {
    errors.push(notSupported('spec.trafficDistribution', distribution, DISTRIBUTIONS));
  }
  return errors;
}

function isExternallyAccessible({ type, externalIPs }: ServiceSpec): boolean {
  return (
    type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && Boolean(externalIPs?.length))
  );
}

function validateBalancerPorts({ type, allocateLoadBalancerNodePorts: allocate }: ServiceSpec): FieldError[] {
  if (type === 'LoadBalancer') {
    return allocate === undefined ? [required('allocateLoadBalancerNodePorts')] : [];
  }
  return allocate === undefined
    ? []
    : [forbiddenField('spec.allocateLoadBalancerNodePorts', ONLY_FOR_BALANCERS)];
}

export function validateLoadBalancerClass(spec: ServiceSpec): FieldError[] {
  const { loadBalancerClass } = spec;
  if (loadBalancerClass === undefined) return [];
  if (spec.type === 'LoadBalancer') return labelName(loadBalancerClass, 'spec.loadBalancerClass');
  return [forbiddenField('spec.loadBalancerClass', ONLY_FOR_BALANCERS)];
}

/** A balancer is chosen once, and asks the same port as long as it asks at all. */
export function validateTrafficUpdate({ spec }: Service, { spec: old }: Service): FieldError[] {
  const errors: FieldError[] = [];
  const both = spec.type === 'LoadBalancer' && old.type === 'LoadBalancer';
  if (both && spec.loadBalancerClass !== old.loadBalancerClass) {
    errors.push(invalidValue('spec.loadBalancerClass', spec.loadBalancerClass, 'may not change once set'));
  }
  const asked = needsHealthCheck(spec) && needsHealthCheck(old) ? old.healthCheckNodePort : undefined;
  if (asked && spec.healthCheckNodePort !== asked) {
    errors.push(forbiddenField('spec.healthCheckNodePort', 'field is immutable'));
  }
  return errors;
}

/** What a balancer reports of the ways into it. */
export function validateServiceStatusUpdate({ spec, status }: Service): FieldError[] {
  const path = 'status.loadBalancer.ingress';
  const ingress = status?.loadBalancer?.ingress ?? [];
  if (ingress.length > 0 && spec.type !== 'LoadBalancer') {
    return [forbiddenField(path, "may only be used when `spec.type` is 'LoadBalancer'")];
  }
  return ingress.flatMap(({ ip, ipMode, hostname }, index) => {
    const at = `${path}[${index}]`;
    const errors = ip ? ipAddress(ip, `${at}.ip`) : [];
    if (ipMode === undefined) {
      if (ip) errors.push(required(`${at}.ipMode`, 'must be specified when `ip` is set'));
    } else if (!ip) errors.push(forbiddenField(`${at}.ipMode`, 'may not be specified when `ip` is not set'));
    else if (!IP_MODES.includes(ipMode)) errors.push(notSupported(`${at}.ipMode`, ipMode, IP_MODES));
    if (hostname) {
      errors.push(...checked(hostname, `${at}.hostname`, dns1123Subdomain));
      if (isIP(hostname) !== 0) {
        errors.push(invalidValue(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address'));
      }
    }
    return errors;
  });
}
