// Events live for an hour after they were last seen. They are swept out when events are written or listed, at most
// once a minute: a server that nobody tells or asks anything has no timer to run.
import { lastSeenMs } from '../../api/event-time.ts';
import type { Event } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import type { Registry } from '../registry.ts';

/** As upstream's --event-ttl. */
const EVENT_TTL_MS = 60 * 60 * 1000;
const SWEEP_INTERVAL_MS = 60_000;
/** Deletions that go to the store at once. */
const BATCH = 100;

export class EventExpiry {
  readonly #registry: Registry;
  readonly #resource: ResourceDefinition;
  #sweptMs = Number.NEGATIVE_INFINITY;

  /** @param resource the core events. */
  constructor(registry: Registry, resource: ResourceDefinition) {
    this.#registry = registry;
    this.#resource = resource;
  }

  /** Removes the events whose time is over, if that was not done just now. */
  async sweep(): Promise<void> {
    const nowMs = this.#registry.clock.now();
    if (nowMs - this.#sweptMs < SWEEP_INTERVAL_MS) return;
    this.#sweptMs = nowMs;
    const cache = await this.#registry.cache(this.#resource);
    const old = [...cache.list()].filter(
      (event) => lastSeenMs(event as Stored<Event>) + EVENT_TTL_MS <= nowMs,
    );
    for (let start = 0; start < old.length; start += BATCH) {
      const batch = old.slice(start, start + BATCH);
      await Promise.all(batch.map((event) => this.#registry.remove(this.#resource, event, false)));
    }
  }
}
