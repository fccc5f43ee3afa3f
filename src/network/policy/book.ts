// What all policies together make of the table, kept up to date by what changes: a pod that comes or goes is a few elements, a
// policy is its own chains and the pods of its namespace. Only memory, and pure towards the outside: the same policies, pods
// and namespaces give the same rules, in whatever order they came.
import type { Chain, Elements, NftSet, Ruleset } from '../nftables/ruleset.ts';
import type { Family } from '../proxy/family.ts';
import { ElementSet } from './element-set.ts';
import { frame, type PolicyOptions } from './frame.ts';
import { podsChain, policyChain, selfSet, verdictMap } from './names.ts';
import { type Labels, Peers } from './peers.ts';
import type { PodFacts } from './pod-facts.ts';
import { DIRECTIONS, type Direction, type Policy } from './policy.ts';
import { rulesOfPolicy } from './rules.ts';

export class PolicyBook {
  readonly #frame: Ruleset;
  readonly #families: readonly Family[];
  readonly #peers: Peers;
  /** By namespace and name. */
  readonly #policies = new Map<string, Map<string, Policy>>();
  /** By namespace and uid; those that have an address. */
  readonly #pods = new Map<string, Map<string, PodFacts>>();
  readonly #namespaceOf = new Map<string, string>();
  readonly #chains = new Map<string, Chain>();
  /** How many pods' elements lead to a chain. */
  readonly #leading = new Map<string, number>();
  /** Of the maps and sets that the frame declares. */
  readonly #elements = new Map<string, ElementSet>();

  constructor(options: PolicyOptions) {
    this.#frame = frame(options);
    this.#families = options.families;
    this.#peers = new Peers(options.families);
    for (const name of this.#frame.sets.keys()) this.#elements.set(name, new ElementSet());
  }

  /** Adds a policy, or puts it in the place of the one of its name. */
  setPolicy(policy: Policy): void {
    this.#changePolicy(policy.namespace, policy.name, policy);
  }

  removePolicy(namespace: string, name: string): void {
    this.#changePolicy(namespace, name, undefined);
  }

  /** @param labels undefined: there is no such namespace any more. */
  setNamespace(name: string, labels: Labels | undefined): void {
    const pods = [...(this.#pods.get(name)?.values() ?? [])];
    for (const pod of pods) this.#peers.leave(pod);
    this.#peers.setNamespace(name, labels);
    for (const pod of pods) this.#peers.enter(pod);
  }

  /** @param changes by uid, all at once: an address may go from one pod to another. Undefined: there is none any more. */
  setPods(changes: ReadonlyMap<string, PodFacts | undefined>): void {
    for (const uid of changes.keys()) this.#removePod(uid);
    for (const [uid, pod] of changes) if (pod) this.#addPod(uid, pod);
  }

  /** All rules, as they are now: what comes later does not change them. */
  ruleset(): Ruleset {
    const sets = new Map<string, NftSet>(this.#frame.sets);
    const elements = new Map<string, Elements>();
    for (const [name, set] of this.#elements) elements.set(name, set.snapshot());
    for (const { name, declared, elements: set } of this.#peers.sets()) {
      sets.set(name, declared);
      elements.set(name, set.snapshot());
    }
    return { chains: new Map([...this.#frame.chains, ...this.#chains]), sets, elements };
  }

  #changePolicy(namespace: string, name: string, policy: Policy | undefined): void {
    const policies = this.#policies.get(namespace) ?? new Map<string, Policy>();
    const before = policies.get(name);
    const pods = [...(this.#pods.get(namespace)?.values() ?? [])].filter(
      ({ labels }) => before?.selects.matches(labels) || policy?.selects.matches(labels),
    );
    for (const pod of pods) this.#removeVerdicts(pod);
    if (policy) this.#peers.use(policy, () => this.#allPods());
    if (before) this.#peers.unuse(before);
    if (policy) policies.set(name, policy);
    else policies.delete(name);
    if (policies.size > 0) this.#policies.set(namespace, policies);
    else this.#policies.delete(namespace);
    for (const direction of DIRECTIONS) {
      const rules = policy && rulesOfPolicy(policy, direction, this.#families);
      const chain = policyChain(direction, namespace, name);
      if (rules) this.#chains.set(chain, { rules });
      else this.#chains.delete(chain);
    }
    for (const pod of pods) this.#addVerdicts(pod);
  }

  *#allPods(): Iterable<PodFacts> {
    for (const pods of this.#pods.values()) yield* pods.values();
  }

  #addPod(uid: string, pod: PodFacts): void {
    if (pod.addresses.length === 0) return;
    const pods = this.#pods.get(pod.namespace) ?? new Map<string, PodFacts>();
    this.#pods.set(pod.namespace, pods);
    pods.set(uid, pod);
    this.#namespaceOf.set(uid, pod.namespace);
    for (const { family, text } of pod.addresses) {
      this.#elements.get(selfSet(family))?.set(`${text} . ${text}`);
    }
    this.#peers.enter(pod);
    this.#addVerdicts(pod);
  }

  #removePod(uid: string): void {
    const namespace = this.#namespaceOf.get(uid) ?? '';
    const pods = this.#pods.get(namespace);
    const pod = pods?.get(uid);
    if (!pod) return;
    pods?.delete(uid);
    this.#namespaceOf.delete(uid);
    if (pods?.size === 0) this.#pods.delete(namespace);
    for (const { family, text } of pod.addresses) {
      this.#elements.get(selfSet(family))?.delete(`${text} . ${text}`);
    }
    this.#peers.leave(pod);
    this.#removeVerdicts(pod);
  }

  /** What nobody isolates may pass; the others have a chain, shared by all that the same policies isolate. */
  #addVerdicts(pod: PodFacts): void {
    for (const direction of DIRECTIONS) {
      const policies = this.#isolating(pod, direction);
      const chain = podsChain(direction, pod.namespace, policies);
      if (policies.length > 0) {
        this.#leading.set(chain, (this.#leading.get(chain) ?? 0) + 1);
        const jumps = policies.map((name) => `jump ${policyChain(direction, pod.namespace, name)}`);
        if (!this.#chains.has(chain)) this.#chains.set(chain, { rules: [...jumps, 'drop'] });
      }
      for (const { family, text } of pod.addresses) {
        const verdict = policies.length > 0 ? `goto ${chain}` : 'accept';
        this.#elements.get(verdictMap(direction, family))?.set(text, verdict);
      }
    }
  }

  /** Asked before the policies or the pod are others: it takes away what they led to. */
  #removeVerdicts(pod: PodFacts): void {
    for (const direction of DIRECTIONS) {
      for (const { family, text } of pod.addresses) {
        this.#elements.get(verdictMap(direction, family))?.delete(text);
      }
      const policies = this.#isolating(pod, direction);
      if (policies.length === 0) continue;
      const chain = podsChain(direction, pod.namespace, policies);
      const left = (this.#leading.get(chain) ?? 0) - 1;
      if (left > 0) this.#leading.set(chain, left);
      else {
        this.#leading.delete(chain);
        this.#chains.delete(chain);
      }
    }
  }

  /** The names of the policies that isolate the pod, in an order that is always the same. */
  #isolating({ namespace, labels }: PodFacts, direction: Direction): string[] {
    return [...(this.#policies.get(namespace)?.values() ?? [])]
      .filter(({ rules, selects }) => rules.has(direction) && selects.matches(labels))
      .map(({ name }) => name)
      .sort();
  }
}
