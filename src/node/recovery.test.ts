// What the node agent puts right by itself: what others said of it while it was silent, and what its runtime has that
// belongs to nobody.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isReady } from '../api/conditions.ts';
import type { Pod } from '../api/generated/types.ts';
import { namespaces } from '../api/resources/namespaces/definition.ts';
import { nodes } from '../api/resources/nodes/definition.ts';
import { pods } from '../api/resources/pods/definition.ts';
import { startTestControlPlane, type TestControlPlane } from '../testing/test-control-plane.ts';
import { createNodeAgent } from './agent.ts';
import { type SimulatedRuntime, simulatedRuntime } from './simulated/runtime.ts';
import {
  simulatedChecks,
  simulatedFacts,
  simulatedFiles,
  simulatedVolumes,
} from './simulated/surroundings.ts';

async function withAgent(
  body: (cluster: TestControlPlane, runtime: SimulatedRuntime) => Promise<void>,
): Promise<void> {
  const cluster = await startTestControlPlane();
  try {
    const runtime = simulatedRuntime({ clock: cluster.clock, firstAddress: '10.77.0.0', addresses: 200 });
    await cluster.client.create(namespaces, { metadata: { name: 'kube-node-lease' }, spec: {} });
    const agent = createNodeAgent(cluster.context, {
      nodeName: 'node-1',
      nodeIps: ['10.0.0.1'],
      runtime,
      volumes: simulatedVolumes(),
      clusterDns: undefined,
      dataDirectory: '/nowhere',
      logDirectory: '/nowhere/logs',
      volumeDirectory: '/nowhere/volumes',
      version: '0.0.0',
      capacity: { cpuCores: 8, memoryBytes: 8 * 1024 ** 3, pods: 1000 },
      files: simulatedFiles,
      checks: simulatedChecks,
      facts: simulatedFacts,
    });
    cluster.run(agent.run());
    await cluster.clock.advance(1_000);
    await body(cluster, runtime);
  } finally {
    await cluster.stop();
  }
}

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'default', name: 'web-0' },
  spec: { nodeName: 'node-1', containers: [{ name: 'app', image: 'app' }] },
};

it('a node that is back says so within a heartbeat', () =>
  withAgent(async ({ client, clock }) => {
    const conditions = [{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' }];
    const body = { status: { conditions } };
    await client.patch(nodes, { name: 'node-1' }, { type: 'strategic', body }, { subresource: 'status' });
    await clock.advance(11_000);
    const { status } = await client.get(nodes, { name: 'node-1' });
    assert.equal(status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True');
  }));

it('a sandbox that belongs to no pod is ended, and a pod of its name is left alone', () =>
  withAgent(async (cluster, runtime) => {
    await cluster.client.create(pods, structuredClone(pod));
    const get = () => cluster.client.get(pods, { namespace: 'default', name: 'web-0' });
    await cluster.until(async () => isReady(await get()), 'ready');
    const { uid } = (await get()).metadata;
    const [own] = await runtime.listSandboxes();
    assert.ok(own);
    const spec = { podUid: 'gone', namespace: 'default', name: 'web-0', attempt: 0, hostNetwork: false };
    // A simulated sandbox is made of no more.
    const leaked = runtime.runSandbox(spec as Parameters<SimulatedRuntime['runSandbox']>[0]);
    await cluster.clock.advance(61_000);
    await leaked;
    assert.deepEqual(await runtime.listSandboxes(), [own]);
    const after = await get();
    assert.equal(after.metadata.uid, uid);
    assert.ok(isReady(after));
    await cluster.client.delete(pods, { namespace: 'default', name: 'web-0' }, { gracePeriodSeconds: 1 });
    await cluster.until(async () => (await runtime.listSandboxes()).length === 0, 'the pod is gone');
  }));
