// What was given to a Service is kept by an update that leaves it out, and clusterIP and clusterIPs say the same
// (pkg/registry/core/service/storage/storage.go, patchAllocatedValues and normalizeClusterIPs). Nothing new is given here.
import { present } from '../../../base/present.ts';
import { sameJson } from '../../../base/same-json.ts';
import type { ServicePort, ServiceSpec } from '../../generated/types.ts';
import { needsClusterIP, needsHealthCheck, needsNodePort } from './needs.ts';

/** The spec of a new Service: old clients set only clusterIP. */
export function withClusterIPs(spec: ServiceSpec): ServiceSpec {
  const { clusterIP, clusterIPs = [] } = spec;
  return clusterIP && clusterIPs.length === 0 ? { ...spec, clusterIPs: [clusterIP] } : spec;
}

/** The spec of an update, with what the old one was given and this one does not speak of. */
export function withAllocatedValues(spec: ServiceSpec, old: ServiceSpec): ServiceSpec {
  const next = { ...spec };
  if (needsClusterIP(old) && needsClusterIP(spec)) {
    if (!next.clusterIP && old.clusterIP) next.clusterIP = old.clusterIP;
    if (!next.clusterIPs?.length && old.clusterIPs?.length) next.clusterIPs = old.clusterIPs;
  }
  if (needsNodePort(old) && needsNodePort(spec))
    next.ports = withNodePorts(spec.ports ?? [], old.ports ?? []);
  if (needsHealthCheck(old) && needsHealthCheck(spec) && !next.healthCheckNodePort) {
    return sameAddresses(present({ ...next, healthCheckNodePort: old.healthCheckNodePort }), old);
  }
  return sameAddresses(next, old);
}

/** Each port without one gets the node port of the old port of its name, unless another port has that now. */
function withNodePorts(ports: readonly ServicePort[], old: readonly ServicePort[]): ServicePort[] {
  const now = new Set(ports.map(({ nodePort }) => nodePort));
  const byName = new Map(old.map(({ name = '', nodePort }) => [name, nodePort]));
  return ports.map((port) => {
    const before = byName.get(port.name ?? '');
    return port.nodePort || !before || now.has(before) ? port : { ...port, nodePort: before };
  });
}

/** If only one of the two fields was changed, the other follows; what it may become, validation says. */
function sameAddresses(spec: ServiceSpec, old: ServiceSpec): ServiceSpec {
  const { clusterIP = '', clusterIPs = [] } = spec;
  const { clusterIP: before = '', clusterIPs: allBefore = [] } = old;
  if (clusterIP === before) {
    return clusterIPs.length === 0 && allBefore.length > 0 ? { ...spec, clusterIPs: allBefore } : spec;
  }
  if (!sameJson(clusterIPs, allBefore)) return spec;
  if (clusterIP) return { ...spec, clusterIPs: [clusterIP] };
  const { clusterIPs: _, ...rest } = spec;
  return rest;
}
