// What a NetworkPolicy says, read for whoever makes rules of it: which pods it isolates in which direction, and what it allows
// them. Pure. Follows the API's documentation of NetworkPolicySpec.
import type {
  LabelSelector,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
} from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { type Selector, selectorOf } from '../../api/selectors.ts';

export type Direction = 'ingress' | 'egress';
export const DIRECTIONS: readonly Direction[] = ['ingress', 'egress'];

export interface Policy {
  namespace: string;
  name: string;
  /** Which pods of its namespace it is about. */
  selects: Selector;
  /** What it allows them, by direction; in a direction that is missing it says nothing of them. */
  rules: ReadonlyMap<Direction, readonly Rule[]>;
}

/** Allows what comes from, or goes to, one of the peers by one of the ports. */
export interface Rule {
  /** Undefined: everybody. */
  peers: readonly Peer[] | undefined;
  /** Undefined: every port of every protocol. */
  ports: readonly PolicyPort[] | undefined;
}

export type Peer = { pods: PodPeer } | { block: AddressBlock };

/** Pods, wherever they are selected by the same words. */
export interface PodPeer {
  /** The same for peers that say the same. */
  key: string;
  /** Pods of one namespace, by its name, or of those that are selected. */
  namespaces: string | Selector;
  pods: Selector;
}

export interface AddressBlock {
  cidr: string;
  except: readonly string[];
}

export interface PolicyPort {
  protocol: string;
  /** A number, the name that the destination has for it, or undefined: all of the protocol. */
  port: number | string | undefined;
  /** The last of a range that begins with the port. */
  endPort: number | undefined;
}

export function readPolicy({ metadata, spec }: Stored<NetworkPolicy>): Policy {
  const { namespace = '', name } = metadata;
  const rules = new Map<Direction, readonly Rule[]>();
  const ruleOf = (peers: NetworkPolicyPeer[] = [], ports: NetworkPolicyPort[] = []): Rule => ({
    peers: peers.length > 0 ? peers.flatMap((peer) => readPeer(peer, namespace)) : undefined,
    ports: ports.length > 0 ? ports.map(readPort) : undefined,
  });
  // The API gives every policy its types (SetDefaults_NetworkPolicy).
  for (const type of spec?.policyTypes ?? []) {
    if (type === 'Ingress') {
      rules.set(
        'ingress',
        (spec?.ingress ?? []).map(({ from, ports }) => ruleOf(from, ports)),
      );
    } else if (type === 'Egress') {
      rules.set(
        'egress',
        (spec?.egress ?? []).map(({ to, ports }) => ruleOf(to, ports)),
      );
    }
  }
  return { namespace, name, selects: selectorOf(spec?.podSelector ?? {}), rules };
}

function readPeer({ ipBlock, podSelector, namespaceSelector }: NetworkPolicyPeer, namespace: string): Peer[] {
  if (ipBlock) return [{ block: { cidr: ipBlock.cidr, except: ipBlock.except ?? [] } }];
  if (!podSelector && !namespaceSelector) return [];
  const pods = podSelector ?? {};
  const where = namespaceSelector ? spelling(namespaceSelector) : namespace;
  return [
    {
      pods: {
        key: JSON.stringify([where, spelling(pods)]),
        namespaces: namespaceSelector ? selectorOf(namespaceSelector) : namespace,
        pods: selectorOf(pods),
      },
    },
  ];
}

/** The same for selectors that say the same in another order of labels. */
function spelling({ matchLabels = {}, matchExpressions = [] }: LabelSelector): unknown {
  return [Object.entries(matchLabels).sort(([a], [b]) => (a < b ? -1 : 1)), matchExpressions];
}

const readPort = ({ protocol = 'TCP', port, endPort }: NetworkPolicyPort): PolicyPort => ({
  protocol: protocol.toLowerCase(),
  port,
  endPort,
});
