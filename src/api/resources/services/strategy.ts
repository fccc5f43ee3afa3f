// What creating and updating mean for a Service: clusterIP and clusterIPs say the same, and an update that leaves out
// what was given out keeps it (pkg/registry/core/service/storage, patchAllocatedValues and NormalizeClusterIPs).

import { present } from '../../../base/present.ts';
import type { Service, ServicePort } from '../../generated/types.ts';
import type { Strategy } from '../../resource.ts';
import { keepStatus } from '../shared/status-strategy.ts';
import { validateServiceStatusUpdate } from './traffic.ts';
import { dropTypeDependentFields } from './type-change.ts';
import { validateServiceUpdate } from './update-validation.ts';
import { validateService } from './validation.ts';
import { serviceWarnings } from './warnings.ts';

const needsClusterIP = (service: Service): boolean => service.spec.type !== 'ExternalName';
const needsNodePort = (service: Service): boolean =>
  service.spec.type === 'NodePort' || service.spec.type === 'LoadBalancer';

/** Old clients set only clusterIP. */
function fillClusterIPs(service: Service): void {
  const { clusterIP, clusterIPs } = service.spec;
  if (clusterIP && !clusterIPs?.length) service.spec = { ...service.spec, clusterIPs: [clusterIP] };
}

/** Node ports of the old service by the port that they lead to. */
function keepNodePorts(ports: readonly ServicePort[], old: readonly ServicePort[]): ServicePort[] {
  const taken = new Set(ports.map(({ nodePort }) => nodePort));
  return ports.map((port) => {
    if (port.nodePort) return port;
    const same = old.find((it) => it.port === port.port && it.protocol === port.protocol);
    if (!same?.nodePort || taken.has(same.nodePort)) return port;
    taken.add(same.nodePort);
    return { ...port, nodePort: same.nodePort };
  });
}

export const serviceStrategy: Strategy<Service> = {
  prepareForCreate(service) {
    service.status = { loadBalancer: {} };
    fillClusterIPs(service);
  },
  validateCreate: validateService,
  warnings: serviceWarnings,
  prepareForUpdate(service, old) {
    keepStatus(service, old);
    if (needsClusterIP(service) && needsClusterIP(old)) {
      const { clusterIP, clusterIPs } = service.spec;
      if (!clusterIP && !clusterIPs?.length && old.spec.clusterIP) {
        const { clusterIP: address, clusterIPs: addresses } = old.spec;
        service.spec = present({ ...service.spec, clusterIP: address, clusterIPs: addresses });
      } else if (clusterIP !== old.spec.clusterIP && clusterIPs?.[0] === old.spec.clusterIPs?.[0]) {
        // Only the singular field was changed: the plural follows, and validation judges the change.
        service.spec = { ...service.spec, clusterIPs: clusterIP ? [clusterIP] : [] };
      }
    }
    fillClusterIPs(service);
    if (needsNodePort(service) && needsNodePort(old)) {
      service.spec = {
        ...service.spec,
        ports: keepNodePorts(service.spec.ports ?? [], old.spec.ports ?? []),
      };
    }
    dropTypeDependentFields(service, old);
  },
  validateUpdate: validateServiceUpdate,
  validateStatusUpdate: validateServiceStatusUpdate,
};
