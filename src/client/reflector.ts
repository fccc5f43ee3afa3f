// Keeps an informer's cache true to the API: lists what is selected, then watches from the list's version, and lists
// again when that version is gone (client-go tools/cache/reflector.go). Ends with the signal.

import { isExpired, StatusError } from '../api/errors.ts';
import type { Status } from '../api/generated/types.ts';
import type { WatchEvent } from '../api/list-watch.ts';
import type { KubeObject, Stored } from '../api/objects.ts';
import type { ResourceDefinition } from '../api/resource.ts';
import type { Clock } from '../base/clock.ts';
import { sleep } from '../base/clock.ts';
import { errorText } from '../base/error-text.ts';
import type { Log } from '../base/log.ts';
import { backoffDelay } from './backoff.ts';
import type { Client } from './client.ts';
import type { CachingInformer } from './informer.ts';
import type { Selection } from './informers.ts';

const PAGE_SIZE = 500;
const BACKOFF = { firstMs: 800, maxMs: 30_000 };
/** A watch that ends sooner than this without an event counts as a failure. */
const SHORT_WATCH_MS = 1000;

export interface ReflectorContext {
  client: Client;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
  /** A number in [0, 1) for the jitter of retries. */
  chance(): number;
}

export class Reflector<T extends KubeObject> {
  readonly #resource: ResourceDefinition<T>;
  readonly #selection: Selection;
  readonly #informer: CachingInformer<T>;
  readonly #context: ReflectorContext;
  #failures = 0;
  /** The version to watch from; undefined: list first. */
  #version: string | undefined;

  constructor(
    resource: ResourceDefinition<T>,
    selection: Selection,
    informer: CachingInformer<T>,
    context: ReflectorContext,
  ) {
    this.#resource = resource;
    this.#selection = selection;
    this.#informer = informer;
    this.#context = context;
  }

  /** Resolves when the signal has ended it; never rejects. */
  async run(): Promise<void> {
    const { clock, log, signal } = this.#context;
    while (!signal.aborted) {
      try {
        if (this.#version === undefined) this.#version = await this.#list();
        else await this.#watch(this.#version);
      } catch (error) {
        if (signal.aborted) return;
        if (isExpired(error) && this.#version !== undefined) {
          log.debug('the watched version is gone; listing again', { resource: this.#resource.plural });
          this.#version = undefined;
          // The first time at once; a server that goes on saying so is not hammered.
          if (++this.#failures === 1) continue;
        } else {
          this.#failures++;
          log.warn(`cannot list or watch, trying again: ${errorText(error)}`, {
            resource: this.#resource.plural,
          });
        }
        await sleep(clock, backoffDelay(BACKOFF, this.#failures, this.#context.chance()), signal);
      }
    }
  }

  /** Fills the cache; returns the version of the list. */
  async #list(): Promise<string> {
    const { client } = this.#context;
    const items: Stored<T>[] = [];
    const options = { ...this.#selection, limit: PAGE_SIZE };
    let page = await client.list(this.#resource, options);
    const version = page.metadata.resourceVersion;
    items.push(...page.items);
    while (page.metadata.continue) {
      try {
        page = await client.list(this.#resource, { ...options, continue: page.metadata.continue });
      } catch (error) {
        if (!isExpired(error)) throw error;
        // Slower than the server forgets: take it in one piece.
        page = await client.list(this.#resource, this.#selection);
        this.#informer.replace(page.items);
        return page.metadata.resourceVersion;
      }
      items.push(...page.items);
    }
    if (!this.#context.signal.aborted) this.#informer.replace(items);
    return version;
  }

  /** Follows one watch to its end. Throws what ended it, if that was an error. */
  async #watch(version: string): Promise<void> {
    const { client, clock, signal } = this.#context;
    const startedMs = clock.now();
    let heard = false;
    const stream = await client.watch(this.#resource, {
      ...this.#selection,
      resourceVersion: version,
      signal,
    });
    try {
      for (let events = await stream.next(); events; events = await stream.next()) {
        for (const event of events) {
          if (signal.aborted) return;
          this.#apply(event);
          heard = true;
          this.#failures = 0;
        }
      }
    } finally {
      stream.stop();
    }
    if (signal.aborted) return;
    if (heard || clock.now() - startedMs >= SHORT_WATCH_MS) this.#failures = 0;
    else throw new Error('the watch ended at once, without an event');
  }

  #apply(event: WatchEvent<T>): void {
    if (event.type === 'ERROR') throw errorOf(event.object);
    if (event.type !== 'BOOKMARK') this.#informer.apply(event.type, event.object);
    const { resourceVersion } = event.object.metadata;
    if (resourceVersion) this.#version = resourceVersion;
  }
}

function errorOf(status: Status): StatusError {
  const error = new StatusError(status);
  return status.code === 410 && !isExpired(error) ? new StatusError({ ...status, reason: 'Expired' }) : error;
}
