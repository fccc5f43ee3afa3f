// What the controller itself has written and not yet seen come back. Deciding again before the cache shows a pod that
// was just created, deleted or updated would be deciding on the past: OrderedReady and maxUnavailable would not hold.
import type { Pod } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';

interface Write {
  /** `unknown`: the answer was lost; whether it happened, and what became of it, only the API can say. */
  type: 'created' | 'deleted' | 'updated' | 'unknown';
  uid: string;
  version: string;
  atMs: number;
}

/** One set's writes by the name of the pod; at most as many as the set has pods. */
type Writes = Map<string, Write>;

export class OwnWrites {
  readonly #sets = new Map<string, Writes>();

  note(set: string, type: Write['type'], pod: Pod, atMs: number): void {
    const writes = this.#sets.get(set) ?? new Map<string, Write>();
    const { name = '', uid = '', resourceVersion: version = '' } = pod.metadata;
    writes.set(name, { type, uid, version, atMs });
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
   * What the cache does not show yet of the last write to each pod; undefined if it shows all.
   * @param cached the cache's pod of a name.
   * @returns when the oldest was written (0 if the outcome of one is not known, ms since the epoch), and the names of
   * those of which only the API can say whether the cache will ever show them.
   */
  unseen(
    set: string,
    cached: (name: string) => Stored<Pod> | undefined,
  ): { ask: string[]; oldestMs: number } | undefined {
    const writes = this.#sets.get(set);
    if (!writes) return undefined;
    let oldestMs = Number.POSITIVE_INFINITY;
    const ask: string[] = [];
    for (const [name, write] of writes) {
      if (isSeen(write, cached(name))) {
        writes.delete(name);
        continue;
      }
      const isUnknown = write.type === 'unknown';
      oldestMs = Math.min(oldestMs, isUnknown ? 0 : write.atMs);
      if (isUnknown || write.type === 'created') ask.push(name);
    }
    return writes.size > 0 ? { ask, oldestMs } : undefined;
  }

  /**
   * What the API says about a pod now. It ends the waiting for a creation that the cache will never show, and tells
   * what the cache has to show after a write whose answer was lost.
   */
  settle(set: string, name: string, live: Stored<Pod> | undefined, cached: Stored<Pod> | undefined): void {
    const writes = this.#sets.get(set);
    const write = writes?.get(name);
    if (!writes || !write) return;
    if (write.type === 'created') {
      // One that is still there will come; one that is gone, or is another one, will not.
      if (live?.metadata.uid !== write.uid) writes.delete(name);
      return;
    }
    if (write.type !== 'unknown') return;
    if (live) {
      const { uid, resourceVersion: version } = live.metadata;
      writes.set(name, {
        type: cached?.metadata.uid === uid ? 'updated' : 'created',
        uid,
        version,
        atMs: write.atMs,
      });
    } else if (cached) {
      const { uid, resourceVersion: version } = cached.metadata;
      writes.set(name, { type: 'deleted', uid, version, atMs: write.atMs });
    } else writes.delete(name);
  }
}

function isSeen({ type, uid, version }: Write, pod: Stored<Pod> | undefined): boolean {
  if (type === 'unknown') return false;
  if (type === 'created') return pod?.metadata.uid === uid;
  if (type === 'updated') {
    return pod?.metadata.uid !== uid || Number(pod.metadata.resourceVersion) >= Number(version);
  }
  return pod?.metadata.uid !== uid || pod.metadata.deletionTimestamp !== undefined;
}
