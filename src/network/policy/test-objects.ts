// Objects for tests of policies, as short as they can be said.
import type { NetworkPolicy, NetworkPolicySpec, Pod } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { setNetworkPolicyDefaults } from '../../api/resources/network-policies/defaults.ts';

type Labels = Record<string, string>;

const meta = { resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };

export interface TestPod {
  name: string;
  namespace?: string;
  labels?: Labels;
  addresses: readonly string[];
  ports?: readonly { name: string; protocol?: string; containerPort: number }[];
  hostNetwork?: boolean;
  phase?: string;
}

export function podOf(pod: TestPod): Stored<Pod> {
  const { name, namespace = 'default', labels = {}, addresses, ports = [], hostNetwork, phase } = pod;
  return {
    metadata: { ...meta, uid: `${namespace}/${name}`, name, namespace, labels },
    spec: { containers: [{ name: 'c', ports: [...ports] }], ...(hostNetwork && { hostNetwork }) },
    status: { phase: phase ?? 'Running', podIPs: addresses.map((ip) => ({ ip })) },
  };
}

/** As the API gives it out: with its defaults. */
export function policyOf(
  name: string,
  spec: NetworkPolicySpec,
  namespace = 'default',
): Stored<NetworkPolicy> {
  const policy = { metadata: { ...meta, uid: `${namespace}/${name}`, name, namespace }, spec: { ...spec } };
  setNetworkPolicyDefaults(policy);
  return policy;
}
