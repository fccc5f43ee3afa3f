// The one way to the API for everything that acts on it: controllers, scheduler, node agent, DNS, the CLI. Three
// transports implement it: direct.ts (in this process), https.ts (a kubeconfig: stead or any Kubernetes), and the
// simulator's. Errors are `StatusError`s, whichever transport.
import type { DeleteOptions } from '../api/generated/types.ts';
import type { ObjectList, WatchStream } from '../api/list-watch.ts';
import type { KubeObject, ObjectKey, Stored } from '../api/objects.ts';
import type { ResourceDefinition } from '../api/resource.ts';

export interface ListOptions {
  /** All namespaces if left out. */
  namespace?: string | undefined;
  labelSelector?: string;
  fieldSelector?: string;
  limit?: number;
  continue?: string;
}

export interface WatchOptions extends Omit<ListOptions, 'limit' | 'continue'> {
  /** Start after this version: that of a list, or the last seen. */
  resourceVersion: string;
  signal?: AbortSignal;
}

export interface WriteOptions {
  /** `status`, `scale`, `binding`, `eviction`, `token`, …; the object itself if left out. */
  subresource?: string;
}

export type Patch =
  | { type: 'merge' | 'strategic'; body: object }
  | { type: 'json'; body: readonly object[] }
  /** Server-side apply: the fields that `fieldManager` wants; `force` takes over what others own. */
  | { type: 'apply'; body: object; fieldManager: string; force: boolean };

export interface Client {
  /** What the API serves now: of a group's versions, the one that it prefers first. See kinds.ts for who follows it. */
  discover(): Promise<readonly ResourceDefinition[]>;
  get<T extends KubeObject>(resource: ResourceDefinition<T>, key: ObjectKey): Promise<Stored<T>>;
  list<T extends KubeObject>(resource: ResourceDefinition<T>, options?: ListOptions): Promise<ObjectList<T>>;
  watch<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    options: WatchOptions,
  ): Promise<WatchStream<T>>;
  create<T extends KubeObject>(resource: ResourceDefinition<T>, object: T): Promise<Stored<T>>;
  /** POST to a subresource that takes an object of another kind: binding, eviction, token. */
  createSubresource(
    resource: ResourceDefinition,
    key: ObjectKey,
    subresource: string,
    body: KubeObject,
  ): Promise<KubeObject>;
  /** Refused with Conflict unless the object's resourceVersion is the stored one. */
  update<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    object: T,
    options?: WriteOptions,
  ): Promise<Stored<T>>;
  patch<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    key: ObjectKey,
    patch: Patch,
    options?: WriteOptions,
  ): Promise<Stored<T>>;
  delete(resource: ResourceDefinition, key: ObjectKey, options?: DeleteOptions): Promise<void>;
}
