// What is wrong with the node ports of a Service, and can only be said: that one is of no node's range, or another
// Service's, too. Pure. Follows pkg/registry/core/service/portallocator/controller/repair.go.
import type { Service } from '../../api/generated/types.ts';
import { keyOf, type Stored } from '../../api/objects.ts';
import { NODE_PORTS, portsOf } from '../../api/resources/services/node-ports.ts';

export interface PortComplaint {
  reason: 'PortOutOfRange' | 'PortAlreadyAllocated';
  message: string;
}

/** @param having the Services that have a port, this one among them. */
export function portComplaints(
  service: Stored<Service>,
  having: (port: number) => readonly Stored<Service>[],
): PortComplaint[] {
  const { first, last } = NODE_PORTS;
  return portsOf(service.spec).flatMap((port): PortComplaint[] => {
    if (port < first || port > last) {
      const message = `Port ${port} is not within the port range ${first}-${last}; please recreate service`;
      return [{ reason: 'PortOutOfRange', message }];
    }
    // The one that had it first keeps it.
    if (!having(port).some((other) => isBefore(other, service))) return [];
    const message = `Port ${port} was assigned to multiple services; please recreate service`;
    return [{ reason: 'PortAlreadyAllocated', message }];
  });
}

function isBefore(one: Stored<Service>, other: Stored<Service>): boolean {
  const [a, b] = [one.metadata.creationTimestamp, other.metadata.creationTimestamp];
  return a === b ? keyOf(one) < keyOf(other) : a < b;
}
