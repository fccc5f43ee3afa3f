// Whose an address is. Pods say in the API which they have, the node agent says it earlier, and an address that is given
// out again may for a moment be in two pods' words: it is one pod's. Only memory; nothing here looks or acts.
import type { Pod } from '../../api/generated/types.ts';
import { isTerminating, type Stored } from '../../api/objects.ts';
import { isPodFinished } from '../../api/pod-state.ts';
import { addressesOf } from '../../api/service-endpoints.ts';

interface Claim {
  addresses: readonly string[];
  /** The later of two that the agent has told of has the greater; 0 for what only the API says. */
  order: number;
  isGoing: boolean;
  createdAt: string;
}

export class Addresses {
  readonly #claims = new Map<string, Claim>();
  /** Address → uids of pods; nearly always one. */
  readonly #claimants = new Map<string, Set<string>>();
  readonly #told = new Map<string, Pick<Claim, 'addresses' | 'order'>>();
  #lastOrder = 0;

  /** The agent has given the pod these: the last word on it until it says others, or the pod is gone. */
  tell(uid: string, addresses: readonly string[]): void {
    if (this.#told.get(uid)?.addresses.join() === addresses.join()) return;
    this.#told.set(uid, { addresses, order: ++this.#lastOrder });
  }

  /** The agent's word is taken back, of a pod that is not known from the API either. */
  forget(uid: string): void {
    if (!this.#claims.has(uid)) this.#told.delete(uid);
  }

  /** The pod as the API has it. Gives the uids of all pods whose addresses may be others now, without its own. */
  update(pod: Stored<Pod>): string[] {
    const { uid, creationTimestamp: createdAt } = pod.metadata;
    // What is over has given its addresses back, and the machine's are no pod's.
    const hasNone = isPodFinished(pod) || pod.spec.hostNetwork === true;
    const { addresses, order } = this.#told.get(uid) ?? { addresses: addressesOf(pod), order: 0 };
    return this.#replace(uid, {
      addresses: hasNone ? [] : addresses,
      order,
      isGoing: isTerminating(pod),
      createdAt,
    });
  }

  /** The pod is gone. Gives as `update`. */
  remove(uid: string): string[] {
    this.#told.delete(uid);
    return this.#replace(uid, undefined);
  }

  /** The addresses that are the pod's and no other's. */
  of(uid: string): string[] {
    return (this.#claims.get(uid)?.addresses ?? []).filter((address) => this.#ownerOf(address) === uid);
  }

  #replace(uid: string, claim: Claim | undefined): string[] {
    const before = this.#claims.get(uid)?.addresses ?? [];
    const after = claim?.addresses ?? [];
    if (claim) this.#claims.set(uid, claim);
    else this.#claims.delete(uid);
    for (const address of before) {
      const claimants = this.#claimants.get(address);
      if (after.includes(address)) continue;
      claimants?.delete(uid);
      if (claimants?.size === 0) this.#claimants.delete(address);
    }
    for (const address of after) {
      const claimants = this.#claimants.get(address);
      if (claimants) claimants.add(uid);
      else this.#claimants.set(address, new Set([uid]));
    }
    const others = [...before, ...after].flatMap((address) => [...(this.#claimants.get(address) ?? [])]);
    return [...new Set(others)].filter((other) => other !== uid);
  }

  #ownerOf(address: string): string | undefined {
    const [first, ...others] = this.#claimants.get(address) ?? [];
    return others.reduce((best, uid) => (this.#isBefore(uid, best) ? uid : best), first);
  }

  /** Whether the first pod's word goes before the second's. */
  #isBefore(one: string, other: string | undefined): boolean {
    const [a, b] = [this.#claims.get(one), this.#claims.get(other ?? '')];
    if (!a || !b) return a !== undefined;
    if (a.order !== b.order) return a.order > b.order;
    if (a.isGoing !== b.isGoing) return b.isGoing;
    return a.createdAt === b.createdAt ? one < (other ?? '') : a.createdAt > b.createdAt;
  }
}
