// The face of admission: what a plug-in is told of a write, and what it may look at. A plug-in changes or refuses
// objects for reasons that lie outside the object itself; one file each, and server.ts lists them.

import type { KubeObject, ObjectKey, Stored } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import type { Clock, Random } from '../../base/clock.ts';
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
  object: Stored | undefined;
  previous: Stored | undefined;
}

export interface AdmissionContext {
  clock: Clock;
  random: Random;
  find(group: string, plural: string, key: ObjectKey): Promise<Stored | undefined>;
  list(group: string, plural: string, namespace?: string): Promise<Stored[]>;
  /**
   * Calls back with every change of a kind from now on, for as long as the server runs.
   * @returns what lists a namespace as it is now.
   */
  follow(
    group: string,
    plural: string,
    onChange: (change: ObjectChange) => void,
  ): Promise<(namespace: string) => readonly Stored[]>;
  /** Tells the client something that does not refuse its write. */
  warn(text: string): void;
  /** Calls back when the write has ended, either way: what was held for it can go. */
  afterwards(release: () => void): void;
}

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
  readonly #releases: (() => void)[] = [];
  /** For the client to read. */
  readonly warnings: string[] = [];

  constructor(plugins: readonly AdmissionPlugin[], registry: Registry) {
    this.#plugins = plugins;
    this.#context = {
      clock: registry.clock,
      random: registry.random,
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
        if (!resource) return () => [];
        const cache = await registry.cache(resource);
        cache.observe(({ event: { type, object }, previous }) =>
          onChange({ object: type === 'DELETED' ? undefined : object, previous }),
        );
        return (namespace) => [...cache.list(namespace)];
      },
      warn: (text) => this.warnings.push(text),
      afterwards: (release) => this.#releases.push(release),
    };
  }

  async admit(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#plugins) await plugin.admit?.(request, this.#context);
  }

  async validate(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#plugins) await plugin.validate?.(request, this.#context);
  }

  /** To be called once, when the write has ended. */
  end(): void {
    for (const release of this.#releases.splice(0)) release();
  }
}
