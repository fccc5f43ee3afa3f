// What the controller itself has written and not yet seen come back. Deciding again before the cache shows a pod that
// was just created, deleted or updated would be deciding on the past: OrderedReady and maxUnavailable would not hold.
import type { Pod } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';

interface Write {
  type: 'created' | 'deleted' | 'updated';
  uid: string;
  version: string;
  atMs: number;
}

/** One set's writes by the name of the pod; at most as many as the set has pods. */
type Writes = Map<string, Write>;

export class OwnWrites {
  readonly #sets = new Map<string, Writes>();

  note(set: string, type: Write['type'], pod: Stored<Pod>, atMs: number): void {
    const writes = this.#sets.get(set) ?? new Map<string, Write>();
    writes.set(pod.metadata.name, {
      type,
      uid: pod.metadata.uid,
      version: pod.metadata.resourceVersion,
      atMs,
    });
    this.#sets.set(set, writes);
  }

  /** The pod has been seen to go: whatever was written about it is past. */
  gone(set: string, pod: Stored<Pod>): void {
    const writes = this.#sets.get(set);
    if (writes?.get(pod.metadata.name)?.uid === pod.metadata.uid) writes.delete(pod.metadata.name);
  }

  /** The set is gone. */
  forget(set: string): void {
    this.#sets.delete(set);
  }

  /**
   * The names of the pods whose last write the cache does not show, and when the oldest of them was written.
   * @param cached the cache's pod of a name.
   */
  unseen(
    set: string,
    cached: (name: string) => Stored<Pod> | undefined,
  ): { names: string[]; oldestMs: number } | undefined {
    const writes = this.#sets.get(set);
    if (!writes) return undefined;
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const [name, write] of writes) {
      if (isSeen(write, cached(name))) writes.delete(name);
      else oldestMs = Math.min(oldestMs, write.atMs);
    }
    return writes.size > 0 ? { names: [...writes.keys()], oldestMs } : undefined;
  }

  /** What the API says about a pod now: it ends the waiting for a write that the cache will never show. */
  settle(set: string, name: string, live: Stored<Pod> | undefined): void {
    const writes = this.#sets.get(set);
    const write = writes?.get(name);
    // A created pod that is still there will come; one that is gone, or is another one, will not.
    if (write && live?.metadata.uid !== write.uid) writes?.delete(name);
  }
}

function isSeen({ type, uid, version }: Write, pod: Stored<Pod> | undefined): boolean {
  if (type === 'created') return pod?.metadata.uid === uid;
  if (type === 'updated') {
    return pod?.metadata.uid !== uid || Number(pod.metadata.resourceVersion) >= Number(version);
  }
  return pod?.metadata.uid !== uid || pod.metadata.deletionTimestamp !== undefined;
}
