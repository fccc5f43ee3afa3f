// The face of admission: what a plug-in is told of a write, and what it may look at. A plug-in changes or refuses
// objects for reasons that lie outside the object itself; one file each, plugins.ts lists them and pipeline.ts runs them.

import type { KubeObject, ObjectKey, Stored } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import type { Clock, Random } from '../../base/clock.ts';
import type { Store } from '../../store/store.ts';
import type { ResourceCache } from '../cache/resource-cache.ts';
import type { User } from '../request.ts';

/** Whose write it is, and of what. */
interface Attributes {
  resource: ResourceDefinition;
  subresource: string | undefined;
  key: ObjectKey;
  user: User;
  dryRun: boolean;
}

/** An object that somebody wants written. */
export interface AdmissionRequest extends Attributes {
  operation: 'CREATE' | 'UPDATE';
  /** What is to be written. It is not changed in place. */
  object: KubeObject;
  /** What is there; of a new object, nothing. */
  old: Stored | undefined;
}

/** An object that somebody wants gone. */
export interface DeletionRequest extends Attributes {
  operation: 'DELETE';
  object: undefined;
  old: Stored;
}

/** An object as it is (undefined: gone) and as it was (undefined: new). */
export interface ObjectChange {
  revision: number;
  object: Stored | undefined;
  previous: Stored | undefined;
}

export interface AdmissionContext {
  clock: Clock;
  random: Random;
  /** For what plug-ins reserve by compare-and-set, beside the objects: those are the registry's. */
  store: Store;
  /** Resolves when everything that was written before the call is seen, and everything up to a revision. */
  newest(revision?: number): Promise<void>;
  /** The revision of what is seen. */
  revision(): number;
  find(group: string, plural: string, key: ObjectKey): Promise<Stored | undefined>;
  list(group: string, plural: string, namespace?: string): Promise<Stored[]>;
  /**
   * Makes an object that stands for something that is given out: by compare-and-set, and by nobody's leave.
   * @throws StatusError AlreadyExists.
   */
  create(group: string, plural: string, object: KubeObject): Promise<Stored>;
  /** Deletes such an object; false if this is no longer its newest version. */
  remove(group: string, plural: string, object: Stored): Promise<boolean>;
  /**
   * Calls back with every change of a kind from now on, for as long as the server runs.
   * @returns the objects as they are seen now.
   */
  follow(
    group: string,
    plural: string,
    onChange: (change: ObjectChange) => void,
  ): Promise<Pick<ResourceCache, 'get' | 'list'>>;
  /** Tells the client something that does not refuse its write. */
  warn(text: string): void;
  /** Calls back when the write has ended: what was held for it can go, or what it gave back. */
  afterwards(action: (written: boolean) => Promise<void> | void): void;
}

/** Throws a `StatusError` to refuse. */
export interface AdmissionPlugin {
  readonly name: string;
  /**
   * Gives back what is to be written: the request's object if nothing about it changes, or else another one, which may
   * share what is the same. Runs before the strategy and validation. What was asked of somebody outside this process is
   * to be decoded by the resource's type before it is given back.
   */
  admit?(request: AdmissionRequest, context: AdmissionContext): Promise<KubeObject> | KubeObject;
  /** Sees the object as it would be written. */
  validate?(request: AdmissionRequest, context: AdmissionContext): Promise<void> | void;
  /** Sees what would go. */
  admitDeletion?(request: DeletionRequest, context: AdmissionContext): Promise<void> | void;
}

/** The object of a request if it is a write of this kind to the object itself, not to a subresource. */
export function objectOf<T extends KubeObject>(
  { resource, subresource, object }: AdmissionRequest,
  group: string,
  kind: string,
): T | undefined {
  // The registry has decoded the object by the schema of its kind, so the kind decides its type.
  return !subresource && resource.group === group && resource.kind === kind ? (object as T) : undefined;
}
