// Who watches a store, and the delivery of events to them in order. Shared by the backends; it keeps no history:
// a backend hands a new watcher's backlog over when the watch starts.
import type { StoreEvent, WatchOptions } from './store.ts';

interface Watcher {
  prefix: string;
  /** The newest revision that this watcher has been told of. */
  seen: number;
  onEvents(events: readonly StoreEvent[]): void;
}

/** The key that an event is about. */
export const keyOfEvent = (event: StoreEvent): string => (event.type === 'put' ? event.entry.key : event.key);

/** The revision of the write that an event tells of. */
export const revisionOfEvent = (event: StoreEvent): number =>
  event.type === 'put' ? event.entry.revision : event.revision;

export class Watchers {
  readonly #watchers = new Set<Watcher>();
  readonly #batches: (readonly StoreEvent[])[] = [];
  #delivering = false;

  /** Whether anybody wants to hear of this key. */
  wants(key: string): boolean {
    for (const watcher of this.#watchers) if (key.startsWith(watcher.prefix)) return true;
    return false;
  }

  /**
   * Adds a watcher and hands it its backlog.
   * @param backlog the events after `options.afterRevision`, up to `revision`, below the prefix.
   * @param revision the newest revision that the backlog covers.
   * @returns what ends the watch.
   */
  add(options: WatchOptions, backlog: readonly StoreEvent[], revision: number): () => void {
    const { prefix, onEvents } = options;
    const watcher: Watcher = { prefix, onEvents, seen: Math.max(options.afterRevision, revision) };
    this.#watchers.add(watcher);
    if (backlog.length > 0) tell(watcher, backlog);
    return () => this.#watchers.delete(watcher);
  }

  /** Tells every watcher of a batch, in order; a write made by a watcher while it is told is told after it. */
  publish(events: readonly StoreEvent[]): void {
    this.#batches.push(events);
    if (this.#delivering) return;
    this.#delivering = true;
    for (let batch = this.#batches.shift(); batch; batch = this.#batches.shift()) {
      for (const watcher of [...this.#watchers]) this.#deliver(watcher, batch);
    }
    this.#delivering = false;
  }

  /** Ends every watch. */
  clear(): void {
    this.#watchers.clear();
  }

  #deliver(watcher: Watcher, batch: readonly StoreEvent[]): void {
    const { prefix, seen } = watcher;
    const wanted = batch.filter(
      (event) => revisionOfEvent(event) > seen && keyOfEvent(event).startsWith(prefix),
    );
    const last = batch.at(-1);
    if (last) watcher.seen = Math.max(seen, revisionOfEvent(last));
    if (wanted.length > 0 && this.#watchers.has(watcher)) tell(watcher, wanted);
  }
}

/** A watcher that throws has a defect that must not stay hidden, but the write and the others go on. */
function tell(watcher: Watcher, events: readonly StoreEvent[]): void {
  try {
    watcher.onEvents(events);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
