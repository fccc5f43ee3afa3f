// What a resource is: the one record from which the API server, discovery, OpenAPI, tables and the clients are
// driven. A new kind is one folder in resources/ that exports such a record; nothing elsewhere names kinds.
import type { FieldError } from './errors.ts';
import type { KubeObject, Stored } from './objects.ts';
import type { TypeSource } from './schema/schema.ts';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

/** One column of `kubectl get`. */
export interface Column<T extends KubeObject> {
  name: string;
  type: 'string' | 'integer' | 'date' | 'boolean';
  format?: 'name';
  description: string;
  /** 0: always shown; 1: only with `-o wide`. */
  priority: 0 | 1;
  /** The cell; dates are rendered by the caller from ISO time to an age (`5m`). `nowMs` is the server's time. */
  cell(object: T, nowMs: number): string | number | boolean | null;
}

/** Something that is true of a whole row of a table: that what it shows has run to its end. */
export interface RowCondition {
  type: 'Completed';
  status: 'True';
  reason: string;
  message: string;
}

/** What a strategy may know besides the object. */
export interface StrategyContext {
  /** Server time, ms since the epoch. */
  nowMs: number;
}

/**
 * What creating and updating mean for one resource (`rest.RESTCreateUpdateStrategy` upstream). The registry has
 * already defaulted the object, checked it against the schema and filled in metadata. `prepare…` may change the
 * new object in place and must not touch the old one; `validate…` changes nothing.
 */
export interface Strategy<T extends KubeObject> {
  /** Clears what a client may not set on creation (status, for most kinds). */
  prepareForCreate?(object: T, context: StrategyContext): void;
  validateCreate?(object: T): FieldError[];
  /** Keeps what an ordinary update may not change (status, for kinds with a status subresource). */
  prepareForUpdate?(object: T, old: T, context: StrategyContext): void;
  validateUpdate?(object: T, old: T): FieldError[];
  /** The same for writes to /status; by default everything but `status` (and metadata) is kept from the old. */
  prepareForStatusUpdate?(object: T, old: T, context: StrategyContext): void;
  validateStatusUpdate?(object: T, old: T): FieldError[];
  /**
   * Seconds that a deletion without its own gracePeriodSeconds waits for the node to finish; 0: none. Undefined:
   * deleted at once, whatever the request asks (no node has to finish anything). Pods have one.
   */
  gracePeriodSeconds?(object: T): number | undefined;
  /** Changes the object when its deletion is first requested (namespaces say that they are Terminating). */
  prepareForDeletion?(object: T): void;
  /** Whether something of the object's own, beside metadata.finalizers, holds its deletion back (namespaces). */
  holdsDeletion?(object: T): boolean;
  /** Warnings for the `Warning:` response header (deprecated fields, …). */
  warnings?(object: T, old?: T): string[];
}

/**
 * What writing a subresource means that shows the whole object and lets some of it be changed: pods/resize,
 * pods/ephemeralcontainers. Neither method changes its arguments.
 */
export interface PartStrategy<T extends KubeObject> {
  /** The old object with what `wanted` may change of it; metadata is the caller's business. */
  merge(wanted: T, old: T): T;
  validate(object: T, old: T): FieldError[];
}

/** Where /scale finds its numbers in an object of the resource. */
export interface ScalePaths<T extends KubeObject> {
  specReplicas(object: T): number;
  setSpecReplicas(object: T, replicas: number): void;
  statusReplicas(object: T): number;
  /** The label selector as a string, for `status.selector`. */
  selector(object: T): string;
}

/**
 * Reads one selectable field of an object. Declared as a method's type, so that a list of definitions of different
 * kinds is a list of `ResourceDefinition`.
 */
export type FieldReader<T extends KubeObject> = { read(object: T): string }['read'];

/** How a version that is served is kept, when that is in another one. Objects keep their metadata. */
export interface StoredVersion<T extends KubeObject, S extends KubeObject = KubeObject> {
  /** The version that is stored; it must be served, too. */
  resource: ResourceDefinition<S>;
  /** Neither changes its argument. apiVersion and kind are the server's business. */
  toStored(object: T): S;
  fromStored(object: S): T;
  /** Top-level fields that are stored under another name: for selectors, and for who owns them. */
  renamed?: Readonly<Record<string, string>>;
}

/** How long objects live, for kinds that nobody deletes. */
export interface Lifetime<T extends KubeObject> {
  /** When the object was last of interest, ms since the epoch; of an outline, if there is one. */
  seenMs(object: Stored<T>): number;
  ttlMs: number;
  /** So many are kept, those that were seen last. */
  most: number;
}

export interface ResourceDefinition<T extends KubeObject = KubeObject> {
  /** Empty for the core group. */
  group: string;
  version: string;
  kind: string;
  /** As in the URL: `statefulsets`. */
  plural: string;
  singular: string;
  shortNames: string[];
  /** `all`, for what `kubectl get all` shows. */
  categories: string[];
  namespaced: boolean;
  /** The name of its objects' type: `StatefulSet`. */
  schema: string;
  /** The types that come with it, of which that is one; what all kinds share is there already. */
  types: readonly TypeSource[];
  verbs: readonly Verb[];
  /** Whether it has a /status of its own, written apart from the spec. */
  hasStatus: boolean;
  /** Whether metadata.generation counts the changes of everything but metadata and status, from 1 on. */
  countsGeneration?: boolean;
  scale?: ScalePaths<T>;
  /** Subresources that are the object itself, of which they change a part. */
  parts?: Record<string, PartStrategy<T>>;
  /** Subresources that hold no object: log, exec, attach, portforward, binding, eviction, … → the verbs' kind. */
  actions?: Record<string, { kind: string; group?: string; version?: string; verbs: Verb[] }>;
  /** Fields for fieldSelector beside metadata.name and metadata.namespace: path → value of an object. */
  selectableFields?: Record<string, FieldReader<T>>;
  /** Whether a deletion is answered with the object that is gone, not with a Status. */
  returnsDeleted?: boolean;
  /** Whether PUT makes an object that is not there. */
  createsOnUpdate?: boolean;
  /** Whether PUT must name the version that it replaces. */
  needsVersionToUpdate?: boolean;
  columns: readonly Column<T>[];
  /** What holds for an object's whole row: clients may hide those that have ended. */
  rowConditions?(object: T): readonly RowCondition[];
  strategy: Strategy<T>;
  /**
   * What of an object the server keeps in memory, for kinds of which there are too many to keep them whole: all that it
   * selects them by. Whoever wants more has it read from the store.
   * @param share gives for a text that others have too the same one, so that it is there once.
   */
  outline?(object: Stored<T>, share: (text: string) => string): Stored<T>;
  /** For a version that is only served: the one that is stored. */
  storedAs?: StoredVersion<T>;
  expiry?: Lifetime<T>;
  /** How names are checked; throws nothing, returns the reasons why a name is bad. Default: DNS-1123 subdomain. */
  validateName?(name: string): string[];
}

/** `apps/v1`, or `v1` for the core group. */
export function apiVersionOf(resource: { group: string; version: string }): string {
  return resource.group ? `${resource.group}/${resource.version}` : resource.version;
}

/** `statefulsets.apps`, or `pods`: how error messages name a resource. */
export function groupResourceOf(resource: { group: string; plural: string }): string {
  return resource.group ? `${resource.plural}.${resource.group}` : resource.plural;
}
