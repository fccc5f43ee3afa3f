// Events live for an hour after they were last seen, and shorter when there are too many of them. They are swept out when
// events are written or listed, at most once a minute: a server that nobody tells or asks anything has no timer to run.
import { lastSeenMs } from '../../api/event-time.ts';
import type { Event } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import type { Registry } from '../registry.ts';

/** As upstream's --event-ttl. */
const EVENT_TTL_MS = 60 * 60 * 1000;
/**
 * So many are kept when a sweep is over, those that were seen last: what a busy hour of a machine full of pods has to
 * say, several times over. Upstream has no such limit, and a cluster that churns pays for it with its store's memory.
 */
const MOST_EVENTS = 15_000;
const SWEEP_INTERVAL_MS = 60_000;
/** Deletions that go to the store at once. */
const BATCH = 100;

export class EventExpiry {
  readonly #registry: Registry;
  readonly #resource: ResourceDefinition;
  readonly #most: number;
  #sweptMs = Number.NEGATIVE_INFINITY;

  /**
   * @param resource the core events.
   * @param most how many are kept.
   */
  constructor(registry: Registry, resource: ResourceDefinition, most = MOST_EVENTS) {
    this.#registry = registry;
    this.#resource = resource;
    this.#most = most;
  }

  /** Removes the events whose time is over, and the oldest of too many, if that was not done just now. */
  async sweep(): Promise<void> {
    const nowMs = this.#registry.clock.now();
    if (nowMs - this.#sweptMs < SWEEP_INTERVAL_MS) return;
    this.#sweptMs = nowMs;
    const cache = await this.#registry.cache(this.#resource);
    const newestFirst = [...cache.list()]
      .map((event) => ({ event, seenMs: lastSeenMs(event as Stored<Event>) }))
      .sort((a, b) => b.seenMs - a.seenMs);
    const old = newestFirst
      .filter(({ seenMs }, index) => index >= this.#most || seenMs + EVENT_TTL_MS <= nowMs)
      .map(({ event }) => event);
    for (let start = 0; start < old.length; start += BATCH) {
      const batch = old.slice(start, start + BATCH);
      await Promise.all(batch.map((event) => this.#registry.remove(this.#resource, event, false)));
    }
  }
}
