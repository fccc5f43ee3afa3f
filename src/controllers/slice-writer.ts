// The EndpointSlices that one controller manages, for the controllers that do: which there are for a service, and the
// writes. It looks at the slices through what it has just written itself, since the informer may not have told of it yet.

import { orUndefined } from '../api/errors.ts';
import type { EndpointSlice } from '../api/generated/types.ts';
import { type NamespacedName, nameOf, type ObjectKey, type Stored } from '../api/objects.ts';
import { endpointSlices } from '../api/resources/endpoint-slices/definition.ts';
import { MANAGED_BY, SERVICE_NAME } from '../api/service-endpoints.ts';
import { randomSuffix } from '../base/clock.ts';
import { type Watch, watch } from '../client/controller.ts';
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
  readonly #written = new Map<NamespacedName, Map<string, Stored<EndpointSlice>>>();

  /** @param manager whose slices: the value of their label `endpointslice.kubernetes.io/managed-by`. */
  constructor(context: RunContext, manager: string) {
    this.#context = context;
    this.#manager = manager;
    context.informers.of(endpointSlices).addIndex(this.#index, (slice) => this.#serviceOf(slice).map(nameOf));
  }

  get #index(): string {
    return `service of ${this.#manager}`;
  }

  /** The service whose slice, and ours, it is. */
  #serviceOf({ metadata: { namespace, labels = {} } }: EndpointSlice): ObjectKey[] {
    const name = labels[SERVICE_NAME];
    return name && labels[MANAGED_BY] === this.#manager ? [{ namespace, name }] : [];
  }

  /** Watches for the services of slices of ours that somebody else has changed or deleted. */
  watch(): Watch<ObjectKey> {
    return watch(this.#context.informers.of(endpointSlices), {
      // One that was ours may be so no longer.
      updated: (slice, old) =>
        this.#wrote(slice) ? [] : [...this.#serviceOf(slice), ...this.#serviceOf(old)],
      deleted: (slice) => {
        const services = this.#serviceOf(slice);
        for (const key of services) this.#written.get(nameOf(key))?.delete(slice.metadata.name);
        return services;
      },
    });
  }

  /** Whether the slice is as this controller last wrote it. */
  #wrote(slice: Stored<EndpointSlice>): boolean {
    const written = this.#serviceOf(slice).map((key) =>
      this.#written.get(nameOf(key))?.get(slice.metadata.name),
    );
    return written[0]?.metadata.resourceVersion === slice.metadata.resourceVersion;
  }

  /** The slices of a service as they are now: the informer's, or ours where ours is newer. */
  slicesOf(service: ObjectKey): Stored<EndpointSlice>[] {
    const serviceKey = nameOf(service);
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
  forget(service: ObjectKey): void {
    this.#written.delete(nameOf(service));
  }

  /** Makes the writes. Created first: an endpoint that moves is then never in no slice. */
  async carryOut(service: ObjectKey, plan: SlicePlan): Promise<void> {
    const serviceKey = nameOf(service);
    const { client, random } = this.#context;
    for (const slice of plan.create) {
      const prefix = `${(slice.metadata.labels?.[SERVICE_NAME] ?? '').slice(0, MAX_PREFIX - 1)}-`;
      const metadata = { ...slice.metadata, name: prefix + randomSuffix(random) };
      this.#remember(serviceKey, await client.create(endpointSlices, { ...slice, metadata }));
    }
    for (const slice of plan.update) this.#remember(serviceKey, await client.update(endpointSlices, slice));
    for (const slice of plan.delete) await this.#delete(serviceKey, slice);
  }

  #remember(serviceKey: NamespacedName, slice: Stored<EndpointSlice>): void {
    const written = this.#written.get(serviceKey) ?? new Map<string, Stored<EndpointSlice>>();
    this.#written.set(serviceKey, written.set(slice.metadata.name, slice));
  }

  async #delete(serviceKey: NamespacedName, slice: Stored<EndpointSlice>): Promise<void> {
    const { namespace, name, uid } = slice.metadata;
    this.#written.get(serviceKey)?.delete(name);
    const { client } = this.#context;
    await orUndefined(client.delete(endpointSlices, { namespace, name }, { preconditions: { uid } }));
  }
}
