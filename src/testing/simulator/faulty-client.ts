// The simulator's transport: a client of one process whose requests fail before or after they happened, come late, or
// conflict; and whose watches lag, break, and lose their place. The dice are the weather's.

import { conflict, expired, internal, OBJECT_WAS_MODIFIED, tooManyRequests } from '../../api/errors.ts';
import type { DeleteOptions } from '../../api/generated/types.ts';
import type { ObjectList, WatchEvent, WatchStream } from '../../api/list-watch.ts';
import type { KubeObject, ObjectKey, Stored } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import type { User } from '../../apiserver/request.ts';
import { type Random, sleep } from '../../base/clock.ts';
import type { Client, ListOptions, Patch, WatchOptions, WriteOptions } from '../../client/client.ts';
import { type ApiEndpoint, unreachable } from './api-endpoint.ts';
import type { Weather } from './faults.ts';
import type { Process } from './process.ts';

/** The way between one process and the API server. */
export interface Line {
  api: ApiEndpoint;
  /** As whom it speaks. */
  user: User;
  process: Process;
  random: Random;
  weather(): Weather;
  /** Whether the process is cut off from the network. */
  isCut(): boolean;
}

/** Told of a write at the moment at which it is handed to the API server. */
export interface WriteObserver {
  creating?(resource: ResourceDefinition, object: KubeObject): void;
  deleting?(resource: ResourceDefinition, key: ObjectKey, options: DeleteOptions | undefined): void;
}

/** How long a request into a cut line waits, ms. */
const TIMEOUT_MS = 5_000;
/** A watch of which nothing is heard for so long is given up. */
const STALL_MS = 30_000;
const POLL_MS = 500;

export class FaultyClient implements Client {
  readonly #line: Line;
  readonly #observer: WriteObserver;

  constructor(line: Line, observer: WriteObserver = {}) {
    this.#line = line;
    this.#observer = observer;
  }

  discover(): Promise<readonly ResourceDefinition[]> {
    return this.#read((client) => client.discover());
  }

  get<T extends KubeObject>(resource: ResourceDefinition<T>, key: ObjectKey): Promise<Stored<T>> {
    return this.#read((client) => client.get(resource, key));
  }

  list<T extends KubeObject>(resource: ResourceDefinition<T>, options?: ListOptions): Promise<ObjectList<T>> {
    return this.#read((client) => client.list(resource, options));
  }

  async watch<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    options: WatchOptions,
  ): Promise<WatchStream<T>> {
    const stream = await this.#read((client) => client.watch(resource, options));
    return new FaultyWatch(this.#line, stream);
  }

  create<T extends KubeObject>(resource: ResourceDefinition<T>, object: T): Promise<Stored<T>> {
    return this.#write((client) => {
      this.#observer.creating?.(resource, object);
      return client.create(resource, object);
    });
  }

  createSubresource(
    resource: ResourceDefinition,
    key: ObjectKey,
    subresource: string,
    body: KubeObject,
  ): Promise<KubeObject> {
    return this.#write((client) => client.createSubresource(resource, key, subresource, body));
  }

  update<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    object: T,
    options?: WriteOptions,
  ): Promise<Stored<T>> {
    return this.#write((client) => {
      const { random, weather } = this.#line;
      if (random.next() < weather().conflict) {
        throw conflict(resource, object.metadata.name ?? '', OBJECT_WAS_MODIFIED);
      }
      return client.update(resource, object, options);
    });
  }

  patch<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    key: ObjectKey,
    patch: Patch,
    options?: WriteOptions,
  ): Promise<Stored<T>> {
    return this.#write((client) => client.patch(resource, key, patch, options));
  }

  delete(resource: ResourceDefinition, key: ObjectKey, options?: DeleteOptions): Promise<void> {
    return this.#write((client) => {
      this.#observer.deleting?.(resource, key, options);
      return client.delete(resource, key, options);
    });
  }

  #read<T>(action: (client: Client) => Promise<T>): Promise<T> {
    return this.#line.process.call(() => this.#request(action));
  }

  #write<T>(action: (client: Client) => Promise<T>): Promise<T> {
    return this.#line.process.call(async () => {
      const result = await this.#request(action);
      const { random, weather } = this.#line;
      if (random.next() < weather().failAfter) throw unreachable('the answer was lost');
      return result;
    });
  }

  async #request<T>(action: (client: Client) => Promise<T>): Promise<T> {
    const { api, isCut, process, random, user, weather } = this.#line;
    const chance = random.next();
    const { failBefore, delayed, delayMs } = weather();
    if (random.next() < delayed) await sleep(process.clock, random.next() * delayMs);
    if (isCut()) {
      await sleep(process.clock, TIMEOUT_MS);
      throw unreachable('timed out');
    }
    if (chance < failBefore) throw refusal(random);
    const result = await api.use(user, action);
    if (random.next() < delayed) await sleep(process.clock, random.next() * delayMs);
    if (isCut()) throw unreachable('timed out');
    return result;
  }
}

function refusal(random: Random): Error {
  const kind = Math.floor(random.next() * 3);
  if (kind === 0) return internal('simulated failure');
  return kind === 1 ? tooManyRequests('simulated load', 1) : unreachable('connection reset');
}

class FaultyWatch<T extends KubeObject> implements WatchStream<T> {
  readonly #line: Line;
  readonly #stream: WatchStream<T>;

  constructor(line: Line, stream: WatchStream<T>) {
    this.#line = line;
    this.#stream = stream;
  }

  next(): Promise<readonly WatchEvent<T>[] | undefined> {
    const { process } = this.#line;
    return process.call(() => this.#next());
  }

  async #next(): Promise<readonly WatchEvent<T>[] | undefined> {
    const { isCut, process, random, weather } = this.#line;
    const events = await this.#stream.next();
    if (!events) return undefined;
    const { watchLagMs, watchLost, watchExpired } = weather();
    if (watchLagMs > 0) await sleep(process.clock, random.next() * watchLagMs);
    for (let waited = 0; isCut(); waited += POLL_MS) {
      if (waited >= STALL_MS) throw unreachable('the watch timed out');
      await sleep(process.clock, POLL_MS);
    }
    if (random.next() < watchLost) return undefined;
    if (random.next() < watchExpired) {
      return [{ type: 'ERROR', object: expired('simulated: the version is gone').status }];
    }
    return events;
  }

  stop(): void {
    this.#stream.stop();
  }
}
