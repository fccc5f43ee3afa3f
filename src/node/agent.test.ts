// The node agent on a simulated runtime, against the real API server on virtual time: pods start, become ready,
// crash, end, are adopted and swept.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isReady } from '../api/conditions.ts';
import type { Container, Pod } from '../api/generated/types.ts';
import { configMaps } from '../api/resources/config-maps/definition.ts';
import { leases } from '../api/resources/leases/definition.ts';
import { namespaces } from '../api/resources/namespaces/definition.ts';
import { nodes } from '../api/resources/nodes/definition.ts';
import { pods } from '../api/resources/pods/definition.ts';
import { startTestControlPlane, type TestControlPlane } from '../testing/test-control-plane.ts';
import { createNodeAgent, type NodeAgent } from './agent.ts';
import { sandboxSpecOf } from './pods/spec/sandbox-spec.ts';
import { type SimulatedRuntime, simulatedRuntime } from './simulated/runtime.ts';
import {
  SIMULATED_EXIT_CODE,
  simulatedChecks,
  simulatedFacts,
  simulatedFiles,
  simulatedHold,
  simulatedVolumes,
} from './simulated/surroundings.ts';
import { type PodVolumes, VolumeNotReadyError } from './volumes/volumes.ts';

let cluster: TestControlPlane;
let runtime: SimulatedRuntime;

beforeEach(async () => {
  cluster = await startTestControlPlane();
  runtime = simulatedRuntime({ clock: cluster.clock, firstAddress: '10.77.0.0', addresses: 200 });
});
afterEach(() => cluster.stop());

function startAgent(volumes: PodVolumes = simulatedVolumes()): NodeAgent & { stop(): Promise<void> } {
  const abort = new AbortController();
  const agent = createNodeAgent(
    { ...cluster.context, signal: AbortSignal.any([abort.signal, cluster.context.signal]) },
    {
      nodeName: 'node-1',
      nodeIps: ['10.0.0.1'],
      runtime,
      volumes,
      clusterDns: { ip: '10.77.0.1', domain: 'cluster.local' },
      dataDirectory: '/nowhere',
      logDirectory: '/nowhere/logs',
      volumeDirectory: '/nowhere/volumes',
      version: '0.0.0',
      capacity: { cpuCores: 8, memoryBytes: 8 * 1024 ** 3, pods: 1000 },
      files: simulatedFiles,
      checks: simulatedChecks,
      facts: simulatedFacts,
      heldUnready: simulatedHold,
    },
  );
  const running = agent.run();
  cluster.run(running);
  return {
    ...agent,
    async stop() {
      abort.abort();
      await cluster.until(
        async () => (await Promise.race([running.then(() => true), false])) || true,
        'stop',
      );
      await running;
    },
  };
}

async function createPod(name: string, spec: Partial<Pod['spec']> = {}, container: Partial<Container> = {}) {
  return cluster.client.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { nodeName: 'node-1', containers: [{ name: 'nginx', image: 'nginx:1', ...container }], ...spec },
  });
}

const get = (name: string) => cluster.client.get(pods, { namespace: 'default', name });
const exists = async (name: string) =>
  (await cluster.client.list(pods, { namespace: 'default' })).items.some((pod) => pod.metadata.name === name);
const ready = (name: string) => cluster.until(async () => isReady(await get(name)), `${name} ready`);

async function containerOf(name: string) {
  const { uid } = (await get(name)).metadata;
  const found = (await runtime.listContainers()).filter((container) => container.podUid === uid);
  const newest = found.sort((a, b) => b.attempt - a.attempt)[0];
  assert.ok(newest, `no container of ${name}`);
  return newest;
}

describe('node agent', () => {
  it('runs a pod and reports it as upstream does', async () => {
    startAgent();
    await createPod('web-0');
    await ready('web-0');
    const { status } = await get('web-0');
    assert.equal(status?.phase, 'Running');
    assert.equal(status?.podIP, '10.77.0.2');
    assert.equal(status?.hostIP, '10.0.0.1');
    assert.equal(status?.qosClass, 'BestEffort');
    const [nginx] = status?.containerStatuses ?? [];
    assert.equal(nginx?.ready, true);
    assert.equal(nginx?.started, true);
    assert.equal(nginx?.restartCount, 0);
    assert.match(nginx?.containerID ?? '', /^simulated:\/\//);
    assert.deepEqual(
      (status?.conditions ?? []).map((condition) => `${condition.type}=${condition.status}`),
      [
        'PodReadyToStartContainers=True',
        'Initialized=True',
        'Ready=True',
        'ContainersReady=True',
        'PodScheduled=True',
      ],
    );
    assert.deepEqual(await cluster.eventsOf('web-0'), [
      'Pulled: Container image "nginx:1" already present on machine',
      'Created: Container created',
      'Started: Container started',
    ]);
  });

  it('restarts a container whose image has changed in place: address, sandbox and node stay', async () => {
    startAgent();
    await createPod('web-0');
    await ready('web-0');
    const before = await get('web-0');
    const { metadata, spec } = before;
    const containers = spec.containers.map((container) => ({ ...container, image: 'nginx:2' }));
    await cluster.client.update(
      pods,
      structuredClone({ ...before, metadata, spec: { ...spec, containers } }),
    );
    await cluster.until(async () => (await containerOf('web-0')).image === 'nginx:2', 'the new image');
    await ready('web-0');
    const after = await get('web-0');
    assert.equal(after.metadata.uid, before.metadata.uid);
    assert.equal(after.status?.podIP, before.status?.podIP);
    assert.equal(after.status?.observedGeneration, after.metadata.generation);
    const generations = (after.status?.conditions ?? []).map(({ observedGeneration }) => observedGeneration);
    assert.deepEqual(generations, Array(5).fill(after.metadata.generation));
    // All five are settled: nothing is written again.
    await cluster.clock.advance(10_000);
    assert.equal((await get('web-0')).metadata.resourceVersion, after.metadata.resourceVersion);
    const [was] = before.status?.containerStatuses ?? [];
    const [is] = after.status?.containerStatuses ?? [];
    assert.notEqual(is?.containerID, was?.containerID);
    assert.equal(is?.restartCount, 1);
    assert.equal((await runtime.listSandboxes()).length, 1);
    assert.ok(
      (await cluster.eventsOf('web-0')).includes(
        'Killing: Container nginx definition changed, will be restarted',
      ),
    );
  });

  it('an image that cannot be pulled, changed to one that can, is pulled at once', async () => {
    runtime.setMissing('nginx:broken', true);
    startAgent();
    await createPod('web-0', {}, { image: 'nginx:broken' });
    await cluster.until(
      async () =>
        (await get('web-0')).status?.containerStatuses?.[0]?.state?.waiting?.reason === 'ImagePullBackOff',
      'back-off',
    );
    await cluster.clock.advance(120_000);
    const pod = await get('web-0');
    const containers = pod.spec.containers.map((container) => ({ ...container, image: 'nginx:2' }));
    await cluster.client.update(pods, structuredClone({ ...pod, spec: { ...pod.spec, containers } }));
    await cluster.clock.advance(1_000);
    assert.ok(isReady(await get('web-0')));
  });

  it('registers the node and renews its lease', async () => {
    await cluster.client.create(namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'kube-node-lease' },
      spec: {},
    });
    startAgent();
    await cluster.until(
      async () => (await cluster.client.list(leases, { namespace: 'kube-node-lease' })).items.length === 1,
      'lease',
    );
    const node = await cluster.client.get(nodes, { name: 'node-1' });
    assert.equal(node.metadata.annotations?.['stead.dev/volume-directory'], '/nowhere/volumes');
    assert.equal(node.metadata.labels?.['kubernetes.io/hostname'], 'node-1');
    assert.equal(node.status?.allocatable?.pods, '1k');
    assert.equal(node.status?.conditions?.find((condition) => condition.type === 'Ready')?.status, 'True');
  });

  it('writes nothing while nothing changes', async () => {
    startAgent();
    await createPod('web-0');
    await ready('web-0');
    const { resourceVersion } = (await get('web-0')).metadata;
    await cluster.clock.advance(180_000);
    assert.equal((await get('web-0')).metadata.resourceVersion, resourceVersion);
  });

  it('keeps a readiness gate’s condition, which others write', async () => {
    startAgent();
    await createPod('web-0', { readinessGates: [{ conditionType: 'example.com/go' }] });
    await cluster.until(async () => (await get('web-0')).status?.phase === 'Running', 'running');
    assert.equal(isReady(await get('web-0')), false);
    const pod = await get('web-0');
    const conditions = [...(pod.status?.conditions ?? []), { type: 'example.com/go', status: 'True' }];
    await cluster.client.update(
      pods,
      { ...pod, status: { ...pod.status, conditions } },
      { subresource: 'status' },
    );
    await ready('web-0');
    runtime.exit((await containerOf('web-0')).id, 1);
    await cluster.until(async () => (await containerOf('web-0')).attempt === 1, 'restart');
    await ready('web-0');
    const types = (await get('web-0')).status?.conditions?.map((condition) => condition.type);
    assert.equal(types?.filter((type) => type === 'example.com/go').length, 1);
    assert.equal(types?.length, 6);
  });

  it('ends a deleted pod and removes everything of it', async () => {
    startAgent();
    await createPod('web-0');
    await ready('web-0');
    await cluster.client.delete(pods, { namespace: 'default', name: 'web-0' });
    await cluster.until(async () => !(await exists('web-0')), 'web-0 gone');
    assert.deepEqual(await runtime.listSandboxes(), []);
    assert.deepEqual(await runtime.listContainers(), []);
  });

  it('backs off a crashing container, 10 s doubling, and counts its restarts', async () => {
    startAgent();
    await createPod('web-0');
    await ready('web-0');
    runtime.exit((await containerOf('web-0')).id, 1);
    await cluster.until(async () => (await containerOf('web-0')).attempt === 1, 'first restart');
    await ready('web-0');
    const crashedAt = cluster.clock.now();
    runtime.exit((await containerOf('web-0')).id, 2);
    await cluster.until(
      async () =>
        (await get('web-0')).status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff',
      'back-off',
    );
    const { status } = await get('web-0');
    assert.equal(status?.phase, 'Running');
    assert.equal(status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 2);
    assert.match(
      status?.containerStatuses?.[0]?.state?.waiting?.message ?? '',
      /^back-off 10s restarting failed container=nginx pod=web-0_default\(/,
    );
    await cluster.until(async () => (await containerOf('web-0')).attempt === 2, 'second restart');
    const waited = cluster.clock.now() - crashedAt;
    assert.ok(waited >= 10_000 && waited < 12_000, `waited ${waited} ms`);
    await ready('web-0');
    assert.equal((await get('web-0')).status?.containerStatuses?.[0]?.restartCount, 2);
    assert.ok(
      (await cluster.eventsOf('web-0')).some((event) => event.startsWith('BackOff: Back-off restarting')),
    );
  });

  it('waits for an image and starts as soon as it appears', async () => {
    startAgent();
    runtime.setMissing('nginx:1', true);
    await createPod('web-0');
    const waiting = async () => (await get('web-0')).status?.containerStatuses?.[0]?.state?.waiting?.reason;
    await cluster.until(async () => (await waiting()) === 'ErrImagePull', 'ErrImagePull');
    await cluster.until(async () => (await waiting()) === 'ImagePullBackOff', 'ImagePullBackOff');
    assert.equal((await get('web-0')).status?.phase, 'Pending');
    runtime.setMissing('nginx:1', false);
    const appearedAt = cluster.clock.now();
    await ready('web-0');
    assert.ok(cluster.clock.now() - appearedAt < 5000);
  });

  it('runs init containers in order before the app', async () => {
    startAgent();
    await createPod('web-0', {
      initContainers: [
        { name: 'first', image: 'a:1' },
        { name: 'second', image: 'b:1' },
      ],
    });
    const named = async (name: string) => (await runtime.listContainers()).find((each) => each.name === name);
    await cluster.until(async () => (await named('first'))?.state === 'running', 'first');
    assert.equal(await named('second'), undefined);
    runtime.exit((await named('first'))?.id ?? '', 0);
    await cluster.until(async () => (await named('second'))?.state === 'running', 'second');
    assert.equal(await named('nginx'), undefined);
    const waitingPod = await get('web-0');
    assert.equal(
      waitingPod.status?.conditions?.find((condition) => condition.type === 'Initialized')?.message,
      'containers with incomplete status: [second]',
    );
    runtime.exit((await named('second'))?.id ?? '', 0);
    await ready('web-0');
  });

  it('lets an annotation say how a simulated pod ends', async () => {
    startAgent();
    for (const [name, code] of [
      ['good', '0'],
      ['bad', '3'],
    ] as const) {
      await cluster.client.create(pods, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'default', annotations: { [SIMULATED_EXIT_CODE]: code } },
        spec: { nodeName: 'node-1', restartPolicy: 'Never', containers: [{ name: 'job', image: 'job:1' }] },
      });
    }
    await cluster.until(async () => (await get('good')).status?.phase === 'Succeeded', 'Succeeded');
    await cluster.until(async () => (await get('bad')).status?.phase === 'Failed', 'Failed');
    assert.equal((await get('bad')).status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 3);
  });

  it('runs through simulated init containers by itself where that is wanted', async () => {
    const { clock } = cluster;
    runtime = simulatedRuntime({ clock, firstAddress: '10.77.0.0', addresses: 200, initExitCode: 0 });
    startAgent();
    await createPod('web-0', {
      initContainers: [
        { name: 'first', image: 'first:1' },
        { name: 'sidecar', image: 'sidecar:1', restartPolicy: 'Always' },
      ],
    });
    await ready('web-0');
    const [first, sidecar] = (await get('web-0')).status?.initContainerStatuses ?? [];
    assert.equal(first?.state?.terminated?.exitCode, 0);
    assert.ok(sidecar?.state?.running);
  });

  it('ends a pod that may not restart, as Succeeded or Failed', async () => {
    startAgent();
    await createPod('good', { restartPolicy: 'Never' });
    await createPod('bad', { restartPolicy: 'Never' });
    await ready('good');
    await ready('bad');
    runtime.exit((await containerOf('good')).id, 0);
    runtime.exit((await containerOf('bad')).id, 3);
    await cluster.until(async () => (await get('good')).status?.phase === 'Succeeded', 'Succeeded');
    await cluster.until(async () => (await get('bad')).status?.phase === 'Failed', 'Failed');
    await cluster.until(
      async () => (await runtime.listSandboxes()).every((sandbox) => !sandbox.ready),
      'sandboxes stopped',
    );
    assert.equal((await get('bad')).status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 3);
  });

  it('adopts what runs after the agent was killed, with no restart', async () => {
    const first = startAgent();
    await createPod('web-0');
    await ready('web-0');
    const before = (await get('web-0')).status?.containerStatuses?.[0];
    await first.stop();
    startAgent();
    await createPod('web-1');
    await ready('web-1');
    const after = (await get('web-0')).status?.containerStatuses?.[0];
    assert.deepEqual(after, before);
    assert.equal((await runtime.listContainers()).length, 2);
  });

  it('takes over what a killed agent had half made', async () => {
    const pod = await createPod('web-0');
    const spec = sandboxSpecOf(
      pod,
      0,
      {
        logDirectory: '/nowhere',
        clusterDns: undefined,
        hostDns: { servers: [], searches: [], options: [] },
      },
      'node-1',
    );
    const sandbox = await Promise.all([runtime.runSandbox(spec), cluster.clock.advance(10)]);
    startAgent();
    await ready('web-0');
    assert.deepEqual(
      (await runtime.listSandboxes()).map(({ id }) => id),
      [sandbox[0].id],
    );
    assert.equal((await get('web-0')).status?.containerStatuses?.[0]?.restartCount, 0);
  });

  it('ends pods that were deleted while no agent ran', async () => {
    const first = startAgent();
    await createPod('web-0');
    await ready('web-0');
    await first.stop();
    await cluster.client.delete(pods, { namespace: 'default', name: 'web-0' }, { gracePeriodSeconds: 0 });
    startAgent();
    await cluster.until(async () => (await runtime.listSandboxes()).length === 0, 'swept');
  });

  it('makes a new sandbox after a reboot and counts the restart', async () => {
    startAgent();
    await createPod('web-0');
    await ready('web-0');
    runtime.crash();
    await cluster.until(async () => (await containerOf('web-0')).attempt === 1, 'restarted');
    await ready('web-0');
    const { status } = await get('web-0');
    assert.equal(status?.containerStatuses?.[0]?.restartCount, 1);
    assert.equal(status?.podIP, '10.77.0.3');
  });

  it('never runs two pods of one name', async () => {
    startAgent();
    await createPod('web-0');
    await ready('web-0');
    await cluster.client.delete(pods, { namespace: 'default', name: 'web-0' }, { gracePeriodSeconds: 0 });
    await createPod('web-0');
    let most = 0;
    await cluster.until(async () => {
      most = Math.max(most, (await runtime.listSandboxes()).filter((sandbox) => sandbox.ready).length);
      return isReady(await get('web-0'));
    }, 'the second web-0');
    assert.equal(most, 1);
    assert.equal((await runtime.listSandboxes()).length, 1);
  });

  it('says what is missing in the configuration and goes on when it is there', async () => {
    startAgent();
    await createPod(
      'web-0',
      {},
      { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a' } } }] },
    );
    await cluster.until(
      async () =>
        (await get('web-0')).status?.containerStatuses?.[0]?.state?.waiting?.message ===
        'configmap "settings" not found',
      'CreateContainerConfigError',
    );
    await cluster.client.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'settings', namespace: 'default' },
      data: { a: '1' },
    });
    await ready('web-0');
  });

  it('waits for volumes with their reason, and starts once they are ready', async () => {
    let broken = true;
    startAgent({
      ...simulatedVolumes(),
      async setUp() {
        if (broken) throw new VolumeNotReadyError('FailedMount', 'MountVolume.SetUp failed for volume "www"');
        return new Map();
      },
    });
    await createPod('web-0', { automountServiceAccountToken: false });
    await cluster.until(
      async () => (await cluster.eventsOf('web-0')).some((event) => event.startsWith('FailedMount')),
      'FailedMount',
    );
    const [nginx] = (await get('web-0')).status?.containerStatuses ?? [];
    assert.equal(nginx?.state?.waiting?.reason, 'ContainerCreating');
    broken = false;
    await ready('web-0');
  });

  it('waits for an image volume whose image can have no such name, and says so', async () => {
    const message = 'MountVolume.SetUp failed for volume "files" : Failed to apply default image tag "No"';
    startAgent({
      ...simulatedVolumes(),
      async setUp() {
        throw new VolumeNotReadyError('InspectFailed', message);
      },
    });
    await createPod('web-0', { automountServiceAccountToken: false });
    const waiting = async () => (await get('web-0')).status?.containerStatuses?.[0]?.state?.waiting;
    await cluster.until(async () => (await waiting())?.reason === 'InvalidImageName', 'InvalidImageName');
    assert.deepEqual(await waiting(), { reason: 'InvalidImageName', message });
    const events = await cluster.eventsOf('web-0');
    assert.ok(events.includes(`InspectFailed: ${message}`), String(events));
  });

  it('keeps a pod unready that is annotated so', async () => {
    startAgent();
    const pod = await createPod('web-0');
    await ready('web-0');
    const key = { namespace: 'default', name: 'web-0' };
    const annotate = (value: string | null) =>
      cluster.client.patch(pods, key, {
        type: 'merge',
        body: { metadata: { annotations: { 'simulated.stead.dev/ready': value } } },
      });
    await annotate('false');
    await cluster.until(async () => !isReady(await get('web-0')), 'unready');
    const condition = (await get('web-0')).status?.conditions?.find((each) => each.type === 'Ready');
    assert.equal(condition?.reason, 'ContainersNotReady');
    assert.equal(condition?.message, 'containers with unready status: [nginx]');
    await annotate(null);
    await ready('web-0');
    assert.equal((await get('web-0')).metadata.uid, pod.metadata.uid);
  });

  it('refuses a pod whose host port is taken', async () => {
    startAgent();
    const ports = [{ containerPort: 80, hostPort: 8080 }];
    await createPod('web-0', {}, { ports });
    await ready('web-0');
    await createPod('web-1', {}, { ports });
    await cluster.until(async () => (await get('web-1')).status?.phase === 'Failed', 'web-1 Failed');
    assert.equal((await get('web-1')).status?.reason, 'NodePorts');
  });

  it('stops uncontrolled pods with the node and starts them again with it', async () => {
    const first = startAgent();
    await createPod('web-0');
    await ready('web-0');
    const stopped = first.stopAllPods();
    await cluster.until(
      async () => (await runtime.listSandboxes()).every((sandbox) => !sandbox.ready),
      'stopped',
    );
    await stopped;
    await first.stop();
    assert.equal((await get('web-0')).status?.phase, 'Running');
    startAgent();
    await ready('web-0');
    assert.equal((await get('web-0')).status?.containerStatuses?.[0]?.restartCount, 1);
  });
});
