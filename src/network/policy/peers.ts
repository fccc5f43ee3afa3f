// The pods that the peers of all policies select, as one set of addresses for each distinct peer, and the ports that have the
// names policies use. A pod that changes is looked at by the peers of its namespace alone. Only memory.
import type { NftSet } from '../nftables/ruleset.ts';
import type { Family } from '../proxy/family.ts';
import { ElementSet } from './element-set.ts';
import { namedPortSet, peerSet } from './names.ts';
import type { PodFacts } from './pod-facts.ts';
import type { PodPeer, Policy } from './policy.ts';

/** What becomes a set in the table, for each family. */
interface SharedSet {
  /** How many rules use it. */
  uses: number;
  sets: ReadonlyMap<Family, { name: string; declared: NftSet; elements: ElementSet }>;
}

interface PeerPods extends SharedSet {
  peer: PodPeer;
}

interface NamedPorts extends SharedSet {
  protocol: string;
  name: string;
}

export type Labels = Readonly<Record<string, string>>;

export class Peers {
  readonly #families: readonly Family[];
  readonly #peers = new Map<string, PeerPods>();
  readonly #ports = new Map<string, NamedPorts>();
  readonly #namespaces = new Map<string, Labels>();
  /** By namespace: the peers that may select pods of it. Made when it is asked for. */
  readonly #selecting = new Map<string, readonly PeerPods[]>();

  constructor(families: readonly Family[]) {
    this.#families = families;
  }

  /** @param labels undefined: no such namespace is known. Its pods have to leave before, and to enter again. */
  setNamespace(name: string, labels: Labels | undefined): void {
    if (labels) this.#namespaces.set(name, labels);
    else this.#namespaces.delete(name);
    this.#selecting.delete(name);
  }

  /** @param pods all that there are: those that a new peer selects are looked for among them. */
  use(policy: Policy, pods: () => Iterable<PodFacts>): void {
    for (const peer of peersOf(policy)) {
      const known = this.#peers.get(peer.key);
      if (known) known.uses++;
      else this.#addPeer(peer, pods());
    }
    for (const { protocol, name } of namedPortsOf(policy)) {
      const known = this.#ports.get(`${protocol}/${name}`);
      if (known) known.uses++;
      else this.#addPort(protocol, name, pods());
    }
  }

  unuse(policy: Policy): void {
    for (const { key } of peersOf(policy)) {
      const known = this.#peers.get(key);
      if (!known || --known.uses > 0) continue;
      this.#peers.delete(key);
      this.#selecting.clear();
    }
    for (const { protocol, name } of namedPortsOf(policy)) {
      const known = this.#ports.get(`${protocol}/${name}`);
      if (known && --known.uses === 0) this.#ports.delete(`${protocol}/${name}`);
    }
  }

  enter(pod: PodFacts): void {
    for (const peer of this.#selectingIn(pod.namespace)) {
      if (peer.peer.pods.matches(pod.labels)) addAddresses(peer, pod);
    }
    for (const { protocol, name } of pod.ports) {
      const named = this.#ports.get(`${protocol}/${name}`);
      if (named) addPorts(named, pod);
    }
  }

  leave(pod: PodFacts): void {
    for (const { sets } of this.#selectingIn(pod.namespace)) {
      for (const { family, text } of pod.addresses) sets.get(family)?.elements.delete(text);
    }
    for (const { protocol, name, number } of pod.ports) {
      const sets = this.#ports.get(`${protocol}/${name}`)?.sets;
      for (const { family, text } of pod.addresses) sets?.get(family)?.elements.delete(`${text} . ${number}`);
    }
  }

  *sets(): Iterable<{ name: string; declared: NftSet; elements: ElementSet }> {
    for (const { sets } of this.#peers.values()) yield* sets.values();
    for (const { sets } of this.#ports.values()) yield* sets.values();
  }

  #addPeer(peer: PodPeer, pods: Iterable<PodFacts>): void {
    const added: PeerPods = {
      peer,
      ...this.#shared(
        (family) => peerSet(peer, family),
        ({ address }) => address,
      ),
    };
    this.#peers.set(peer.key, added);
    this.#selecting.clear();
    const where = new Map<string, boolean>();
    for (const pod of pods) {
      const { namespace } = pod;
      const isWithin = where.get(namespace) ?? this.#maySelect(peer, namespace);
      where.set(namespace, isWithin);
      if (isWithin && peer.pods.matches(pod.labels)) addAddresses(added, pod);
    }
  }

  #addPort(protocol: string, name: string, pods: Iterable<PodFacts>): void {
    const added: NamedPorts = {
      protocol,
      name,
      ...this.#shared(
        (family) => namedPortSet(protocol, name, family),
        ({ address }) => `${address} . inet_service`,
      ),
    };
    this.#ports.set(`${protocol}/${name}`, added);
    for (const pod of pods) addPorts(added, pod);
  }

  #shared(nameOf: (family: Family) => string, typeOf: (family: Family) => string): SharedSet {
    const sets = this.#families.map(
      (family): [Family, { name: string; declared: NftSet; elements: ElementSet }] => [
        family,
        { name: nameOf(family), declared: { kind: 'set', type: typeOf(family) }, elements: new ElementSet() },
      ],
    );
    return { uses: 1, sets: new Map(sets) };
  }

  #selectingIn(namespace: string): readonly PeerPods[] {
    const known = this.#selecting.get(namespace);
    if (known) return known;
    const found = [...this.#peers.values()].filter(({ peer }) => this.#maySelect(peer, namespace));
    this.#selecting.set(namespace, found);
    return found;
  }

  /** Nothing is said of a namespace that is not known: what its labels are may make a difference. */
  #maySelect({ namespaces }: PodPeer, namespace: string): boolean {
    if (typeof namespaces === 'string') return namespaces === namespace;
    const labels = this.#namespaces.get(namespace);
    return labels !== undefined && namespaces.matches(labels);
  }
}

function addAddresses({ sets }: PeerPods, { addresses }: PodFacts): void {
  for (const { family, text } of addresses) sets.get(family)?.elements.set(text);
}

function addPorts({ sets, protocol, name }: NamedPorts, { addresses, ports }: PodFacts): void {
  for (const port of ports) {
    if (port.name !== name || port.protocol !== protocol) continue;
    for (const { family, text } of addresses) sets.get(family)?.elements.set(`${text} . ${port.number}`);
  }
}

function peersOf({ rules }: Policy): PodPeer[] {
  return [...rules.values()].flatMap((some) =>
    some.flatMap(({ peers = [] }) => peers.flatMap((peer) => ('pods' in peer ? peer.pods : []))),
  );
}

function namedPortsOf({ rules }: Policy): Array<{ protocol: string; name: string }> {
  return [...rules.values()].flatMap((some) =>
    some.flatMap(({ ports = [] }) =>
      ports.flatMap(({ protocol, port }) => (typeof port === 'string' ? { protocol, name: port } : [])),
    ),
  );
}
