// What a Service loses when it becomes one of another type: what the old type gave it and the new one does not have,
// unless the client asks for something else in the same write, which validation then judges
// (pkg/registry/core/service/strategy.go, dropTypeDependentFields).
import { sameJson } from '../../../base/same-json.ts';
import type { ServiceSpec } from '../../generated/types.ts';
import { mayHaveNodePorts, needsClusterIP, needsHealthCheck, needsNodePort } from './needs.ts';

const isBalancer = ({ type }: ServiceSpec): boolean => type === 'LoadBalancer';

function isReachedFromOutside(spec: ServiceSpec): boolean {
  return mayHaveNodePorts(spec) || (spec.type === 'ClusterIP' && Boolean(spec.externalIPs?.length));
}

function sameNodePorts({ ports = [] }: ServiceSpec, { ports: old = [] }: ServiceSpec): boolean {
  const before = new Set(old.map(({ nodePort }) => nodePort));
  return ports.every(({ nodePort }) => !nodePort || before.has(nodePort));
}

/** The spec of an update without what only the old type had. */
export function withoutTypeDependentFields(given: ServiceSpec, old: ServiceSpec): ServiceSpec {
  const spec: ServiceSpec = { ...given };
  /** Whether a field is as it was, and only the old type has it. */
  const left = (has: (spec: ServiceSpec) => boolean, field: keyof ServiceSpec): boolean =>
    has(old) && !has(given) && sameJson(spec[field], old[field]);
  if (left(needsClusterIP, 'clusterIPs')) {
    delete spec.clusterIP;
    delete spec.clusterIPs;
  }
  if (left(needsClusterIP, 'ipFamilies')) delete spec.ipFamilies;
  if (left(needsClusterIP, 'ipFamilyPolicy')) delete spec.ipFamilyPolicy;
  if (left(needsClusterIP, 'internalTrafficPolicy')) delete spec.internalTrafficPolicy;
  if (needsNodePort(old) && !needsNodePort(spec) && sameNodePorts(spec, old) && spec.ports) {
    spec.ports = spec.ports.map(({ nodePort: _, ...port }) => port);
  }
  if (left(needsHealthCheck, 'healthCheckNodePort')) delete spec.healthCheckNodePort;
  if (left(isBalancer, 'allocateLoadBalancerNodePorts')) delete spec.allocateLoadBalancerNodePorts;
  if (left(isBalancer, 'loadBalancerClass')) delete spec.loadBalancerClass;
  if (left(isReachedFromOutside, 'externalTrafficPolicy')) delete spec.externalTrafficPolicy;
  return spec;
}
