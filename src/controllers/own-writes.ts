// What a workload controller itself has written and not yet seen come back: upstream's expectations. Deciding again
// before the cache shows an object that was just created, deleted or updated would be deciding on the past: too many pods
// would be made, and OrderedReady and maxUnavailable would not hold.
import type { KubeObject, NamespacedName, Stored } from '../api/objects.ts';

/** How long the cache is given to show the controller's own writes before the API itself is asked. */
const CACHE_GRACE_MS = 5_000;

interface Write {
  /** `unknown`: the answer was lost; whether it happened, and what became of it, only the API can say. */
  type: 'created' | 'deleted' | 'updated' | 'unknown';
  uid: string;
  version: string;
  atMs: number;
}

/** One owner's writes by the name of what was written; at most as many as it owns. */
type Writes = Map<string, Write>;

export class OwnWrites {
  readonly #owners = new Map<NamespacedName, Writes>();

  note(owner: NamespacedName, type: Write['type'], object: KubeObject, atMs: number): void {
    const writes = this.#owners.get(owner) ?? new Map<string, Write>();
    const { name = '', uid = '', resourceVersion: version = '' } = object.metadata;
    writes.set(name, { type, uid, version, atMs });
    this.#owners.set(owner, writes);
  }

  /** The object has been seen to go: whatever was written about it is past. */
  gone(owner: NamespacedName, { metadata: { name, uid } }: Stored): void {
    const writes = this.#owners.get(owner);
    if (writes?.get(name)?.uid === uid) writes.delete(name);
  }

  /** The owner is gone. */
  forget(owner: NamespacedName): void {
    this.#owners.delete(owner);
  }

  /**
   * Whether the cache does not show yet what was written of an owner's.
   * @param cached the cache's object of a name.
   * @param live the API's.
   */
  async isAhead(
    owner: NamespacedName,
    cached: (name: string) => Stored | undefined,
    live: (name: string) => Promise<Stored | undefined>,
    nowMs: number,
  ): Promise<boolean> {
    const unseen = this.unseen(owner, cached);
    if (!unseen) return false;
    if (nowMs - unseen.oldestMs < CACHE_GRACE_MS) return true;
    for (const name of unseen.ask) this.settle(owner, name, await live(name), cached(name));
    return this.unseen(owner, cached) !== undefined;
  }

  /**
   * What the cache does not show yet of the last write to each object; undefined if it shows all.
   * @param cached the cache's object of a name.
   * @returns when the oldest was written (0 if the outcome of one is not known, ms since the epoch), and the names of
   * those of which only the API can say whether the cache will ever show them.
   */
  unseen(
    owner: NamespacedName,
    cached: (name: string) => Stored | undefined,
  ): { ask: string[]; oldestMs: number } | undefined {
    const writes = this.#owners.get(owner);
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
   * What the API says about an object now. It ends the waiting for a creation that the cache will never show, and tells
   * what the cache has to show after a write whose answer was lost.
   */
  settle(owner: NamespacedName, name: string, live: Stored | undefined, cached: Stored | undefined): void {
    const writes = this.#owners.get(owner);
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

function isSeen({ type, uid, version }: Write, cached: Stored | undefined): boolean {
  const metadata = cached?.metadata;
  if (type === 'unknown') return false;
  if (type === 'created') return metadata?.uid === uid;
  if (metadata?.uid !== uid) return true;
  if (type === 'updated') return Number(metadata.resourceVersion) >= Number(version);
  return metadata.deletionTimestamp !== undefined;
}
