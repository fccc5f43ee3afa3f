// A store as it is seen from another machine, for tests: over a real one, everything takes its time, and watches are told
// late and can be lost. Others may write to the store itself, or see it from elsewhere, meanwhile.
import { othersTurn } from '../base/others-turn.ts';
import type { ListOptions, Store, StoreEvent, WatchOptions } from '../store/store.ts';

interface DistantWatch {
  options: WatchOptions;
  /** Ends the watch on the store itself. */
  end(): void;
}

export class DistantStore implements Store {
  readonly #store: Store;
  readonly #turns: () => number;
  readonly #watches = new Set<DistantWatch>();
  #isCut = false;
  #mended: (() => void)[] = [];

  /** @param turns how many turns of the event loop the next thing takes on its way. */
  constructor(store: Store, turns: () => number) {
    this.#store = store;
    this.#turns = turns;
  }

  /** Loses every watch, and lets nothing through until `mend`. */
  cut(): void {
    this.#isCut = true;
    for (const watch of this.#watches) {
      this.#watches.delete(watch);
      watch.end();
      watch.options.onEnd(new Error('the connection to the store is lost'));
    }
  }

  mend(): void {
    this.#isCut = false;
    for (const go of this.#mended.splice(0)) go();
  }

  async #way(): Promise<void> {
    for (let left = this.#turns(); left > 0; left--) await othersTurn();
    if (this.#isCut) await new Promise<void>((resolve) => this.#mended.push(resolve));
  }

  async #roundTrip<T>(ask: () => Promise<T>): Promise<T> {
    await this.#way();
    const answer = await ask();
    await this.#way();
    return answer;
  }

  revision = () => this.#roundTrip(() => this.#store.revision());
  get = (key: string) => this.#roundTrip(() => this.#store.get(key));
  list = (prefix: string, options?: ListOptions) => this.#roundTrip(() => this.#store.list(prefix, options));
  count = (prefix: string) => this.#roundTrip(() => this.#store.count(prefix));
  put = (key: string, value: Uint8Array, expectedRevision: number) =>
    this.#roundTrip(() => this.#store.put(key, value, expectedRevision));
  delete = (key: string, expectedRevision: number) =>
    this.#roundTrip(() => this.#store.delete(key, expectedRevision));
  compact = (revision: number) => this.#roundTrip(() => this.#store.compact(revision));
  reusableBytes = () => this.#store.reusableBytes();
  close = async () => {};

  watch(options: WatchOptions): () => void {
    /** What is told, in order, each when what was before it has come. */
    let last = Promise.resolve();
    const tell = (what: () => void): void => {
      last = last
        .then(() => this.#way())
        .then(() => {
          if (this.#watches.has(watch)) what();
        });
    };
    const watch: DistantWatch = { options, end: () => {} };
    this.#watches.add(watch);
    watch.end = this.#store.watch({
      prefix: options.prefix,
      afterRevision: options.afterRevision,
      onEvents: (events: readonly StoreEvent[]) => tell(() => options.onEvents(events)),
      onProgress: (revision) => tell(() => options.onProgress?.(revision)),
      onEnd: (reason) =>
        tell(() => {
          this.#watches.delete(watch);
          options.onEnd(reason);
        }),
    });
    return () => {
      this.#watches.delete(watch);
      watch.end();
    };
  }
}
