// A control plane for this room's tests: memory store, API server and informers in virtual time, this controller, and
// a node that does what the test says.

import type { Pod, PodStatus, StatefulSet } from '../../api/generated/types.ts';
import { isTerminating, type KubeObject, type Stored } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import { allResources } from '../../api/resources/all.ts';
import { events } from '../../api/resources/events/definition.ts';
import { namespaces } from '../../api/resources/namespaces/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { serviceAccounts } from '../../api/resources/service-accounts/definition.ts';
import { statefulSets } from '../../api/resources/stateful-sets/definition.ts';
import { createApiServer } from '../../apiserver/server.ts';
import { timestamp } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { present } from '../../base/present.ts';
import type { Client } from '../../client/client.ts';
import { directClient } from '../../client/direct.ts';
import type { Informers } from '../../client/informers.ts';
import { createInformers } from '../../client/shared-informers.ts';
import { openMemoryStore } from '../../store/memory.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { runStatefulSetController } from './controller.ts';
import { makeSet, type PodState, podStatus, type SetOptions } from './test-fixtures.ts';

export const NAMESPACE = 'default';

/** A control plane with this controller and nothing else. */
export class Cluster {
  readonly clock = new VirtualClock();
  readonly random = seededRandom(1);
  readonly store = openMemoryStore();
  readonly server = createApiServer({
    store: this.store,
    clock: this.clock,
    random: this.random,
    log: silentLog,
    resources: allResources,
    serviceCidr: '10.96.0.0/16',
  });
  readonly client: Client = directClient(this.server, { name: 'test', groups: ['system:masters'] });
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  static async start(): Promise<Cluster> {
    const cluster = new Cluster();
    await cluster.client.create(namespaces, { metadata: { name: NAMESPACE }, spec: {} });
    await cluster.client.create(serviceAccounts, { metadata: { name: 'default', namespace: NAMESPACE } });
    cluster.run();
    await cluster.settle();
    return cluster;
  }

  /** Starts a controller process; `wrap` may falsify what it sees, and `client` what it writes. */
  run(wrap: (informers: Informers) => Informers = (same) => same, client: Client = this.client): void {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    const { clock, random } = this;
    const informers = wrap(createInformers(this.client, clock, silentLog, signal));
    this.#running = runStatefulSetController({ client, informers, clock, random, log: silentLog, signal });
  }

  async kill(): Promise<void> {
    this.#stop.abort();
    await this.settle();
    await this.#running;
  }

  async end(): Promise<void> {
    await this.kill();
    this.server.stop();
    await this.store.close();
  }

  /** Lets what follows from the past happen, retries within two seconds included. */
  async settle(): Promise<void> {
    await this.clock.advance(2000);
  }

  async createSet(options: SetOptions = {}): Promise<Stored<StatefulSet>> {
    const { status: _status, metadata, ...set } = makeSet(options);
    const { labels, annotations } = metadata;
    const created = await this.client.create(statefulSets, {
      ...set,
      metadata: present({ name: metadata.name, namespace: NAMESPACE, labels, annotations }),
    });
    await this.settle();
    return created;
  }

  set(): Promise<Stored<StatefulSet>> {
    return this.client.get(statefulSets, { namespace: NAMESPACE, name: 'web' });
  }

  async patchSet(spec: object): Promise<void> {
    await this.client.patch(
      statefulSets,
      { namespace: NAMESPACE, name: 'web' },
      { type: 'merge', body: { spec } },
    );
    await this.settle();
  }

  /** Gives the set an annotation of stead's, or takes it away. */
  async annotate(name: string, value: string | null): Promise<void> {
    const body = { metadata: { annotations: { [`stead.dev/${name}`]: value } } };
    await this.client.patch(statefulSets, { namespace: NAMESPACE, name: 'web' }, { type: 'merge', body });
    await this.settle();
  }

  /** Changes the image of the template's container. */
  async setImage(image: string): Promise<void> {
    const [container] = (await this.set()).spec.template.spec?.containers ?? [];
    await this.patchSet({ template: { spec: { containers: [{ ...container, image }] } } });
  }

  async podNames(): Promise<string[]> {
    return (await this.client.list(pods, { namespace: NAMESPACE })).items
      .map((pod) => pod.metadata.name)
      .sort();
  }

  pod(name: string): Promise<Stored<Pod>> {
    return this.client.get(pods, { namespace: NAMESPACE, name });
  }

  /** @param containerID of the container that runs now. */
  async report(name: string, state: PodState, containerID = 'containerd://1'): Promise<void> {
    await this.bind(name);
    const pod = await this.pod(name);
    const status: PodStatus = {
      ...podStatus(state, timestamp(this.clock.now()), pod.status?.startTime),
      observedGeneration: pod.metadata.generation ?? 0,
    };
    for (const container of status.containerStatuses ?? []) container.containerID = containerID;
    await this.client.update(pods, structuredClone({ ...pod, status }), { subresource: 'status' });
    await this.settle();
  }

  /** Gives the pod to a node, as the scheduler does: a pod without one is deleted without grace. */
  async bind(name: string): Promise<void> {
    if ((await this.pod(name)).spec.nodeName) return;
    const binding = { metadata: { name }, target: { kind: 'Node', name: 'node-1' } };
    await this.client.createSubresource(pods, { namespace: NAMESPACE, name }, 'binding', binding);
  }

  /** The node has ended a terminating pod's containers. */
  async finish(name: string): Promise<void> {
    await this.client.delete(pods, { namespace: NAMESPACE, name }, { gracePeriodSeconds: 0 });
    await this.settle();
  }

  /** The node makes every pod ready and ends every terminating one, until nothing changes. */
  async behave(): Promise<void> {
    for (let round = 0; round < 100; round++) {
      const { items } = await this.client.list(pods, { namespace: NAMESPACE });
      const todo = items.find((pod) => isTerminating(pod) || pod.status?.phase === 'Pending');
      if (!todo) return;
      if (isTerminating(todo)) await this.finish(todo.metadata.name);
      else await this.report(todo.metadata.name, 'Ready');
    }
    throw new Error('the set does not come to rest');
  }

  async orphan<T extends KubeObject>(resource: ResourceDefinition<T>): Promise<void> {
    for (const object of (await this.client.list(resource, { namespace: NAMESPACE })).items) {
      const metadata = { ...object.metadata, ownerReferences: [] };
      await this.client.update<T>(resource, structuredClone({ ...object, metadata }));
    }
  }

  async told(): Promise<string[]> {
    const { items } = await this.client.list(events, { namespace: NAMESPACE });
    return items.map((event) => `${event.type} ${event.reason}: ${event.message}`);
  }

  async condition(type: string): Promise<string> {
    const condition = (await this.set()).status?.conditions?.find((each) => each.type === type);
    return `${condition?.status} ${condition?.reason}: ${condition?.message}`;
  }
}

/** Runs the body on a fresh control plane, which ends in any case. */
export async function withCluster(body: (cluster: Cluster) => Promise<void>): Promise<void> {
  const cluster = await Cluster.start();
  try {
    await body(cluster);
  } finally {
    await cluster.end();
  }
}
