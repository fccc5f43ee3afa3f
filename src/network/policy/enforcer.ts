// Keeps what NetworkPolicies ask for in the machine's nftables table, as the API says at the moment, and tells the node agent
// when a pod's addresses are under it. While there is no policy it writes no rule and keeps no book.
import type { PodIsolation } from '../../api/between/pod-isolation.ts';
import type { Namespace, NetworkPolicy, Pod } from '../../api/generated/types.ts';
import { isTerminating, keyOf, parseKey, type Stored } from '../../api/objects.ts';
import { isPodFinished } from '../../api/pod-state.ts';
import { namespaces } from '../../api/resources/namespaces/definition.ts';
import { networkPolicies } from '../../api/resources/network-policies/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { addressesOf } from '../../api/service-endpoints.ts';
import { aborted } from '../../base/abort.ts';
import { sameJson } from '../../base/same-json.ts';
import type { Informer } from '../../client/informers.ts';
import type { RunContext } from '../../client/run-context.ts';
import type { Ruleset } from '../nftables/ruleset.ts';
import type { NftTable } from '../nftables/table.ts';
import { Addresses } from './addresses.ts';
import { PolicyBook } from './book.ts';
import type { PolicyOptions } from './frame.ts';
import { factsOf, type PodFacts } from './pod-facts.ts';
import { readPolicy } from './policy.ts';

/** The name of its part of the table. */
export const POLICIES_PART = 'policies';
const NOTHING: Ruleset = { chains: new Map(), sets: new Map(), elements: new Map() };

export interface PolicyEnforcer extends PodIsolation {
  /** Ends its work; rules stay in force. */
  close(): void;
}

/**
 * Starts the enforcement; when the promise resolves, all policies are in force. Needs the caches of NetworkPolicies,
 * Namespaces and Pods, and waits for them.
 * @param table is given a part named `policies`.
 */
export async function startPolicyEnforcer(
  { informers, log }: Pick<RunContext, 'informers' | 'log'>,
  table: NftTable,
  options: PolicyOptions,
): Promise<PolicyEnforcer> {
  const enforcer = new Enforcer(table, options, {
    policies: informers.of(networkPolicies),
    namespaces: informers.of(namespaces),
    pods: informers.of(pods),
  });
  await enforcer.synced();
  await table.settled();
  log.info('NetworkPolicies are enforced');
  return enforcer;
}

interface Caches {
  policies: Informer<NetworkPolicy>;
  namespaces: Informer<Namespace>;
  pods: Informer<Pod>;
}

class Enforcer implements PolicyEnforcer {
  readonly #table: NftTable;
  readonly #options: PolicyOptions;
  readonly #caches: Caches;
  readonly #addresses = new Addresses();
  readonly #pods = new Map<string, Stored<Pod>>();
  readonly #subscriptions: ReadonlyArray<() => void>;
  readonly #synced: Promise<unknown>;
  /** While there are policies. */
  #book: PolicyBook | undefined;
  /** What has changed since it was written in the book: uids, names, and keys. */
  readonly #dirty = { pods: new Set<string>(), namespaces: new Set<string>(), policies: new Set<string>() };
  /** What the table was given last. */
  #part: Ruleset | undefined;
  #isReady = false;
  #isDue = false;
  /** Of those who wait for a pod to become known. */
  readonly #waiting: Array<() => void> = [];

  constructor(table: NftTable, options: PolicyOptions, caches: Caches) {
    this.#table = table;
    this.#options = options;
    this.#caches = caches;
    const policyChanged = (policy: Stored<NetworkPolicy>): void => {
      this.#dirty.policies.add(keyOf(policy));
      this.#writeSoon();
    };
    const namespaceChanged = ({ metadata }: Stored<Namespace>): void => {
      this.#dirty.namespaces.add(metadata.name);
      this.#writeSoon();
    };
    this.#subscriptions = [
      caches.policies.subscribe({
        added: policyChanged,
        updated: policyChanged,
        deleted: policyChanged,
      }),
      caches.namespaces.subscribe({
        added: namespaceChanged,
        updated(namespace, old) {
          if (!sameJson(namespace.metadata.labels, old.metadata.labels)) namespaceChanged(namespace);
        },
        deleted: namespaceChanged,
      }),
      caches.pods.subscribe({
        added: (pod) => this.#podChanged(pod),
        updated: (pod, old) => {
          if (pod.metadata.uid !== old.metadata.uid) this.#podGone(old);
          if (lookedAt(pod) !== lookedAt(old)) this.#podChanged(pod);
        },
        deleted: (pod) => this.#podGone(pod),
      }),
    ];
    this.#synced = Promise.all([
      caches.policies.synced(),
      caches.namespaces.synced(),
      caches.pods.synced(),
    ]).then(() => {
      this.#isReady = true;
      this.#write();
    });
  }

  async synced(): Promise<void> {
    await this.#synced;
  }

  async inForce(pod: Stored<Pod>, addresses: readonly string[], signal: AbortSignal): Promise<void> {
    const { uid, namespace, name } = pod.metadata;
    this.#addresses.tell(uid, addresses);
    const known = this.#pods.get(uid);
    if (known) this.#podChanged(known);
    if (this.#isReady && !this.#hasPolicies()) return;
    await Promise.race([this.#protect(uid, signal), aborted(signal)]);
    if (!signal.aborted) return;
    this.#addresses.forget(uid);
    const what = this.#pods.has(uid) ? 'the rules are not written yet' : 'the pod is not known yet';
    throw new Error(
      `NetworkPolicies are not in force for pod ${namespace}/${name} (${addresses.join(', ')}): ${what}`,
    );
  }

  close(): void {
    for (const end of this.#subscriptions) end();
  }

  async #protect(uid: string, signal: AbortSignal): Promise<void> {
    await this.#synced;
    while (!this.#pods.has(uid) && !signal.aborted) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#write();
    await this.#table.inForce();
  }

  #hasPolicies(): boolean {
    return this.#caches.policies.list().length > 0;
  }

  #podChanged(pod: Stored<Pod>): void {
    const { uid } = pod.metadata;
    this.#pods.set(uid, pod);
    this.#podsAreDirty([uid, ...this.#addresses.update(pod)]);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #podGone({ metadata: { uid } }: Stored<Pod>): void {
    this.#pods.delete(uid);
    this.#podsAreDirty([uid, ...this.#addresses.remove(uid)]);
  }

  #podsAreDirty(uids: readonly string[]): void {
    for (const uid of uids) this.#dirty.pods.add(uid);
    this.#writeSoon();
  }

  /** What changes in one turn is written in one. */
  #writeSoon(): void {
    if (!this.#isReady || this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      this.#write();
    });
  }

  #write(): void {
    const { pods, namespaces, policies } = this.#dirty;
    if (!this.#hasPolicies()) {
      this.#book = undefined;
      this.#put(NOTHING);
    } else {
      this.#book ??= this.#newBook();
      if (pods.size + namespaces.size + policies.size > 0) this.#put(this.#entered(this.#book));
    }
    for (const dirty of [pods, namespaces, policies]) dirty.clear();
  }

  /** Nothing stands in it yet: all that there is has to be entered. */
  #newBook(): PolicyBook {
    for (const uid of this.#pods.keys()) this.#dirty.pods.add(uid);
    for (const { metadata } of this.#caches.namespaces.list()) this.#dirty.namespaces.add(metadata.name);
    for (const policy of this.#caches.policies.list()) this.#dirty.policies.add(keyOf(policy));
    return new PolicyBook(this.#options);
  }

  #entered(book: PolicyBook): Ruleset {
    for (const name of this.#dirty.namespaces) {
      const namespace = this.#caches.namespaces.get(undefined, name);
      book.setNamespace(name, namespace && (namespace.metadata.labels ?? {}));
    }
    const changes = new Map<string, PodFacts | undefined>();
    for (const uid of this.#dirty.pods) {
      const pod = this.#pods.get(uid);
      changes.set(uid, pod && factsOf(pod, this.#addresses.of(uid), this.#options.families));
    }
    book.setPods(changes);
    for (const key of this.#dirty.policies) {
      const { namespace = '', name } = parseKey(key);
      const policy = this.#caches.policies.get(namespace, name);
      if (policy) book.setPolicy(readPolicy(policy));
      else book.removePolicy(namespace, name);
    }
    return book.ruleset();
  }

  #put(rules: Ruleset): void {
    if (rules === this.#part) return;
    this.#part = rules;
    this.#table.set(POLICIES_PART, rules);
  }
}

/** What of a pod makes a difference here. */
const lookedAt = (pod: Pod): string =>
  JSON.stringify([pod.metadata.labels, addressesOf(pod), isPodFinished(pod), isTerminating(pod)]);
