// Who watches a store, and the delivery of events to them in order. Shared by the embedded backends, which know of every
// write; it keeps no history: a backend hands a new watcher's backlog over when the watch starts.
import type { StoreEvent, WatchOptions } from './store.ts';

interface Watcher {
  options: WatchOptions;
  /** The newest revision that this watcher has been told of. */
  seen: number;
}

/** The key that an event is about. */
export const keyOfEvent = (event: StoreEvent): string => (event.type === 'put' ? event.entry.key : event.key);

/** The revision of the write that an event tells of. */
export const revisionOfEvent = (event: StoreEvent): number =>
  event.type === 'put' ? event.entry.revision : event.revision;

export class Watchers {
  readonly #watchers = new Set<Watcher>();
  readonly #batches: { events: readonly StoreEvent[]; revision: number }[] = [];
  #delivering = false;

  /** Whether anybody wants to hear of this key. */
  wants(key: string): boolean {
    for (const watcher of this.#watchers) if (key.startsWith(watcher.options.prefix)) return true;
    return false;
  }

  /**
   * Adds a watcher and hands it its backlog.
   * @param backlog the events after `options.afterRevision`, up to `revision`, below the prefix.
   * @param revision the newest revision that the backlog covers.
   * @returns what ends the watch.
   */
  add(options: WatchOptions, backlog: readonly StoreEvent[], revision: number): () => void {
    const watcher: Watcher = { options, seen: Math.max(options.afterRevision, revision) };
    this.#watchers.add(watcher);
    if (backlog.length > 0) call(() => options.onEvents(backlog));
    this.#progress(watcher, backlog.at(-1));
    return () => this.#watchers.delete(watcher);
  }

  /** A watch that cannot be: it ends as soon as whoever began it has what ends it. */
  refuse({ onEnd }: WatchOptions, reason: Error): () => void {
    let stopped = false;
    queueMicrotask(() => {
      if (!stopped) onEnd(reason);
    });
    return () => {
      stopped = true;
    };
  }

  /**
   * Tells every watcher of a batch, in order; a write made by a watcher while it is told is told after it.
   * @param events those that anybody wants to hear of.
   * @param revision the newest that was written with them.
   */
  publish(events: readonly StoreEvent[], revision: number): void {
    this.#batches.push({ events, revision });
    if (this.#delivering) return;
    this.#delivering = true;
    for (let batch = this.#batches.shift(); batch; batch = this.#batches.shift()) {
      for (const watcher of [...this.#watchers]) this.#deliver(watcher, batch.events, batch.revision);
    }
    this.#delivering = false;
  }

  /** Ends every watch, and tells why. */
  end(reason: Error): void {
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const { options } of watchers) call(() => options.onEnd(reason));
  }

  #deliver(watcher: Watcher, events: readonly StoreEvent[], revision: number): void {
    const { options, seen } = watcher;
    if (revision <= seen || !this.#watchers.has(watcher)) return;
    const wanted = events.filter(
      (event) => revisionOfEvent(event) > seen && keyOfEvent(event).startsWith(options.prefix),
    );
    watcher.seen = revision;
    if (wanted.length > 0) call(() => options.onEvents(wanted));
    this.#progress(watcher, wanted.at(-1));
  }

  /** Says how far a watcher has come, if the last event that it was told of does not. */
  #progress(watcher: Watcher, last: StoreEvent | undefined): void {
    const { options, seen } = watcher;
    if (last && revisionOfEvent(last) >= seen) return;
    if (options.onProgress && this.#watchers.has(watcher)) call(() => options.onProgress?.(seen));
  }
}

/** A watcher that throws has a defect that must not stay hidden, but the write and the others go on. */
function call(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
