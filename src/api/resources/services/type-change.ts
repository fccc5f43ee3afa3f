// What a Service loses when it becomes one of another type: what the old type gave it and the new one does not have,
// unless the client asks for something else in the same write, which validation then judges
// (pkg/registry/core/service/strategy.go, dropTypeDependentFields).
import type { Service, ServiceSpec } from '../../generated/types.ts';

const usesNodePorts = ({ type }: ServiceSpec): boolean => type === 'NodePort' || type === 'LoadBalancer';
const isBalancer = ({ type }: ServiceSpec): boolean => type === 'LoadBalancer';

function isReachedFromOutside(spec: ServiceSpec): boolean {
  return usesNodePorts(spec) || (spec.type === 'ClusterIP' && Boolean(spec.externalIPs?.length));
}

function hasHealthCheck(spec: ServiceSpec): boolean {
  return isBalancer(spec) && spec.externalTrafficPolicy === 'Local';
}

function sameNodePorts({ ports = [] }: ServiceSpec, { ports: old = [] }: ServiceSpec): boolean {
  const before = new Set(old.map(({ nodePort }) => nodePort));
  return ports.every(({ nodePort }) => !nodePort || before.has(nodePort));
}

/** Changes the new service in place. */
export function dropTypeDependentFields(service: Service, { spec: old }: Service): void {
  const spec: ServiceSpec = { ...service.spec };
  /** Whether a field is as it was, and only the old type has it. */
  const left = (has: (spec: ServiceSpec) => boolean, field: keyof ServiceSpec): boolean =>
    has(old) && !has(spec) && spec[field] === old[field];
  if (usesNodePorts(old) && !usesNodePorts(spec) && sameNodePorts(spec, old) && spec.ports) {
    spec.ports = spec.ports.map(({ nodePort: _, ...port }) => port);
  }
  // The policy decides whether there is a check: it goes last.
  if (left(hasHealthCheck, 'healthCheckNodePort')) delete spec.healthCheckNodePort;
  if (left(isBalancer, 'allocateLoadBalancerNodePorts')) delete spec.allocateLoadBalancerNodePorts;
  if (left(isBalancer, 'loadBalancerClass')) delete spec.loadBalancerClass;
  if (left(isReachedFromOutside, 'externalTrafficPolicy')) delete spec.externalTrafficPolicy;
  service.spec = spec;
}
