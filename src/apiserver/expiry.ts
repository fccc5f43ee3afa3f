// Objects of some kinds live for a time, and shorter when there are too many of them. They are swept out when such
// objects are written or listed, at most once a minute: a server that nobody tells or asks anything has no timer to run.
import type { ResourceDefinition } from '../api/resource.ts';
import type { Registry } from './registry.ts';

const SWEEP_INTERVAL_MS = 60_000;
/** Deletions that go to the store at once. */
const BATCH = 100;

export class Expiry {
  readonly #registry: Registry;
  readonly #resource: ResourceDefinition;
  readonly #most: number;
  #sweptMs = Number.NEGATIVE_INFINITY;

  /** @param most how many are kept. */
  constructor(registry: Registry, resource: ResourceDefinition, most = resource.expiry?.most ?? Infinity) {
    this.#registry = registry;
    this.#resource = resource;
    this.#most = most;
  }

  /** Removes the objects whose time is over, and the oldest of too many, if that was not done just now. */
  async sweep(): Promise<void> {
    const { expiry } = this.#resource;
    const nowMs = this.#registry.clock.now();
    if (!expiry || nowMs - this.#sweptMs < SWEEP_INTERVAL_MS) return;
    this.#sweptMs = nowMs;
    const cache = await this.#registry.cache(this.#resource);
    const newestFirst = [...cache.list()]
      .map((object) => ({ object, seenMs: expiry.seenMs(object) }))
      .sort((a, b) => b.seenMs - a.seenMs);
    const old = newestFirst
      .filter(({ seenMs }, index) => index >= this.#most || seenMs + expiry.ttlMs <= nowMs)
      .map(({ object }) => object);
    for (let start = 0; start < old.length; start += BATCH) {
      const batch = old.slice(start, start + BATCH);
      await Promise.all(batch.map((object) => this.#registry.remove(this.#resource, object, false)));
    }
  }
}
