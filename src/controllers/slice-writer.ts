// The EndpointSlices that one controller manages, for the controllers that do: which there are for a service, and the
// writes. It looks at the slices through what it has just written itself, since the informer may not have told of it yet.

import { isNotFound } from '../api/errors.ts';
import type { EndpointSlice } from '../api/generated/types.ts';
import { keyOf, type Stored } from '../api/objects.ts';
import { endpointSlices } from '../api/resources/endpoint-slices/definition.ts';
import { MANAGED_BY, SERVICE_NAME } from '../api/service-endpoints.ts';
import { randomSuffix } from '../base/clock.ts';
import type { RunContext } from '../client/run-context.ts';

/** A slice's name is a DNS subdomain of at most 253 characters; a dash and the suffix take six. */
const MAX_PREFIX = 247;

export interface SlicePlan {
  /** Without names: the writer gives each a unique one that begins with the service's. */
  create: EndpointSlice[];
  update: Stored<EndpointSlice>[];
  delete: Stored<EndpointSlice>[];
}

export class SliceWriter {
  readonly #context: RunContext;
  readonly #manager: string;
  /** The last written form of each slice that the informer has not caught up with, by service. */
  readonly #written = new Map<string, Map<string, Stored<EndpointSlice>>>();

  /** @param manager whose slices: the value of their label `endpointslice.kubernetes.io/managed-by`. */
  constructor(context: RunContext, manager: string) {
    this.#context = context;
    this.#manager = manager;
    context.informers.of(endpointSlices).addIndex(this.#index, (slice) => this.#keysOf(slice));
  }

  get #index(): string {
    return `service of ${this.#manager}`;
  }

  /** Under which service's key a slice of ours is found. */
  #keysOf({ metadata: { namespace, labels = {} } }: EndpointSlice): string[] {
    const name = labels[SERVICE_NAME];
    return name && labels[MANAGED_BY] === this.#manager ? [`${namespace}/${name}`] : [];
  }

  /** Calls back with the service's key when somebody else has changed or deleted a slice of ours. @returns what ends it. */
  watch(enqueue: (serviceKey: string) => void): () => void {
    const changed = (slice: Stored<EndpointSlice>): void => {
      for (const key of this.#keysOf(slice)) enqueue(key);
    };
    return this.#context.informers.of(endpointSlices).subscribe({
      updated: (slice, old) => {
        if (this.#wrote(slice)) return;
        changed(slice);
        // It may be ours no longer.
        changed(old);
      },
      deleted: (slice) => {
        for (const key of this.#keysOf(slice)) this.#written.get(key)?.delete(slice.metadata.name);
        changed(slice);
      },
    });
  }

  /** Whether the slice is as this controller last wrote it. */
  #wrote(slice: Stored<EndpointSlice>): boolean {
    const [key = ''] = this.#keysOf(slice);
    const written = this.#written.get(key)?.get(slice.metadata.name);
    return written?.metadata.resourceVersion === slice.metadata.resourceVersion;
  }

  /** The slices of a service as they are now: the informer's, or ours where ours is newer. */
  slicesOf(serviceKey: string): Stored<EndpointSlice>[] {
    const cached = this.#context.informers.of(endpointSlices).byIndex(this.#index, serviceKey);
    const slices = new Map(cached.map((slice) => [slice.metadata.name, slice]));
    const written = this.#written.get(serviceKey);
    for (const [name, ours] of written ?? []) {
      const theirs = slices.get(name);
      if (theirs && BigInt(theirs.metadata.resourceVersion) >= BigInt(ours.metadata.resourceVersion)) {
        written?.delete(name);
      } else slices.set(name, ours);
    }
    if (written?.size === 0) this.#written.delete(serviceKey);
    return [...slices.values()];
  }

  /** The service is gone: what was written of it is remembered no longer. */
  forget(serviceKey: string): void {
    this.#written.delete(serviceKey);
  }

  /** Makes the writes. Created first: an endpoint that moves is then never in no slice. */
  async carryOut(serviceKey: string, plan: SlicePlan): Promise<void> {
    const { client, random } = this.#context;
    for (const slice of plan.create) {
      const prefix = `${(slice.metadata.labels?.[SERVICE_NAME] ?? '').slice(0, MAX_PREFIX - 1)}-`;
      const metadata = { ...slice.metadata, name: prefix + randomSuffix(random) };
      this.#remember(serviceKey, await client.create(endpointSlices, { ...slice, metadata }));
    }
    for (const slice of plan.update) this.#remember(serviceKey, await client.update(endpointSlices, slice));
    for (const slice of plan.delete) await this.#delete(serviceKey, slice);
  }

  #remember(serviceKey: string, slice: Stored<EndpointSlice>): void {
    const written = this.#written.get(serviceKey) ?? new Map<string, Stored<EndpointSlice>>();
    this.#written.set(serviceKey, written.set(slice.metadata.name, slice));
  }

  async #delete(serviceKey: string, slice: Stored<EndpointSlice>): Promise<void> {
    const { namespace, name, uid } = slice.metadata;
    this.#written.get(serviceKey)?.delete(name);
    try {
      await this.#context.client.delete(endpointSlices, { namespace, name }, { preconditions: { uid } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      this.#context.log.debug('slice was gone already', { slice: keyOf(slice) });
    }
  }
}
