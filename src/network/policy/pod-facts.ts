// What of a pod policies look at, and under which addresses. Pure.
import type { Pod } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { isSidecar } from '../../api/pod-state.ts';
import { addressesOfFamily, type Family } from '../proxy/family.ts';

export interface PodFacts {
  namespace: string;
  labels: Readonly<Record<string, string>>;
  addresses: readonly PodAddress[];
  ports: readonly NamedPort[];
}

export interface PodAddress {
  family: Family;
  text: string;
}

export interface NamedPort {
  name: string;
  protocol: string;
  number: number;
}

/** @param addresses those that are the pod's at the moment. */
export function factsOf(
  { metadata, spec }: Stored<Pod>,
  addresses: readonly string[],
  families: readonly Family[],
): PodFacts {
  const sidecars = (spec.initContainers ?? []).filter(isSidecar);
  return {
    namespace: metadata.namespace ?? '',
    labels: metadata.labels ?? {},
    addresses: families.flatMap((family) =>
      addressesOfFamily(family, addresses).map((text) => ({ family, text })),
    ),
    ports: [...spec.containers, ...sidecars].flatMap(({ ports = [] }) =>
      ports.flatMap(({ name, protocol = 'TCP', containerPort }) =>
        name ? { name, protocol: protocol.toLowerCase(), number: containerPort } : [],
      ),
    ),
  };
}
