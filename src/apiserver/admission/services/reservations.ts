// Things of which there is one each and that are given to one owner: node ports. A reservation is a
// key in the store, made by compare-and-set, so that two API servers on one store never give one thing away twice. It
// comes before the write of its owner and goes after the write that gives the thing back.
import type { Clock } from '../../../base/clock.ts';
import type { Entry, Store } from '../../../store/store.ts';

const PREFIX = '/reservations/';
/**
 * A reservation whose owner does not have the thing is of a write that is under way, which is no longer than a request may
 * last, or of a server that died meanwhile: after so long, ms, it is only that.
 */
const ABANDONED_MS = 120_000;

/** A reservation as it was made or found. */
export interface Reservation {
  key: string;
  revision: number;
}

interface Holder {
  owner: string;
  atMs: number;
}

/** The reservations of one sort of thing. */
export class Reservations {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #prefix: string;

  /** @param sort `nodeports`. */
  constructor(store: Store, clock: Clock, sort: string) {
    this.#store = store;
    this.#clock = clock;
    this.#prefix = `${PREFIX}${sort}/`;
  }

  /**
   * Reserves a thing for an owner, for one write of it; undefined if another write has it, be it of the same owner.
   * @param owner `namespace/name`.
   * @param has whether an owner, as it is now, has the thing.
   */
  async take(
    thing: string,
    owner: string,
    has: (owner: string) => Promise<boolean>,
  ): Promise<Reservation | undefined> {
    const key = this.#prefix + thing;
    const value = Buffer.from(JSON.stringify({ owner, atMs: this.#clock.now() } satisfies Holder));
    let there: Entry | undefined;
    for (;;) {
      const result = await this.#store.put(key, value, there?.revision ?? 0);
      if (result.ok) return { key, revision: result.revision };
      there = result.current;
      if (!there) continue;
      const holder = holderIn(there);
      const isOld = this.#clock.now() - holder.atMs > ABANDONED_MS;
      if (!isOld || (await has(holder.owner))) return undefined;
    }
  }

  /** What is reserved. */
  async all(): Promise<Set<string>> {
    const { entries } = await this.#store.list(this.#prefix);
    return new Set(entries.map(({ key }) => key.slice(this.#prefix.length)));
  }

  /** Who has reserved a thing. */
  async ownerOf(thing: string): Promise<string | undefined> {
    const entry = await this.#store.get(this.#prefix + thing);
    return entry && holderIn(entry).owner;
  }

  /** The reservation of a thing, as it is now, if it is this owner's. */
  async find(thing: string, owner: string): Promise<Reservation | undefined> {
    const entry = await this.#store.get(this.#prefix + thing);
    if (!entry || holderIn(entry).owner !== owner) return undefined;
    return { key: entry.key, revision: entry.revision };
  }

  /** Gives a thing back, unless it has been reserved again meanwhile. */
  async release({ key, revision }: Reservation): Promise<void> {
    await this.#store.delete(key, revision);
  }
}

/** Only this file writes them. */
const holderIn = (entry: Entry): Holder => JSON.parse(Buffer.from(entry.value).toString());
