// A very small API server over the memory store, for the tests of this room: enough of the verbs, and failures on
// demand.
import { alreadyExists, conflict, expired, notFound, OBJECT_WAS_MODIFIED } from '../api/errors.ts';
import type { WatchEvent, WatchStream } from '../api/list-watch.ts';
import type { KubeObject, Stored } from '../api/objects.ts';
import type { ResourceDefinition } from '../api/resource.ts';
import { schemaOf } from '../api/resources/schema.ts';
import type { ApiRequest, ApiResult, ApiServer } from '../apiserver/request.ts';
import { openMemoryStore } from '../store/memory.ts';
import type { Store, StoreEvent } from '../store/store.ts';
import { CompactedError } from '../store/store.ts';

export interface Note extends KubeObject {
  text?: string;
}

export const notes: ResourceDefinition<Note> = {
  group: 'test.stead.dev',
  version: 'v1',
  kind: 'Note',
  plural: 'notes',
  singular: 'note',
  shortNames: [],
  categories: [],
  namespaced: true,
  schema: 'Note',
  types: [],
  verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
  hasStatus: false,
  columns: [],
  strategy: {},
};

export const user = { name: 'tester', groups: [] };

export class FakeApi implements ApiServer {
  readonly store: Store = openMemoryStore();
  readonly schema = schemaOf([]);
  onResourcesChange = (): (() => void) => () => {};
  readonly requests: ApiRequest[] = [];
  readonly streams = new Set<FakeStream>();
  /** Called before each request; what it throws is the answer. */
  intercept: (request: ApiRequest) => void | Promise<void> = () => {};
  #uids = 0;

  async handle(request: ApiRequest): Promise<ApiResult> {
    this.requests.push(request);
    await this.intercept(request);
    try {
      return await this.#handle(request);
    } catch (error) {
      if (error instanceof CompactedError) throw expired('too old resource version');
      throw error;
    }
  }

  resource(): ResourceDefinition | undefined {
    return undefined;
  }

  resources(): readonly ResourceDefinition[] {
    return [];
  }

  async #handle(request: ApiRequest): Promise<ApiResult> {
    const { verb, resource, namespace, name, body, options } = request;
    const prefix = `/${resource.plural}/${namespace ? `${namespace}/` : ''}`;
    if (verb === 'list') {
      const [at, after] = options.continue?.split(' ') ?? [];
      const limit = options.limit;
      const { entries, revision, more } = await this.store.list(prefix, {
        limit: limit || undefined,
        after,
        revision: at ? Number(at) : undefined,
      });
      const last = entries.at(-1);
      const next = more && last ? { continue: `${revision} ${last.key}` } : {};
      const items = entries.map((entry) => decode(entry));
      return {
        type: 'list',
        list: { metadata: { resourceVersion: String(revision), ...next }, items },
        warnings: [],
      };
    }
    if (verb === 'watch') {
      const stream = new FakeStream(() => this.streams.delete(stream));
      const end = this.store.watch({
        prefix,
        afterRevision: Number(options.resourceVersion),
        onEvents: (events) => stream.push(events.map(toWatchEvent)),
        onEnd: (reason) => {
          if (reason instanceof CompactedError)
            stream.push([{ type: 'ERROR', object: expired('too old resource version').status }]);
          stream.stop();
        },
      });
      stream.onStop = end;
      this.streams.add(stream);
      request.signal?.addEventListener('abort', () => stream.stop());
      return { type: 'watch', stream };
    }
    const given = (body ?? { metadata: {} }) as KubeObject;
    const key = `${prefix}${name ?? given.metadata.name}`;
    const entry = await this.store.get(key);
    if (verb === 'create') {
      const metadata = { ...given.metadata, uid: `uid-${++this.#uids}`, creationTimestamp: 'now' };
      const result = await this.store.put(key, encode({ ...given, metadata }), 0);
      if (!result.ok) throw alreadyExists(resource, `${given.metadata.name}`);
      return this.#object(key, 201);
    }
    if (!entry) throw notFound(resource, `${name}`);
    const old = decode(entry);
    if (verb === 'delete') {
      await this.store.delete(key, entry.revision);
      return { type: 'object', code: 200, object: old, warnings: [] };
    }
    if (verb === 'update') {
      const expected = Number(given.metadata.resourceVersion);
      const result = await this.store.put(key, encode(given), expected);
      if (!result.ok) throw conflict(resource, `${name}`, OBJECT_WAS_MODIFIED);
    }
    if (verb === 'patch') await this.store.put(key, encode({ ...old, ...given }), entry.revision);
    return this.#object(key, 200);
  }

  async #object(key: string, code: 200 | 201): Promise<ApiResult> {
    const entry = await this.store.get(key);
    if (!entry) throw new Error('gone');
    return { type: 'object', code, object: decode(entry), warnings: [] };
  }
}

class FakeStream implements WatchStream {
  #events: WatchEvent[] = [];
  #ended = false;
  #wake: () => void = () => {};
  readonly #gone: () => void;
  onStop: () => void = () => {};

  constructor(gone: () => void) {
    this.#gone = gone;
  }

  push(events: readonly WatchEvent[]): void {
    this.#events.push(...events);
    this.#wake();
  }

  async next(): Promise<readonly WatchEvent[] | undefined> {
    while (this.#events.length === 0) {
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#events.splice(0);
  }

  stop(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.onStop();
    this.#gone();
    this.#wake();
  }
}

const encode = (object: KubeObject): Uint8Array => Buffer.from(JSON.stringify(object));

function decode({ value, revision }: { value: Uint8Array; revision: number }): Stored {
  const object = JSON.parse(Buffer.from(value).toString());
  object.metadata.resourceVersion = String(revision);
  return Object.freeze(object);
}

function toWatchEvent(event: StoreEvent): WatchEvent {
  if (event.type === 'delete') {
    return { type: 'DELETED', object: decode({ ...event.previous, revision: event.revision }) };
  }
  const isNew = event.entry.createRevision === event.entry.revision;
  return { type: isNew ? 'ADDED' : 'MODIFIED', object: decode(event.entry) };
}
