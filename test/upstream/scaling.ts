// What upstream's end-to-end tests of scaling and of a taken host port do, in our words; simulated and real containers
// go through the same.
import assert from 'node:assert/strict';
import { isReady, type TestNamespace } from './namespace.ts';
import type { Probe } from './rollouts.ts';
import {
  breakProbe,
  createSet,
  IMAGE,
  podNames,
  restoreProbe,
  type SetOptions,
  scale,
  setOf,
  untilReady,
  untilStatus,
  untilWaiting,
} from './sets.ts';

export const simulatedProbe: Probe = { breakIt: breakProbe, restore: restoreProbe };

/** Up to three and down to none, each time begun while no pod is ready: nothing may happen until all are. */
export async function scalingTest(space: TestNamespace, probe: Probe, options: SetOptions): Promise<void> {
  let set = await createSet(space, { ...options, replicas: 1 });
  await untilReady(space, set);
  const breakAll = async (): Promise<void> => {
    await probe.breakIt(space, ...podNames(space));
    await untilStatus(space, set, 'none is ready', ({ readyReplicas = 0 }) => readyReplicas === 0);
  };

  await breakAll();
  set = await scale(space, 'ss', 3);
  await untilWaiting(space, set, /waits for ss-0/);
  assert.deepEqual(podNames(space), ['ss-0']);
  await probe.restore(space, 'ss-0');
  await untilReady(space, set);
  assert.deepEqual(space.story, ['created ss-0', 'created ss-1', 'created ss-2']);

  await breakAll();
  set = await scale(space, 'ss', 0);
  await untilWaiting(space, set, /waits for ss-/);
  const deleted = [...space.pods.values()].filter((pod) => pod.metadata?.deletionTimestamp);
  assert.deepEqual([podNames(space), deleted.length], [['ss-0', 'ss-1', 'ss-2'], 0]);
  // ss-0, the first that is not ready, does not have to become so when its turn has come.
  await probe.restore(space, 'ss-2', 'ss-1');
  await space.until('all are gone', () => space.pods.size === 0);
  assert.deepEqual(space.story.slice(3), ['gone ss-2', 'gone ss-1', 'gone ss-0']);
  await untilStatus(space, set, 'has none', ({ replicas }) => replicas === 0);
}

const CONFLICT = { name: 'conflict', hostPort: 21017, containerPort: 21017 };

/**
 * A pod has the port; the set's pod, bound to the same node by hand, is refused there, and made again as often as it
 * takes until the first has gone.
 */
export async function evictedTest(space: TestNamespace): Promise<void> {
  const { name: namespace } = space;
  const { items: nodes } = await space.core.listNode();
  const nodeName = nodes[0]?.metadata?.name ?? '';
  const container = { name: 'webserver', image: IMAGE, ports: [CONFLICT] };
  const body = { metadata: { name: 'test-pod' }, spec: { nodeName, containers: [container] } };
  await space.core.createNamespacedPod({ namespace, body });
  await space.until('the pod has the port', () => isReady(space.pods.get('test-pod')));

  const { template } = setOf({}).spec ?? {};
  assert.ok(template);
  const spec = { ...template.spec, nodeName, containers: [container] };
  const set = await createSet(space, { replicas: 1, template: { ...template, spec } });
  let refused: string | undefined;
  await space.until('the node refuses the pod', () => {
    const { metadata, status } = space.pods.get('ss-0') ?? {};
    if (status?.phase === 'Failed') refused ??= metadata?.uid;
    return refused !== undefined;
  });
  await space.until('the pod is made again', () => {
    const pod = space.pods.get('ss-0');
    return pod !== undefined && pod.metadata?.uid !== refused;
  });
  await space.core.deleteNamespacedPod({ name: 'test-pod', namespace, body: { gracePeriodSeconds: 0 } });
  await untilReady(space, set);
  assert.notEqual(space.pods.get('ss-0')?.metadata?.uid, refused);
}
