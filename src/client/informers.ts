// Shared informers: one list and one watch per resource and selection for the whole process, a cache that everybody
// reads, and a call to each handler when something changed. Handlers get keys to put in a queue, not work to do.
import type { KubeObject, Stored } from '../api/objects.ts';
import type { ResourceDefinition } from '../api/resource.ts';
import type { ListOptions } from './client.ts';

/** Which objects of a resource an informer has; left out: all there are. */
export type Selection = Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>;

/** A read-only view of the cache of one resource. Objects are frozen and shared. */
export interface Lister<T extends KubeObject> {
  get(namespace: string | undefined, name: string): Stored<T> | undefined;
  /** All of a namespace; all there are if it is undefined. Costs what it returns. */
  list(namespace?: string): Stored<T>[];
  /** By an index that was added with `Informer.addIndex`. */
  byIndex(index: string, value: string): Stored<T>[];
}

export interface InformerHandlers<T extends KubeObject> {
  added?(object: Stored<T>): void;
  updated?(object: Stored<T>, old: Stored<T>): void;
  deleted?(object: Stored<T>): void;
}

export interface Informer<T extends KubeObject> extends Lister<T> {
  /** Handlers also get `added` for everything already in the cache. Returns what removes them. */
  subscribe(handlers: InformerHandlers<T>): () => void;
  /** Adds an index before the informer runs: the values under which an object is found. Idempotent by name. */
  addIndex(name: string, valuesOf: (object: T) => string[]): void;
  /**
   * Resolves when the first list is in the cache and the handlers have been told of it. Rejects if the informers
   * are stopped before: an empty cache must not be taken for an empty cluster.
   */
  synced(): Promise<void>;
}

/** Hands out informers; those asked for run until the process's signal stops them. */
export interface Informers {
  of<T extends KubeObject>(resource: ResourceDefinition<T>, selection?: Selection): Informer<T>;
}
