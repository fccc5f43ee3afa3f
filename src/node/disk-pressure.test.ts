// A node that runs short of disk, with disks and usage that the test makes up: who is evicted, what the node says, and
// that a StatefulSet's pod comes back as itself when there is room again.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { conditionOf, isReady } from '../api/conditions.ts';
import type { Pod, Toleration } from '../api/generated/types.ts';
import { leases } from '../api/resources/leases/definition.ts';
import { namespaces } from '../api/resources/namespaces/definition.ts';
import { nodes } from '../api/resources/nodes/definition.ts';
import { pods } from '../api/resources/pods/definition.ts';
import { priorityClasses } from '../api/resources/priority-classes/definition.ts';
import { statefulSets } from '../api/resources/stateful-sets/definition.ts';
import { Metrics } from '../base/metrics.ts';
import { runNodesController } from '../controllers/nodes/controller.ts';
import { runStatefulSetController } from '../controllers/statefulset/controller.ts';
import { runScheduler } from '../scheduler/controller.ts';
import { startTestControlPlane, type TestControlPlane } from '../testing/test-control-plane.ts';
import { createNodeAgent } from './agent.ts';
import type { Disk } from './pressure/disks.ts';
import { parseThresholds } from './pressure/thresholds.ts';
import { type SimulatedRuntime, simulatedRuntime } from './simulated/runtime.ts';
import {
  simulatedChecks,
  simulatedFacts,
  simulatedFiles,
  simulatedVolumes,
} from './simulated/surroundings.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

let cluster: TestControlPlane;
let runtime: SimulatedRuntime;
let disk: Disk;
/** Bytes by the end of the directory's path. */
let sizes: Record<string, number>;
let layers: Map<string, { bytes: number; inodes: number }>;
let metrics: Metrics;
let removedImages: string[];

beforeEach(async () => {
  cluster = await startTestControlPlane();
  runtime = simulatedRuntime({ clock: cluster.clock, firstAddress: '10.77.0.0', addresses: 200 });
  disk = { capacityBytes: 10 * GIB, availableBytes: 5 * GIB, inodes: 1000, inodesFree: 900 };
  sizes = {};
  layers = new Map();
  metrics = new Metrics();
  removedImages = [];
  await cluster.client.create(namespaces, { metadata: { name: 'kube-node-lease' }, spec: {} });
});
afterEach(() => cluster.stop());

function startAgent(): void {
  runtime.layerUsage = async () => layers;
  runtime.removeImage = async (image) => void removedImages.push(image);
  const agent = createNodeAgent(
    { ...cluster.context, metrics },
    {
      nodeName: 'node-1',
      nodeIps: ['10.0.0.1'],
      runtime,
      volumes: simulatedVolumes(),
      clusterDns: undefined,
      dataDirectory: '/data',
      logDirectory: '/logs',
      volumeDirectory: '/volumes',
      version: '0.0.0',
      capacity: { cpuCores: 8, memoryBytes: 8 * GIB, pods: 1000 },
      files: simulatedFiles,
      checks: simulatedChecks,
      facts: { ...simulatedFacts, diskBytes: 10 * GIB },
      pressure: {
        thresholds: parseThresholds('nodefs.available<1Gi'),
        transitionPeriodMs: 30_000,
        keepImages: [],
        disks: async () => ({ node: disk }),
        measure: async (directories) =>
          new Map(
            directories.map((directory) => {
              const end = Object.keys(sizes).find((each) => directory.endsWith(each));
              return [directory, end === undefined ? 4096 : (sizes[end] ?? 0)];
            }),
          ),
      },
    },
  );
  cluster.run(agent.run());
}

const createPod = (name: string, spec: Partial<Pod['spec']> = {}) =>
  cluster.client.create(pods, {
    metadata: { name, namespace: 'default' },
    spec: { nodeName: 'node-1', containers: [{ name: 'c', image: 'i' }], ...spec },
  });
const get = (name: string) => cluster.client.get(pods, { namespace: 'default', name });
const ready = (name: string) => cluster.until(async () => isReady(await get(name)), `${name} is ready`);
const evicted = async (name: string): Promise<boolean> => (await get(name)).status?.phase === 'Failed';
const diskPressure = async (): Promise<string | undefined> =>
  (await cluster.client.get(nodes, { name: 'node-1' })).status?.conditions?.find(
    ({ type }) => type === 'DiskPressure',
  )?.status;
function short(): void {
  disk = { ...disk, availableBytes: 100 * MIB };
}
function roomy(): void {
  disk = { ...disk, availableBytes: 5 * GIB };
}

describe('limits of storage', () => {
  it('end a pod whose emptyDir grows beyond its size, and leave nothing of it in the runtime', async () => {
    startAgent();
    await createPod('p', { volumes: [{ name: 'd', emptyDir: { sizeLimit: '10Mi' } }] });
    await createPod('other', { volumes: [{ name: 'd', emptyDir: {} }] });
    await ready('p');
    await cluster.clock.advance(30_000);
    assert.ok(!(await evicted('p')), 'it is within its limit');
    const { uid } = (await get('p')).metadata;
    sizes[`${uid}/d`] = 30 * MIB;
    await cluster.until(() => evicted('p'), 'p is evicted');
    const { status } = await get('p');
    assert.equal(status?.reason, 'Evicted');
    assert.equal(status?.message, 'Usage of EmptyDir volume "d" exceeds the limit "10Mi". ');
    assert.equal(conditionOf(await get('p'), 'DisruptionTarget'), undefined);
    assert.ok(status?.containerStatuses?.[0]?.state?.terminated);
    await cluster.until(async () => (await runtime.listContainers()).length === 1, 'its container is gone');
    assert.ok((await cluster.eventsOf('p')).includes(`Evicted: ${status?.message}`));
    assert.match(await metrics.text(), /kubelet_evictions\{eviction_signal="emptydirfs.limit"\} 1/);
    assert.ok(isReady(await get('other')));
    assert.equal(await diskPressure(), 'False');
  });

  it('count what a container writes beside its volumes', async () => {
    startAgent();
    await createPod('p', {
      containers: [{ name: 'c', image: 'i', resources: { limits: { 'ephemeral-storage': '20Mi' } } }],
    });
    await ready('p');
    const [container] = await runtime.listContainers();
    layers.set(container?.id ?? '', { bytes: 15 * MIB, inodes: 1 });
    await cluster.clock.advance(30_000);
    assert.ok(!(await evicted('p')));
    sizes['/c'] = 6 * MIB;
    await cluster.until(() => evicted('p'), 'p is evicted');
    assert.equal(
      (await get('p')).status?.message,
      'Pod ephemeral local storage usage exceeds the total limit of containers 20Mi. ',
    );
  });
});

describe('a node that is short of disk', () => {
  it('says so at once, takes no pods but critical ones, and takes them again after a while', async () => {
    startAgent();
    await createPod('idle');
    await ready('idle');
    assert.equal(await diskPressure(), 'False');
    short();
    await cluster.until(async () => (await diskPressure()) === 'True', 'the condition');
    const events = await cluster.eventsOf('node-1');
    assert.ok(
      events.includes('NodeHasDiskPressure: Node node-1 status is now: NodeHasDiskPressure'),
      events.join(),
    );
    await createPod('late');
    await cluster.client.create(priorityClasses, {
      metadata: { name: 'system-node-critical' },
      value: 2_000_001_000,
    });
    await createPod('critical', { priorityClassName: 'system-node-critical' });
    await cluster.until(() => evicted('late'), 'late is not taken');
    const { status } = await get('late');
    assert.deepEqual(
      [status?.reason, status?.message],
      ['Evicted', 'Pod was rejected: The node had condition: [DiskPressure]. '],
    );
    await ready('critical');
    roomy();
    await cluster.clock.advance(20_000);
    assert.equal(await diskPressure(), 'True');
    await cluster.until(async () => (await diskPressure()) === 'False', 'it is over');
    await createPod('later');
    await ready('later');
    assert.ok(isReady(await get('idle')), 'who holds nothing is left alone');
  });

  it('removes images that nobody uses, and evicts only if that is not enough', async () => {
    startAgent();
    runtime.listImages = async () => [
      { id: 'sha256:unused', tags: ['docker.io/library/unused:1'], digests: ['a@sha256:0'], sizeBytes: 1 },
    ];
    await createPod('hog');
    await ready('hog');
    sizes['/c'] = GIB;
    runtime.removeImage = async (image) => {
      removedImages.push(image);
      roomy();
    };
    short();
    await cluster.until(() => removedImages.length > 0, 'the image is removed');
    await cluster.clock.advance(60_000);
    assert.deepEqual(removedImages, ['sha256:unused']);
    assert.ok(isReady(await get('hog')));
    assert.ok(
      (await cluster.eventsOf('node-1')).includes(
        'EvictionThresholdMet: Attempting to reclaim ephemeral-storage',
      ),
    );
  });

  it('evicts one pod at a time, the greatest first, until there is room', async () => {
    startAgent();
    for (const name of ['small', 'great']) {
      await createPod(name, { volumes: [{ name, emptyDir: {} }] });
      await ready(name);
    }
    sizes = { '/small': 100 * MIB, '/great': 500 * MIB };
    short();
    await cluster.until(() => evicted('great'), 'great is evicted');
    roomy();
    await cluster.clock.advance(60_000);
    assert.ok(isReady(await get('small')));
    const { status } = await get('great');
    assert.equal(
      status?.message,
      'The node was low on resource: ephemeral-storage. Threshold quantity: 1Gi, available: 100Mi. ' +
        'Container c was using 4Ki, request is 0, has larger consumption of ephemeral-storage. ',
    );
    const target = conditionOf(await get('great'), 'DisruptionTarget');
    assert.deepEqual([target?.status, target?.reason], ['True', 'TerminationByKubelet']);
  });

  it('offers pods what it can give, and refuses one that requests more', async () => {
    startAgent();
    await cluster.until(
      async () => (await cluster.client.list(nodes)).items[0]?.status?.allocatable !== undefined,
      'the node',
    );
    const { status } = await cluster.client.get(nodes, { name: 'node-1' });
    assert.equal(status?.capacity?.['ephemeral-storage'], '10Gi');
    assert.equal(status?.allocatable?.['ephemeral-storage'], String(9 * GIB));
    const resources = { requests: { 'ephemeral-storage': '5Gi' } };
    await createPod('first', { containers: [{ name: 'c', image: 'i', resources }] });
    await ready('first');
    await createPod('second', { containers: [{ name: 'c', image: 'i', resources }] });
    await cluster.until(() => evicted('second'), 'second is refused');
    const refused = (await get('second')).status;
    assert.equal(refused?.reason, 'OutOfephemeral-storage');
    assert.match(refused?.message ?? '', /requested: 5368709120, used: 5368709120, capacity: 9663676416/);
  });
});

async function evictsAndBringsBack(tolerations: Toleration[], waitsFor: RegExp): Promise<void> {
  const { client, context } = cluster;
  cluster.run(runStatefulSetController(context));
  cluster.run(runScheduler(context));
  cluster.run(runNodesController(context));
  startAgent();
  await client.create(statefulSets, {
    metadata: { namespace: 'default', name: 'web' },
    spec: {
      serviceName: 'web',
      replicas: 1,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          containers: [{ name: 'c', image: 'i' }],
          volumes: [{ name: 'd', emptyDir: {} }],
          tolerations,
        },
      },
    },
  });
  const uid = async (): Promise<string | undefined> =>
    (await client.list(pods)).items.find(({ metadata }) => metadata.name === 'web-0')?.metadata.uid;
  await cluster.until(async () => (await uid()) !== undefined && isReady(await get('web-0')), 'web-0');
  const first = await uid();
  sizes['/d'] = 2 * GIB;
  short();
  await cluster.until(async () => ((await uid()) ?? first) !== first, 'the set makes its pod again');
  const taints = (await client.get(nodes, { name: 'node-1' })).spec.taints ?? [];
  assert.deepEqual(
    taints.map(({ effect, key }) => `${key}:${effect}`),
    ['node.kubernetes.io/disk-pressure:NoSchedule'],
  );
  const second = await uid();
  await cluster.clock.advance(20_000);
  assert.equal(await uid(), second, 'it waits, and is not made again and again');
  assert.match(conditionOf(await get('web-0'), 'PodScheduled')?.message ?? '', waitsFor);
  sizes = {};
  roomy();
  await cluster.until(async () => isReady(await get('web-0')), 'web-0 is back');
  assert.deepEqual((await client.get(nodes, { name: 'node-1' })).spec.taints ?? [], []);
  assert.ok((await client.list(leases)).items.length > 0);
}

describe("a StatefulSet's pod comes back as itself when there is room again", () => {
  it('if it waits for the taint to go', () =>
    evictsAndBringsBack([], /untolerated taint \{node.kubernetes.io\/disk-pressure: \}/));
  it('if it tolerates everything', () =>
    evictsAndBringsBack([{ operator: 'Exists' }], /1 node\(s\) had disk pressure/));
});
