// What is changed in a pod that runs: ephemeral containers that are put into it, and resources that its containers
// are given. The node agent on a simulated runtime, against the real API server on virtual time.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isReady } from '../api/conditions.ts';
import type { Container, Pod } from '../api/generated/types.ts';
import { pods } from '../api/resources/pods/definition.ts';
import { startTestControlPlane, type TestControlPlane } from '../testing/test-control-plane.ts';
import { createNodeAgent } from './agent.ts';
import { idWithin } from './container-id.ts';
import type { ContainerSpec } from './runtime.ts';
import { type SimulatedRuntime, simulatedRuntime } from './simulated/runtime.ts';
import {
  simulatedChecks,
  simulatedFacts,
  simulatedFiles,
  simulatedVolumes,
} from './simulated/surroundings.ts';

let cluster: TestControlPlane;
let runtime: SimulatedRuntime;
let created: ContainerSpec[];
let updates: Array<{ id: string } & ContainerSpec['resources']>;
/** What the runtime says when it is told of other resources. */
let refusal: Error | undefined;
let stopAgent: () => void;

beforeEach(async () => {
  cluster = await startTestControlPlane();
  runtime = simulatedRuntime({ clock: cluster.clock, firstAddress: '10.77.0.0', addresses: 200 });
  created = [];
  updates = [];
  refusal = undefined;
  const create = runtime.createContainer.bind(runtime);
  runtime.createContainer = (sandbox, sandboxSpec, spec) => {
    created.push(spec);
    return create(sandbox, sandboxSpec, spec);
  };
  runtime.updateResources = async (id, resources) => {
    if (refusal) throw refusal;
    updates.push({ id, ...resources });
  };
  stopAgent = startAgent();
});
afterEach(() => cluster.stop());

/** A node of 2 cores and 2 GiB. */
function startAgent(): () => void {
  const abort = new AbortController();
  const agent = createNodeAgent(
    { ...cluster.context, signal: AbortSignal.any([abort.signal, cluster.context.signal]) },
    {
      nodeName: 'node-1',
      nodeIps: ['10.0.0.1'],
      runtime,
      volumes: simulatedVolumes(),
      clusterDns: undefined,
      dataDirectory: '/nowhere',
      logDirectory: '/nowhere/logs',
      volumeDirectory: '/nowhere/volumes',
      version: '0.0.0',
      capacity: { cpuCores: 2, memoryBytes: 2 * 1024 ** 3, pods: 1000 },
      files: simulatedFiles,
      checks: simulatedChecks,
      facts: simulatedFacts,
    },
  );
  cluster.run(agent.run());
  return () => abort.abort();
}

const get = (name: string) => cluster.client.get(pods, { namespace: 'default', name });

async function run(name: string, container: Partial<Container> = {}): Promise<Pod> {
  await cluster.client.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { nodeName: 'node-1', containers: [{ name: 'web', image: 'nginx:1', ...container }] },
  });
  await cluster.until(async () => isReady(await get(name)), `${name} ready`);
  return get(name);
}

function patch(name: string, subresource: string, spec: object): Promise<Pod> {
  const key = { namespace: 'default', name };
  return cluster.client.patch(pods, key, { type: 'strategic', body: { spec } }, { subresource });
}

const debug = (name: string, container: object): Promise<Pod> =>
  patch(name, 'ephemeralcontainers', { ephemeralContainers: [{ image: 'toolbox:1', ...container }] });
const resize = (name: string, resources: object): Promise<Pod> =>
  patch(name, 'resize', { containers: [{ name: 'web', resources }] });
const condition = async (name: string, type: string) =>
  (await get(name)).status?.conditions?.find((each) => each.type === type);
const statusOf = async (name: string) => (await get(name)).status?.containerStatuses?.[0];

describe('an ephemeral container', () => {
  const look = async () => (await get('web-0')).status?.ephemeralContainerStatuses?.[0];
  const runs = async (): Promise<boolean> => (await look())?.state?.running !== undefined;

  it('runs in the pod’s sandbox, with its target’s processes, and the pod stays as it was', async () => {
    const before = await run('web-0');
    await debug('web-0', { name: 'look', targetContainerName: 'web', stdin: true, tty: true });
    await cluster.until(runs, 'it runs');
    const [web, spec] = created;
    const containers = await runtime.listContainers();
    const target = containers.find(({ name }) => name === 'web');
    assert.equal(spec?.targetContainerId, target?.id);
    assert.deepEqual([spec?.stdin, spec?.tty], [true, true]);
    assert.equal(web?.targetContainerId, undefined);
    assert.equal(containers.find(({ name }) => name === 'look')?.sandboxId, target?.sandboxId);
    const after = await get('web-0');
    assert.deepEqual(after.status?.containerStatuses, before.status?.containerStatuses);
    assert.ok(isReady(after));
    const status = await look();
    assert.equal(status?.ready, false);
    assert.equal(status?.restartCount, 0);
    assert.deepEqual((await cluster.eventsOf('web-0')).slice(-2), [
      'Created: Container created',
      'Started: Container started',
    ]);
  });

  it('is not started again when it has ended, nor by another agent', async () => {
    await run('web-0');
    await debug('web-0', { name: 'look' });
    await cluster.until(runs, 'it runs');
    const { containerID = '' } = (await look()) ?? {};
    runtime.exit(idWithin(containerID), 3);
    await cluster.until(async () => (await look())?.state?.terminated?.exitCode === 3, 'it has ended');
    await debug('web-0', { name: 'again' });
    const second = async () =>
      (await get('web-0')).status?.ephemeralContainerStatuses?.find(({ name }) => name === 'again');
    await cluster.until(async () => (await second())?.state?.running !== undefined, 'the second one runs');
    assert.deepEqual(
      created.map(({ name }) => name),
      ['web', 'look', 'again'],
    );
    assert.equal((await get('web-0')).status?.phase, 'Running');
  });

  it('waits when its image cannot be had, and nothing else does', async () => {
    runtime.setMissing('absent:1', true);
    await run('web-0');
    await debug('web-0', { name: 'look', image: 'absent:1' });
    const waits = async (): Promise<boolean> => /Pull/.test((await look())?.state?.waiting?.reason ?? '');
    await cluster.until(waits, 'it waits for its image');
    assert.ok(isReady(await get('web-0')));
    runtime.setMissing('absent:1', false);
    await cluster.until(runs, 'it runs');
  });

  it('waits for a target that does not run, and says so', async () => {
    await run('web-0');
    const [web] = await runtime.listContainers();
    runtime.setMissing('nginx:1', true);
    runtime.exit(web?.id ?? '', 1);
    const crashed = async (): Promise<boolean> => (await statusOf('web-0'))?.state?.running === undefined;
    await cluster.until(crashed, 'the target has crashed');
    await debug('web-0', { name: 'look', targetContainerName: 'web' });
    const message = async (): Promise<string> => (await look())?.state?.waiting?.message ?? '';
    await cluster.until(
      async () => /unable to find target container web/.test(await message()),
      'it says why',
    );
  });
});

describe('a resize', () => {
  const limits = { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '200m', memory: '128Mi' } };

  it('gives a running container other resources without a restart', async () => {
    await run('web-0', { resources: limits });
    const before = await statusOf('web-0');
    assert.deepEqual(before?.resources, limits);
    assert.deepEqual(before?.allocatedResources, limits.requests);
    await resize('web-0', { requests: { cpu: '500m' }, limits: { cpu: '1', memory: '256Mi' } });
    await cluster.until(async () => (await statusOf('web-0'))?.resources?.limits?.cpu === '1', 'resized');
    const [update, ...more] = updates;
    assert.deepEqual(more, []);
    assert.deepEqual(
      [update?.cpuShares, update?.cpuQuotaUs, update?.memoryLimitBytes],
      [512, 100_000, 256 * 1024 ** 2],
    );
    const after = await statusOf('web-0');
    assert.equal(after?.containerID, before?.containerID);
    assert.equal(after?.restartCount, 0);
    assert.deepEqual(after?.allocatedResources, { cpu: '500m', memory: '64Mi' });
    await cluster.until(
      async () => !(await condition('web-0', 'PodResizeInProgress')),
      'no longer in progress',
    );
    const told = (await cluster.eventsOf('web-0')).filter((event) => event.startsWith('Resize'));
    assert.deepEqual(
      told.map((event) => event.split(':')[0]),
      ['ResizeStarted', 'ResizeCompleted'],
    );
  });

  it('restarts a container whose policy wants that, with the new resources', async () => {
    const resizePolicy = [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }];
    await run('web-0', { resources: limits, resizePolicy });
    await resize('web-0', { limits: { memory: '256Mi' } });
    await cluster.until(async () => (await statusOf('web-0'))?.restartCount === 1, 'restarted');
    await cluster.until(async () => isReady(await get('web-0')), 'ready again');
    assert.deepEqual(updates, []);
    assert.equal(created.at(-1)?.resources.memoryLimitBytes, 256 * 1024 ** 2);
    assert.equal((await statusOf('web-0'))?.resources?.limits?.memory, '256Mi');
  });

  it('that the node can never give is infeasible; the pod runs on with what it has', async () => {
    await run('web-0', { resources: limits });
    await resize('web-0', { requests: { cpu: '3' }, limits: { cpu: '4' } });
    await cluster.until(async () => (await condition('web-0', 'PodResizePending')) !== undefined, 'pending');
    const pending = await condition('web-0', 'PodResizePending');
    assert.equal(pending?.status, 'True');
    assert.equal(pending?.reason, 'Infeasible');
    assert.match(pending?.message ?? '', /cpu, requested: 3000, capacity: 2000/);
    assert.equal(pending?.observedGeneration, 2);
    assert.deepEqual((await statusOf('web-0'))?.allocatedResources, limits.requests);
    await resize('web-0', limits);
    await cluster.until(async () => !(await condition('web-0', 'PodResizePending')), 'taken back');
    assert.deepEqual(updates, []);
  });

  it('that has no room now is deferred until there is some', async () => {
    await run('big', { resources: { requests: { cpu: '1500m' } } });
    await run('web-0', { resources: limits });
    await resize('web-0', { requests: { cpu: '1' }, limits: { cpu: '2' } });
    const pending = () => condition('web-0', 'PodResizePending');
    await cluster.until(async () => (await pending())?.reason === 'Deferred', 'deferred');
    await cluster.client.delete(pods, { namespace: 'default', name: 'big' }, { gracePeriodSeconds: 0 });
    await cluster.until(async () => (await statusOf('web-0'))?.resources?.requests?.cpu === '1', 'resized');
    await cluster.until(async () => !(await pending()), 'no longer pending');
    assert.equal(updates.length, 1);
  });

  it('that the runtime refuses is in progress with its words, and is tried again', async () => {
    await run('web-0', { resources: limits });
    refusal = new Error('memory limit too low');
    await resize('web-0', { limits: { memory: '96Mi' } });
    const progress = () => condition('web-0', 'PodResizeInProgress');
    await cluster.until(async () => (await progress())?.reason === 'Error', 'failed');
    assert.match((await progress())?.message ?? '', /memory limit too low/);
    refusal = undefined;
    await cluster.until(
      async () => (await statusOf('web-0'))?.resources?.limits?.memory === '96Mi',
      'resized',
    );
    await cluster.until(async () => !(await progress()), 'no longer in progress');
  });
});

describe('another agent', () => {
  it('goes on with the resources that were given, and with a resize that was under way', async () => {
    stopAgent();
    const resources = { requests: { cpu: '100m' }, limits: { cpu: '200m' } };
    const stopFirst = startAgent();
    await run('web-0', { resources });
    stopFirst();
    await resize('web-0', { limits: { cpu: '400m' } });
    startAgent();
    await cluster.until(async () => (await statusOf('web-0'))?.resources?.limits?.cpu === '400m', 'resized');
    assert.equal(updates.length, 1);
    assert.equal((await statusOf('web-0'))?.restartCount, 0);
  });
});

describe('the API of both', () => {
  it('takes whole pods, too', async () => {
    const pod = await run('web-0', { resources: { requests: { cpu: '100m' } } });
    const [container] = pod.spec.containers;
    const containers = [{ ...container, name: 'web', resources: { requests: { cpu: '150m' } } }];
    const resized = await cluster.client.update(
      pods,
      structuredClone({ ...pod, spec: { ...pod.spec, containers, hostname: 'other' } }),
      { subresource: 'resize' },
    );
    assert.deepEqual(resized.spec.containers[0]?.resources?.requests, { cpu: '150m' });
    assert.equal(resized.spec.hostname, undefined);
    const key = { namespace: 'default', name: 'web-0' };
    const body = [{ op: 'add', path: '/spec/ephemeralContainers', value: [{ name: 'look', image: 'a:1' }] }];
    const debugged = await cluster.client.patch(
      pods,
      key,
      { type: 'json', body },
      { subresource: 'ephemeralcontainers' },
    );
    assert.equal(debugged.spec.ephemeralContainers?.[0]?.terminationMessagePolicy, 'File');
  });

  const refused = (promise: Promise<unknown>, pattern: RegExp): Promise<void> =>
    assert.rejects(promise, pattern);

  it('only adds ephemeral containers, and only such as look', async () => {
    await run('web-0');
    await debug('web-0', { name: 'look' });
    await refused(debug('web-0', { name: 'look', image: 'other:1' }), /"look" may not be changed/);
    await refused(debug('web-0', { name: 'web' }), /Duplicate value: "web"/);
    await refused(
      debug('web-0', { name: 'b', targetContainerName: 'nobody' }),
      /targetContainerName: Not found: "nobody"/,
    );
    const port = { ports: [{ containerPort: 80 }] };
    await refused(
      debug('web-0', { name: 'b', ...port }),
      /ports: Forbidden: cannot be set for an Ephemeral Container/,
    );
    const removal = { $patch: 'delete', name: 'look' };
    await refused(debug('web-0', removal), /existing ephemeral containers "look" may not be removed/);
    const written = await patch('web-0', 'ephemeralcontainers', {
      containers: [{ name: 'web', image: 'other:2' }],
    });
    assert.equal(written.spec.containers[0]?.image, 'nginx:1');
    await refused(
      patch('web-0', '', { ephemeralContainers: [{ name: 'c', image: 'a:1' }] }),
      /pod updates may not change/,
    );
    assert.equal(
      (await cluster.client.get(pods, { namespace: 'default', name: 'web-0' })).metadata.generation,
      2,
    );
  });

  it('resizes cpu and memory, within the quality of service, and takes nothing away', async () => {
    const resources = { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } };
    await run('web-0', { resources });
    await refused(resize('web-0', { limits: { memory: null } }), /resource limits cannot be removed/);
    await refused(resize('web-0', { requests: { cpu: null } }), /resource requests cannot be removed/);
    const guaranteed = { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '100m', memory: '64Mi' } };
    await refused(resize('web-0', guaranteed), /Pod QOS Class may not change as a result of resizing/);
    const storage = { requests: { 'ephemeral-storage': '1Gi' } };
    await refused(resize('web-0', storage), /only cpu and memory resources are mutable/);
    await refused(
      resize('web-0', { requests: { memory: '256Mi' } }),
      /must be less than or equal to memory limit/,
    );
    const image = {
      containers: [{ name: 'web', image: 'other:2', resources: { requests: { cpu: '150m' } } }],
    };
    const written = await patch('web-0', 'resize', image);
    assert.equal(written.spec.containers[0]?.image, 'nginx:1');
    assert.equal(written.spec.containers[0]?.resources?.requests?.cpu, '150m');
    await refused(
      patch('web-0', '', { containers: [{ name: 'web', resources }] }),
      /pod updates may not change/,
    );
    await run('web-1');
    await refused(resize('web-1', { requests: { cpu: '100m' } }), /Pod QOS Class may not change/);
  });
});
