// The client inside the API server's own process: a call into the request pipeline, without HTTP and without
// JSON. What it returns is what the server keeps: frozen and shared.
import type { DeleteOptions } from '../api/generated/types.ts';
import type { ObjectList, WatchStream } from '../api/list-watch.ts';
import type { KubeObject, ObjectKey, Stored } from '../api/objects.ts';
import type { ResourceDefinition, Verb } from '../api/resource.ts';
import type { ApiRequest, ApiResult, ApiServer, User } from '../apiserver/request.ts';
import type { Client, ListOptions, Patch, WatchOptions, WriteOptions } from './client.ts';

/** What it calls of the server. */
type DirectServer = Pick<ApiServer, 'handle' | 'resources'>;

/**
 * A client that acts as `user` on a server in this process. Bodies are handed over, not copied: the server may
 * freeze them.
 */
export function directClient(server: DirectServer, user: User): Client {
  return new DirectClient(server, user);
}

class DirectClient implements Client {
  readonly #server: DirectServer;
  readonly #user: User;

  constructor(server: DirectServer, user: User) {
    this.#server = server;
    this.#user = user;
  }

  async discover(): Promise<readonly ResourceDefinition[]> {
    return this.#server.resources();
  }

  async get<T extends KubeObject>(resource: ResourceDefinition<T>, key: ObjectKey): Promise<Stored<T>> {
    return this.#object<T>('get', resource, key);
  }

  async list<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    options: ListOptions = {},
  ): Promise<ObjectList<T>> {
    const { namespace, ...rest } = options;
    const result = await this.#handle('list', resource, { namespace, options: rest });
    if (result.type !== 'list') throw unexpected('list', resource, result);
    // The server answers with objects of the resource it was asked for.
    return result.list as ObjectList<T>;
  }

  async watch<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    options: WatchOptions,
  ): Promise<WatchStream<T>> {
    const { namespace, signal, ...rest } = options;
    const result = await this.#handle('watch', resource, {
      namespace,
      options: { ...rest, allowWatchBookmarks: true },
      signal,
    });
    if (result.type !== 'watch') throw unexpected('watch', resource, result);
    return result.stream as WatchStream<T>;
  }

  async create<T extends KubeObject>(resource: ResourceDefinition<T>, object: T): Promise<Stored<T>> {
    return this.#object<T>('create', resource, { namespace: object.metadata.namespace, body: object });
  }

  async createSubresource(
    resource: ResourceDefinition,
    key: ObjectKey,
    subresource: string,
    body: KubeObject,
  ): Promise<KubeObject> {
    return this.#object('create', resource, { ...key, subresource, body });
  }

  async update<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    object: T,
    options: WriteOptions = {},
  ): Promise<Stored<T>> {
    const { namespace, name } = object.metadata;
    return this.#object<T>('update', resource, { namespace, name, body: object, ...options });
  }

  async patch<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    key: ObjectKey,
    patch: Patch,
    options: WriteOptions = {},
  ): Promise<Stored<T>> {
    return this.#object<T>('patch', resource, {
      ...key,
      body: patch.body,
      patchType: patch.type,
      options: patch.type === 'apply' ? { fieldManager: patch.fieldManager, force: patch.force } : {},
      ...options,
    });
  }

  async delete(resource: ResourceDefinition, key: ObjectKey, deleteOptions?: DeleteOptions): Promise<void> {
    await this.#handle('delete', resource, { ...key, deleteOptions });
  }

  async #object<T extends KubeObject>(
    verb: Verb,
    resource: ResourceDefinition<T>,
    request: Partial<ApiRequest>,
  ): Promise<Stored<T>> {
    const result = await this.#handle(verb, resource, request);
    if (result.type !== 'object') throw unexpected(verb, resource, result);
    return result.object as Stored<T>;
  }

  #handle(verb: Verb, resource: ResourceDefinition, request: Partial<ApiRequest>): Promise<ApiResult> {
    return this.#server.handle({
      options: {},
      ...request,
      verb,
      resource,
      user: this.#user,
    });
  }
}

function unexpected(verb: Verb, resource: { plural: string }, result: ApiResult): Error {
  return new Error(
    `${verb} ${resource.plural}: the API server answered with a result of type ${result.type}`,
  );
}
