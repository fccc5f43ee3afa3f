// The watch cache of one resource: every object of it, frozen, or of some kinds its outline; the recent changes, so that
// a watch can resume; and the running watchers. Filled from the store on first use, and kept true by the hub (hub.ts).
import { expired } from '../../api/errors.ts';
import type { Stored } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import { deepFreeze } from '../../base/deep-freeze.ts';
import { othersTurn } from '../../base/others-turn.ts';
import { CompactedError, type Entry, type Store, type StoreEvent } from '../../store/store.ts';
import { atRevision, decodeStored, seal } from '../codec.ts';
import { prefixOf, storeKey } from '../keys.ts';
import type { Selection } from './selection.ts';
import { SharedStrings } from './shared-strings.ts';
import { type Change, Watcher } from './watcher.ts';

/** Changes kept for watches that resume: so many, and of large objects as many as have so many bytes in the store. */
export const HISTORY_LIMIT = 4096;
const HISTORY_BYTES = 1 << 20;
/** How much longer it may grow before it is cut: not a change at a time. */
const HISTORY_SLACK = 1.25;

/** Objects that are read from the store before others have their turn. */
const READ_AT_ONCE = 200;

export class ResourceCache {
  readonly resource: ResourceDefinition;
  readonly prefix: string;
  readonly #store: Store;
  /** namespace (empty for cluster-scoped) → name → object. */
  readonly #objects = new Map<string, Map<string, Stored>>();
  /** The names of a namespace in order as of its last list, and those that have come since. */
  readonly #order = new Map<string, { sorted: string[]; since: string[] }>();
  #history: { change: Change; bytes: number }[] = [];
  #historyBytes = 0;
  /** Changes after this revision are all in the history. */
  #historyStart = 0;
  #lastChange = 0;
  #filling: Promise<number> | undefined;
  #filled = false;
  #held: StoreEvent[] = [];
  readonly #shared = new SharedStrings();
  readonly #watchers = new Set<Watcher>();
  readonly #observers: ((change: Change) => void)[] = [];

  constructor(resource: ResourceDefinition, store: Store) {
    this.resource = resource;
    this.prefix = prefixOf(resource);
    this.#store = store;
  }

  /**
   * Resolves when the cache is filled; fills it on the first call.
   * @returns the revision of the list that filled it.
   */
  ready(): Promise<number> {
    if (!this.#filling) {
      this.#filling = this.#fill().catch((error: unknown) => {
        this.#filling = undefined;
        throw error;
      });
    }
    return this.#filling;
  }

  async #fill(): Promise<number> {
    this.#held = [];
    const { entries, revision } = await this.#store.list(this.prefix);
    for (const entry of entries) {
      this.#set(entry.key, seal(decodeStored(this.resource, entry.value), entry.revision, entry.value));
    }
    this.#begins(revision);
    return revision;
  }

  /** From here on the watch is what keeps it true. */
  #begins(revision: number): void {
    this.#historyStart = revision;
    this.#lastChange = revision;
    this.#filled = true;
    const held = this.#held;
    this.#held = [];
    for (const event of held) this.apply(event);
  }

  /**
   * Fills it again from the store: changes were missed. Observers hear of what is another than it was; watchers are ended,
   * since what happened in between nobody can tell them.
   */
  async fillAnew(): Promise<void> {
    if (!this.#filling) return;
    await this.#filling;
    this.#filled = false;
    this.#held = [];
    let list: Awaited<ReturnType<Store['list']>>;
    try {
      list = await this.#store.list(this.prefix);
    } catch (error) {
      this.#filled = true;
      throw error;
    }
    const missed = this.#missed(list.entries, list.revision);
    this.#history = [];
    this.#historyBytes = 0;
    this.stop();
    for (const change of missed) for (const observer of this.#observers) observer(change);
    this.#filling = Promise.resolve(list.revision);
    this.#begins(list.revision);
  }

  /** Brings the objects to what the list says, and tells what that changed. */
  #missed(entries: readonly Entry[], revision: number): Change[] {
    const there = new Set(entries.map(({ key }) => key));
    const gone = [...this.list()].filter(({ metadata }) => !there.has(storeKey(this.resource, metadata)));
    const changes = gone.map((previous): Change => {
      this.#drop(storeKey(this.resource, previous.metadata));
      return { revision, previous, event: { type: 'DELETED', object: atRevision(previous, revision) } };
    });
    for (const entry of entries) {
      const previous = this.#lookup(entry.key);
      if (previous?.metadata.resourceVersion === String(entry.revision)) continue;
      const object = seal(decodeStored(this.resource, entry.value), entry.revision, entry.value);
      this.#set(entry.key, object);
      const type = previous ? 'MODIFIED' : 'ADDED';
      changes.push({ revision: entry.revision, previous, event: { type, object } });
    }
    return changes;
  }

  /** The newest revision at which an object of the resource changed, as far as known. */
  get lastChange(): number {
    return this.#lastChange;
  }

  /** The object; of a kind that is kept in outline, the outline: see `whole`. */
  get(namespace: string | undefined, name: string): Stored | undefined {
    return this.#objects.get(this.resource.namespaced ? (namespace ?? '') : '')?.get(name);
  }

  /**
   * The objects that these from `get` or `list` are: themselves, or read from the store, each as it was at the version
   * of its outline. Others have their turn in between when they are many. Those that cannot be had any more are left out.
   */
  async whole(objects: readonly Stored[]): Promise<Stored[]> {
    if (!this.resource.outline) return [...objects];
    const whole: Stored[] = [];
    for (const [index, outline] of objects.entries()) {
      if (index > 0 && index % READ_AT_ONCE === 0) await othersTurn();
      const object = await this.#read(outline);
      if (object) whole.push(object);
    }
    return whole;
  }

  async #read({ metadata }: Stored): Promise<Stored | undefined> {
    const revision = Number(metadata.resourceVersion);
    const key = storeKey(this.resource, metadata);
    let entry = await this.#store.get(key);
    if (entry?.revision !== revision) {
      // It has been written since.
      const past = await this.#store.list(key, { revision, limit: 1 }).catch(orCompacted);
      entry = past?.entries.find((found) => found.key === key);
    }
    return entry && seal(decodeStored(this.resource, entry.value), entry.revision, entry.value);
  }

  /** The objects of a namespace, or of all, in the order of their keys; of some kinds outlines, as from `get`. */
  *list(namespace?: string): Generator<Stored> {
    const namespaces =
      this.resource.namespaced && namespace !== undefined
        ? [namespace]
        : [...this.#objects.keys()].sort(byKeyOrder);
    for (const each of namespaces) {
      const objects = this.#objects.get(each);
      if (!objects) continue;
      for (const name of this.#names(each, objects)) {
        const object = objects.get(name);
        if (object) yield object;
      }
    }
  }

  /** The names of a namespace in order; sorted as a whole once, and then only what has come since. */
  #names(namespace: string, objects: ReadonlyMap<string, Stored>): readonly string[] {
    const order = this.#order.get(namespace);
    if (!order) {
      const sorted = [...objects.keys()].sort();
      this.#order.set(namespace, { sorted, since: [] });
      return sorted;
    }
    if (order.since.length > 0 || order.sorted.length > 2 * objects.size) {
      order.sorted = merged(order.sorted, order.since.sort()).filter((name) => objects.has(name));
      order.since = [];
    }
    return order.sorted;
  }

  /** Takes a change from the store. */
  apply(event: StoreEvent): void {
    if (!this.#filled) {
      // A cache that nobody has asked for yet will list.
      if (this.#filling !== undefined) this.#held.push(event);
      return;
    }
    const change = event.type === 'put' ? this.#put(event) : this.#remove(event);
    if (!change) return;
    this.#lastChange = change.revision;
    this.#remember(change, (event.type === 'put' ? event.entry : event.previous).value.length);
    for (const observer of this.#observers) observer(change);
    for (const watcher of this.#watchers) watcher.take(change);
  }

  /** Calls back at once with every change from now on, before watchers hear of it; it must not throw. */
  observe(observer: (change: Change) => void): void {
    this.#observers.push(observer);
  }

  #put(event: StoreEvent & { type: 'put' }): Change | undefined {
    const { key, value, revision } = event.entry;
    if (revision <= this.#historyStart) return undefined;
    const previous = this.#lookup(key);
    const object = seal(decodeStored(this.resource, value), revision, value);
    this.#set(key, object);
    return { revision, previous, event: { type: previous ? 'MODIFIED' : 'ADDED', object } };
  }

  #remove(event: StoreEvent & { type: 'delete' }): Change | undefined {
    const previous = this.#lookup(event.key);
    if (event.revision <= this.#historyStart || !previous) return undefined;
    this.#drop(event.key);
    const object = this.resource.outline
      ? seal(decodeStored(this.resource, event.previous.value), event.revision, event.previous.value)
      : atRevision(previous, event.revision);
    return { revision: event.revision, previous, event: { type: 'DELETED', object } };
  }

  #drop(key: string): void {
    const [namespace, name] = this.#place(key);
    const objects = this.#objects.get(namespace);
    objects?.delete(name);
    if (objects?.size !== 0) return;
    this.#objects.delete(namespace);
    this.#order.delete(namespace);
  }

  #place(key: string): [string, string] {
    const relative = key.slice(this.prefix.length);
    if (!this.resource.namespaced) return ['', relative];
    const slash = relative.indexOf('/');
    return [relative.slice(0, slash), relative.slice(slash + 1)];
  }

  #lookup(key: string): Stored | undefined {
    const [namespace, name] = this.#place(key);
    return this.#objects.get(namespace)?.get(name);
  }

  #set(key: string, object: Stored): void {
    const [namespace, name] = this.#place(key);
    let objects = this.#objects.get(namespace);
    if (!objects) {
      objects = new Map();
      this.#objects.set(namespace, objects);
    }
    if (!objects.has(name)) this.#order.get(namespace)?.since.push(object.metadata.name);
    const { outline } = this.resource;
    // By the object's own name: a part of the key would keep all of the key alive.
    objects.set(object.metadata.name, outline ? deepFreeze(outline(object, this.#shared.share)) : object);
  }

  #remember(change: Change, bytes: number): void {
    this.#history.push({ change, bytes });
    this.#historyBytes += bytes;
    const fill = Math.max(this.#history.length / HISTORY_LIMIT, this.#historyBytes / HISTORY_BYTES);
    if (fill < HISTORY_SLACK) return;
    let first = Math.max(0, this.#history.length - HISTORY_LIMIT);
    let left = 0;
    for (let index = this.#history.length - 1; index >= first; index--) {
      left += this.#history[index]?.bytes ?? 0;
      if (left > HISTORY_BYTES) first = index + 1;
    }
    this.#historyStart = this.#history[first - 1]?.change.revision ?? this.#historyStart;
    this.#history = this.#history.slice(first);
    this.#historyBytes = this.#history.reduce((sum, entry) => sum + entry.bytes, 0);
  }

  /**
   * Starts a watch.
   * @param after only changes after this revision; undefined: begin with everything there is.
   * @throws Expired when changes after that revision are no longer all known.
   */
  watch(selection: Selection, after: number | undefined): Watcher {
    if (after !== undefined && after < this.#historyStart) {
      throw expired(`too old resource version: ${after} (${this.#historyStart})`);
    }
    const watcher = new Watcher(selection);
    if (after === undefined) this.#begin(watcher, selection);
    else for (const { change } of this.#history) if (change.revision > after) watcher.take(change);
    this.#watchers.add(watcher);
    watcher.onStop(() => this.#watchers.delete(watcher));
    return watcher;
  }

  #begin(watcher: Watcher, { namespace, matches }: Selection): void {
    const selected: Stored[] = [];
    for (const object of this.list(namespace)) if (!matches || matches(object)) selected.push(object);
    const tell = (objects: readonly Stored[]): void =>
      watcher.begin(objects.map((object) => ({ type: 'ADDED', object })));
    if (!this.resource.outline) {
      tell(selected);
      return;
    }
    watcher.hold();
    this.whole(selected).then(tell, () => watcher.stop());
  }

  stop(): void {
    for (const watcher of [...this.#watchers]) watcher.stop();
  }
}

function orCompacted(error: unknown): undefined {
  if (!(error instanceof CompactedError)) throw error;
}

/** As their keys are ordered in the store, where a slash follows the namespace. */
function byKeyOrder(a: string, b: string): number {
  return `${a}/` < `${b}/` ? -1 : 1;
}

/** Two sorted lists of names as one, each name once. */
function merged(left: readonly string[], right: readonly string[]): string[] {
  const names: string[] = [];
  let at = 0;
  for (const name of right) {
    for (let next = left[at]; next !== undefined && next <= name; next = left[++at]) names.push(next);
    if (names.at(-1) !== name) names.push(name);
  }
  for (; at < left.length; at++) names.push(left[at] ?? '');
  return names;
}
