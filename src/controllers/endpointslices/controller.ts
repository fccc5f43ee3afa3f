// The loop that keeps EndpointSlices: a key per service, one pass for a burst of changes, and the writes. It looks at
// the slices through what it has just written itself, since the informer may not have told of it yet.
import { randomSuffix } from '../../api/clock.ts';
import { isNotFound } from '../../api/errors.ts';
import type { EndpointSlice } from '../../api/generated/types.ts';
import { keyOf, parseKey, type Stored } from '../../api/objects.ts';
import { endpointSlices } from '../../api/resources/endpoint-slices.ts';
import { nodes } from '../../api/resources/nodes.ts';
import { pods } from '../../api/resources/pods.ts';
import { services } from '../../api/resources/services.ts';
import {
  ENDPOINT_SLICE_CONTROLLER,
  MANAGED_BY,
  SERVICE_NAME,
  selectsPods,
} from '../../api/service-endpoints.ts';
import type { RunContext } from '../../client/run-context.ts';
import { runWorkers } from '../../client/run-workers.ts';
import { WorkQueue } from '../../client/work-queue.ts';
import { gatherMs } from '../gather.ts';
import { podsOf, watchServicesAndPods } from '../service-pods.ts';
import { planSlices } from './plan.ts';

const WORKERS = 4;
const BY_SERVICE = 'managedForService';
/** A slice's name is a DNS subdomain of at most 253 characters; the suffix takes six. */
const MAX_PREFIX = 247;

/** Runs the EndpointSlice controller until the context's signal. */
export async function runEndpointSlicesController(context: RunContext): Promise<void> {
  const { informers, clock, log, signal } = context;
  const queue = new WorkQueue(clock, context.queues?.named('endpoint_slice'));
  const slices = informers.of(endpointSlices);
  slices.addIndex(BY_SERVICE, serviceKeyOf);
  try {
    await Promise.all([
      informers.of(pods).synced(),
      informers.of(services).synced(),
      informers.of(nodes).synced(),
      slices.synced(),
    ]);
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  const controller = new EndpointSlicesController(context);
  const sliceChanged = (slice: Stored<EndpointSlice>): void => {
    for (const key of serviceKeyOf(slice)) queue.add(key);
  };
  const unsubscribe = [
    watchServicesAndPods(informers, (key) => queue.addAfter(key, controller.gatherMs(key))),
    slices.subscribe({
      // Only what others did to a slice is news.
      updated: (slice) => {
        if (!controller.wrote(slice)) sliceChanged(slice);
      },
      deleted: (slice) => {
        controller.forget(slice);
        sliceChanged(slice);
      },
    }),
  ];
  await runWorkers(queue, WORKERS, (key) => controller.reconcile(key), log, signal);
  for (const end of unsubscribe) end();
}

/** Under which service's key a slice of ours is found. */
function serviceKeyOf(slice: EndpointSlice): string[] {
  const labels = slice.metadata.labels ?? {};
  const name = labels[SERVICE_NAME];
  return name && labels[MANAGED_BY] === ENDPOINT_SLICE_CONTROLLER
    ? [`${slice.metadata.namespace}/${name}`]
    : [];
}

class EndpointSlicesController {
  readonly #context: RunContext;
  /** The last written form of each slice that the informer has not caught up with, by service. */
  readonly #written = new Map<string, Map<string, Stored<EndpointSlice>>>();
  /** How many pods each service had at the last look. */
  readonly #podCounts = new Map<string, number>();

  constructor(context: RunContext) {
    this.#context = context;
  }

  gatherMs(serviceKey: string): number {
    return gatherMs(this.#podCounts.get(serviceKey) ?? 0);
  }

  /** Whether the slice is as this controller last wrote it. */
  wrote(slice: Stored<EndpointSlice>): boolean {
    const [key = ''] = serviceKeyOf(slice);
    const written = this.#written.get(key)?.get(slice.metadata.name);
    return written?.metadata.resourceVersion === slice.metadata.resourceVersion;
  }

  forget(slice: Stored<EndpointSlice>): void {
    const [key = ''] = serviceKeyOf(slice);
    this.#written.get(key)?.delete(slice.metadata.name);
  }

  /** The slices as they are now: the informer's, or ours where ours is newer. */
  #slicesOf(serviceKey: string): Stored<EndpointSlice>[] {
    const cached = this.#context.informers.of(endpointSlices).byIndex(BY_SERVICE, serviceKey);
    const slices = new Map(cached.map((slice) => [slice.metadata.name, slice]));
    const written = this.#written.get(serviceKey) ?? new Map<string, Stored<EndpointSlice>>();
    for (const [name, ours] of written) {
      const theirs = slices.get(name);
      if (theirs && BigInt(theirs.metadata.resourceVersion) >= BigInt(ours.metadata.resourceVersion)) {
        written.delete(name);
      } else slices.set(name, ours);
    }
    return [...slices.values()];
  }

  async reconcile(key: string): Promise<void> {
    const { informers, client } = this.#context;
    const { namespace, name } = parseKey(key);
    const service = informers.of(services).get(namespace, name);
    if (!service || service.metadata.deletionTimestamp || !selectsPods(service)) {
      this.#podCounts.delete(key);
      // A service that is gone takes its slices along by their owner reference.
      if (!service) this.#written.delete(key);
      return;
    }
    const selected = podsOf(service, informers);
    this.#podCounts.set(key, selected.length);
    const plan = planSlices({
      service,
      pods: selected,
      slices: this.#slicesOf(key),
      node: (nodeName) => informers.of(nodes).get(undefined, nodeName),
    });
    const prefix = `${name.slice(0, MAX_PREFIX - 1)}-`;
    // Created first: an endpoint that moves is then never in no slice.
    for (const slice of plan.create) {
      const metadata = { ...slice.metadata, name: prefix + randomSuffix(this.#context.random) };
      this.#remember(key, await client.create(endpointSlices, { ...slice, metadata }));
    }
    for (const slice of plan.update) this.#remember(key, await client.update(endpointSlices, slice));
    for (const slice of plan.delete) await this.#delete(key, slice);
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
