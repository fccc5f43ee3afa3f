// What NetworkPolicies allow, told straight from their documentation and by nothing that the rules are made with: what the rules
// are compared to. https://kubernetes.io/docs/concepts/services-networking/network-policies/
import { BlockList, isIPv4 } from 'node:net';
import type {
  LabelSelector,
  Namespace,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  Pod,
} from '../../api/generated/types.ts';

/** One end of a connection: a pod under one of its addresses, or whoever has an address. */
export interface End {
  address: string;
  pod?: Pod;
}

export interface Cluster {
  policies: readonly NetworkPolicy[];
  namespaces: readonly Namespace[];
}

/** Whether a new connection from one end to the port of another may be. */
export function isAllowed(cluster: Cluster, from: End, to: End, port: number, protocol: string): boolean {
  if (from.address === to.address) return true;
  const isFine = (type: 'Ingress' | 'Egress', own: End, peer: End): boolean => {
    if (!own.pod) return true;
    const { pod } = own;
    const isolating = cluster.policies.filter(
      ({ metadata, spec }) =>
        metadata.namespace === pod.metadata.namespace &&
        spec?.policyTypes?.includes(type) &&
        selects(spec.podSelector ?? {}, pod.metadata.labels),
    );
    if (isolating.length === 0) return true;
    return isolating.some(({ metadata, spec }) => {
      const rules =
        type === 'Ingress'
          ? (spec?.ingress ?? []).map(({ from: peers, ports }) => ({ peers, ports }))
          : (spec?.egress ?? []).map(({ to: peers, ports }) => ({ peers, ports }));
      return rules.some(
        ({ peers = [], ports = [] }) =>
          (peers.length === 0 || peers.some((one) => isPeer(cluster, one, metadata.namespace, peer))) &&
          (ports.length === 0 || ports.some((one) => isPort(one, to, port, protocol))),
      );
    });
  };
  return isFine('Egress', from, to) && isFine('Ingress', to, from);
}

function isPeer(
  { namespaces }: Cluster,
  { ipBlock, namespaceSelector, podSelector }: NetworkPolicyPeer,
  namespace: string | undefined,
  { address, pod }: End,
): boolean {
  if (ipBlock) {
    return isIn(address, ipBlock.cidr) && !(ipBlock.except ?? []).some((range) => isIn(address, range));
  }
  if (!pod) return false;
  const home = namespaces.find(({ metadata }) => metadata.name === pod.metadata.namespace);
  const isThere = namespaceSelector
    ? home !== undefined && selects(namespaceSelector, home.metadata.labels)
    : pod.metadata.namespace === namespace;
  return isThere && (!podSelector || selects(podSelector, pod.metadata.labels));
}

function isPort(
  { port, endPort, protocol = 'TCP' }: NetworkPolicyPort,
  { pod }: End,
  number: number,
  wanted: string,
): boolean {
  if (protocol !== wanted) return false;
  if (port === undefined) return true;
  if (typeof port === 'number') return number >= port && number <= (endPort ?? port);
  return (pod?.spec.containers ?? []).some(({ ports = [] }) =>
    ports.some(
      (own) => own.name === port && (own.protocol ?? 'TCP') === protocol && own.containerPort === number,
    ),
  );
}

function selects(
  { matchLabels = {}, matchExpressions = [] }: LabelSelector,
  labels: Record<string, string> = {},
) {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'In') return value !== undefined && values.includes(value);
      if (operator === 'NotIn') return value === undefined || !values.includes(value);
      return operator === 'Exists' ? value !== undefined : value === undefined;
    })
  );
}

function isIn(address: string, range: string): boolean {
  const [network = '', prefix = ''] = range.split('/');
  const [family, other] = [address, network].map((text) => (isIPv4(text) ? 'ipv4' : 'ipv6'));
  if (family === undefined || family !== other) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(prefix), family);
  return list.check(address, family);
}
