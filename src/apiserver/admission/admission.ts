// The face of admission: what a plug-in is told of a write, and what it may look at. A plug-in changes or refuses
// objects for reasons that lie outside the object itself; one file each, and server.ts lists them.

import type { KubeObject, ObjectKey, Stored } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import type { Clock, Random } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Store } from '../../store/store.ts';
import type { ResourceCache } from '../cache/resource-cache.ts';
import type { Registry } from '../registry.ts';
import type { User } from '../request.ts';

export interface AdmissionRequest {
  operation: 'CREATE' | 'UPDATE' | 'DELETE';
  resource: ResourceDefinition;
  subresource: string | undefined;
  key: ObjectKey;
  /** What is to be written; `admit` may change it in place. Undefined for DELETE. */
  object: KubeObject | undefined;
  /** What is there; undefined for CREATE. */
  old: Stored | undefined;
  user: User;
  dryRun: boolean;
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

/** What is seen of a kind that is not served. */
const NOTHING = { get: () => undefined, *list(): Generator<Stored> {} };

/** Throws a `StatusError` to refuse. */
export interface AdmissionPlugin {
  readonly name: string;
  /** May change the object. Runs before the strategy and validation. */
  admit?(request: AdmissionRequest, context: AdmissionContext): Promise<void> | void;
  /** Sees the object as it would be written. */
  validate?(request: AdmissionRequest, context: AdmissionContext): Promise<void> | void;
}

/** The object of a request if it is a write of this kind to the object itself, not to a subresource. */
export function objectOf<T extends KubeObject>(
  request: AdmissionRequest,
  group: string,
  kind: string,
): T | undefined {
  const { resource, subresource, object } = request;
  // The registry has decoded the object by the schema of its kind, so the kind decides its type.
  return !subresource && resource.group === group && resource.kind === kind
    ? (object as T | undefined)
    : undefined;
}

/** Runs the plug-ins over one write. */
export class Admission {
  readonly #plugins: readonly AdmissionPlugin[];
  readonly #context: AdmissionContext;
  readonly #afterwards: ((written: boolean) => Promise<void> | void)[] = [];
  readonly #log: Log;
  /** For the client to read. */
  readonly warnings: string[] = [];

  constructor(plugins: readonly AdmissionPlugin[], registry: Registry) {
    this.#plugins = plugins;
    this.#log = registry.log;
    this.#context = {
      clock: registry.clock,
      random: registry.random,
      store: registry.store,
      newest: async (revision = 0) => {
        await registry.hub.newest();
        await registry.hub.reached(revision);
      },
      revision: () => registry.hub.revision,
      find: async (group, plural, key) => {
        const resource = registry.resource(group, plural);
        return resource && (await registry.find(resource, key));
      },
      list: async (group, plural, namespace) => {
        const resource = registry.resource(group, plural);
        return resource ? [...(await registry.cache(resource)).list(namespace)] : [];
      },
      follow: async (group, plural, onChange) => {
        const resource = registry.resource(group, plural);
        if (!resource) return NOTHING;
        const cache = await registry.cache(resource);
        cache.observe(({ revision, event: { type, object }, previous }) =>
          onChange({ revision, object: type === 'DELETED' ? undefined : object, previous }),
        );
        return cache;
      },
      warn: (text) => this.warnings.push(text),
      afterwards: (action) => this.#afterwards.push(action),
    };
  }

  async admit(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#plugins) await plugin.admit?.(request, this.#context);
  }

  async validate(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#plugins) await plugin.validate?.(request, this.#context);
  }

  /** To be called once, when the write has ended. What plug-ins do then no longer changes how. */
  async end(written: boolean): Promise<void> {
    for (const action of this.#afterwards.splice(0)) {
      try {
        await action(written);
      } catch (error) {
        this.#log.error('what was reserved for a write could not be given back', error);
      }
    }
  }
}
