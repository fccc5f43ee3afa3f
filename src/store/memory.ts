// The store in memory: for tests, the simulator and the test kit. It keeps the whole contract but durability, and
// everything happens within the call, so that a run on virtual time replays exactly.
import type {
  Entry,
  ListOptions,
  ListResult,
  Store,
  StoreEvent,
  WatchOptions,
  WriteResult,
} from './store.ts';
import { CompactedError } from './store.ts';
import { keyOfEvent, revisionOfEvent, Watchers } from './watchers.ts';

/** One version of a key; without an entry, the key was deleted at that revision. */
interface Version {
  revision: number;
  entry: Entry | undefined;
}

/** An empty store that lasts as long as the process. */
export function openMemoryStore(): Store {
  return new MemoryStore();
}

class MemoryStore implements Store {
  /** Every key with a version that is kept, in order. */
  readonly #keys: string[] = [];
  /** The kept versions of a key, oldest first; never empty. */
  readonly #versions = new Map<string, Version[]>();
  /** The events after the compaction revision, oldest first. */
  #log: StoreEvent[] = [];
  readonly #watchers = new Watchers();
  #revision = 0;
  #compacted = 0;
  #closed = false;

  async revision(): Promise<number> {
    this.#mustBeOpen();
    return this.#revision;
  }

  reusableBytes(): number {
    return Number.POSITIVE_INFINITY;
  }

  async get(key: string): Promise<Entry | undefined> {
    this.#mustBeOpen();
    return this.#current(key);
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListResult> {
    this.#mustBeOpen();
    const revision = options.revision ?? this.#revision;
    if (revision < this.#compacted) throw new CompactedError(this.#compacted);
    const limit = options.limit ?? Number.POSITIVE_INFINITY;
    const entries: Entry[] = [];
    const after = options.after;
    const start = after !== undefined && after >= prefix ? firstAfter(this.#keys, after) : this.#from(prefix);
    for (let i = start; i < this.#keys.length; i++) {
      const key = this.#keys[i];
      if (key === undefined || !key.startsWith(prefix)) break;
      const entry = this.#at(key, revision);
      if (!entry) continue;
      if (entries.length >= limit) return { entries, revision, more: true };
      entries.push(entry);
    }
    return { entries, revision, more: false };
  }

  async count(prefix: string): Promise<number> {
    return (await this.list(prefix)).entries.length;
  }

  async put(key: string, value: Uint8Array, expectedRevision: number): Promise<WriteResult> {
    this.#mustBeOpen();
    const previous = this.#current(key);
    if ((previous?.revision ?? 0) !== expectedRevision) return { ok: false, current: previous };
    const revision = ++this.#revision;
    const entry = { key, value, revision, createRevision: previous?.createRevision ?? revision };
    this.#commit(key, { revision, entry }, { type: 'put', entry });
    return { ok: true, revision };
  }

  async delete(key: string, expectedRevision: number): Promise<WriteResult> {
    this.#mustBeOpen();
    const previous = this.#current(key);
    if (!previous || previous.revision !== expectedRevision) return { ok: false, current: previous };
    const revision = ++this.#revision;
    this.#commit(key, { revision, entry: undefined }, { type: 'delete', key, revision, previous });
    return { ok: true, revision };
  }

  watch(options: WatchOptions): () => void {
    if (this.#closed) return this.#watchers.refuse(options, closed());
    if (options.afterRevision < this.#compacted)
      return this.#watchers.refuse(options, new CompactedError(this.#compacted));
    const backlog = this.#log.slice(logIndexAfter(this.#log, options.afterRevision));
    const wanted = backlog.filter((event) => keyOfEvent(event).startsWith(options.prefix));
    return this.#watchers.add(options, wanted, this.#revision);
  }

  async compact(revision: number): Promise<void> {
    this.#mustBeOpen();
    const target = Math.min(revision, this.#revision);
    if (target <= this.#compacted) return;
    const forgotten = this.#log.slice(0, logIndexAfter(this.#log, target));
    this.#log = this.#log.slice(forgotten.length);
    this.#compacted = target;
    for (const key of new Set(forgotten.map(keyOfEvent))) this.#forgetVersions(key, target);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#watchers.end(closed());
  }

  #mustBeOpen(): void {
    if (this.#closed) throw closed();
  }

  #current(key: string): Entry | undefined {
    return this.#versions.get(key)?.at(-1)?.entry;
  }

  #at(key: string, revision: number): Entry | undefined {
    return this.#versions.get(key)?.findLast((version) => version.revision <= revision)?.entry;
  }

  /** The index of the first key that is not before the prefix. */
  #from(prefix: string): number {
    const after = firstAfter(this.#keys, prefix);
    return this.#keys[after - 1] === prefix ? after - 1 : after;
  }

  #commit(key: string, version: Version, event: StoreEvent): void {
    const versions = this.#versions.get(key);
    if (versions) versions.push(version);
    else {
      this.#versions.set(key, [version]);
      this.#keys.splice(firstAfter(this.#keys, key), 0, key);
    }
    this.#log.push(event);
    this.#watchers.publish([event], version.revision);
  }

  /** Keeps of a key what was true at `revision`, and all that came later. */
  #forgetVersions(key: string, revision: number): void {
    const versions = this.#versions.get(key) ?? [];
    const kept = versions.filter((version, i) => {
      const next = versions[i + 1];
      const superseded = next !== undefined && next.revision <= revision;
      return !superseded && (version.entry !== undefined || version.revision > revision);
    });
    if (kept.length > 0) this.#versions.set(key, kept);
    else {
      this.#versions.delete(key);
      this.#keys.splice(firstAfter(this.#keys, key) - 1, 1);
    }
  }
}

const closed = (): Error => new Error('the store is closed');

/** The index of the first key strictly greater than `key`, in a sorted array. */
function firstAfter(keys: readonly string[], key: string): number {
  return partition(keys, (candidate) => candidate <= key);
}

/** The index of the first event after `revision`. */
function logIndexAfter(log: readonly StoreEvent[], revision: number): number {
  return partition(log, (event) => revisionOfEvent(event) <= revision);
}

/** How many items at the start hold; `holds` must be true up to some point and false from there. */
function partition<T>(items: readonly T[], holds: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    // middle < length: there is an item.
    if (holds(items[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}
