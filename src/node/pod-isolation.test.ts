// No container begins before whoever enforces NetworkPolicies says that its pod is protected. The node agent on a simulated
// runtime, against the real API server on virtual time.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, it } from 'node:test';
import type { PodIsolation } from '../api/between/pod-isolation.ts';
import { pods } from '../api/resources/pods/definition.ts';
import { startTestNode, type TestNode } from '../testing/test-node.ts';

let node: TestNode;
/** Of the pods that were asked about, by name: the addresses, and what lets them begin. */
let asked: Map<string, { addresses: readonly string[]; letBegin: () => void; signal: AbortSignal }>;

const isolation: PodIsolation = {
  inForce: ({ metadata }, addresses, signal) =>
    new Promise((resolve, reject) => {
      asked.set(metadata.name, { addresses, letBegin: resolve, signal });
      signal.addEventListener('abort', () => reject(new Error('the rules are not written yet')), {
        once: true,
      });
    }),
};

beforeEach(async () => {
  node = await startTestNode();
  asked = new Map();
  node.startAgent({ isolation });
});
afterEach(() => node.stop());

const waiting = async (name: string) => (await node.get(name)).status?.containerStatuses?.[0]?.state?.waiting;

it('a pod’s containers are made when its addresses are protected, and not before', async () => {
  await node.createPod('web');
  await node.cluster.until(() => asked.has('web'), 'the agent has asked');
  assert.match(asked.get('web')?.addresses.join() ?? '', /^10\.77\.0\.\d+$/);
  assert.deepEqual(node.created, []);
  asked.get('web')?.letBegin();
  await node.ready('web');
});

it('a pod that is not protected in time says so, and is tried again', async () => {
  await node.createPod('web');
  await node.cluster.until(
    async () => (await waiting('web'))?.reason === 'NetworkPolicyNotInForce',
    'it says so',
  );
  assert.equal((await waiting('web'))?.message, 'the rules are not written yet');
  assert.deepEqual(node.created, []);
  const events = await node.cluster.eventsOf('web');
  assert.ok(events.includes('Failed: Error: the rules are not written yet'), events.join('; '));
  const first = asked.get('web');
  await node.cluster.until(() => asked.get('web') !== first, 'it is tried again');
  asked.get('web')?.letBegin();
  await node.ready('web');
});

it('a pod that is deleted meanwhile ends without a word', async () => {
  await node.createPod('web');
  await node.cluster.until(() => asked.has('web'), 'the agent has asked');
  await node.cluster.client.delete(pods, { namespace: 'default', name: 'web' });
  await node.cluster.until(async () => !(await node.exists('web')), 'it is gone');
  assert.ok(asked.get('web')?.signal.aborted);
  assert.deepEqual(node.created, []);
  assert.ok(!(await node.cluster.eventsOf('web')).some((event) => event.startsWith('Failed')));
});

it('a pod with the machine’s own network waits for nobody', async () => {
  await node.createPod('host', { hostNetwork: true });
  await node.ready('host');
  assert.equal(asked.size, 0);
});
