// Upstream's end-to-end tests of identity, order and scale (kubernetes/kubernetes test/e2e/apps/statefulset.go), on
// simulated nodes. Each test names upstream's.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startSimulated } from '../kit/simulated-stead.ts';
import type { TestStead } from '../kit/stead.ts';
import { isReady, TestNamespace } from './namespace.ts';
import { evictedTest, scalingTest, simulatedProbe } from './scaling.ts';
import {
  breakProbe,
  createSet,
  orphanUntilAdopted,
  podNames,
  restoreProbe,
  scale,
  untilReady,
  untilStatus,
  untilWaiting,
} from './sets.ts';

describe('identity, order and scale, as upstream tests them', () => {
  let stead: TestStead;
  before(async () => {
    stead = await startSimulated();
  });
  after(() => stead?.purge());

  // upstream: "should adopt matching orphans and release non-matching pods"
  it('adopts an orphan that its selector matches, and releases a pod that it does not match any more', () =>
    TestNamespace.use(stead, 'adoption', async (space) => {
      const set = await createSet(space, { replicas: 1 });
      await untilReady(space, set);
      const owner = () => space.pods.get('ss-0')?.metadata?.ownerReferences?.find((one) => one.controller);
      const owned = () => owner()?.uid === set.metadata?.uid;
      assert.deepEqual([owner()?.kind, owner()?.name, owned()], ['StatefulSet', 'ss', true]);
      const { uid, labels = {} } = space.pods.get('ss-0')?.metadata ?? {};

      await orphanUntilAdopted(space, 'ss-0');
      assert.ok(owned());

      await space.patchPod('ss-0', { metadata: { labels: { foo: null, baz: null } } });
      await space.until('it is released', () => !owner());
      await space.patchPod('ss-0', { metadata: { labels } });
      await space.until('it is adopted again', owned);
      assert.equal(space.pods.get('ss-0')?.metadata?.uid, uid, 'it has been the same pod all along');
    }));

  // upstream: "should not deadlock when a pod's predecessor fails"
  it("makes a lost pod again though its successor is not ready, and waits for nobody's turn", () =>
    TestNamespace.use(stead, 'predecessor', async (space) => {
      const running = (name: string) =>
        space.until(`${name} runs`, () => space.pods.get(name)?.status?.phase === 'Running');
      const set = await createSet(space, { replicas: 2, paused: true });
      await running('ss-0');
      await untilWaiting(space, set, /ss-0/);
      assert.deepEqual(podNames(space), ['ss-0']);
      await restoreProbe(space, 'ss-0');
      await running('ss-1');

      const uid = space.pods.get('ss-0')?.metadata?.uid;
      await space.deletePod('ss-0');
      await space.until('ss-0 is made again', () => {
        const again = space.pods.get('ss-0');
        return again?.metadata?.uid !== uid && again?.status?.phase === 'Running';
      });
      assert.equal(isReady(space.pods.get('ss-1')), false);
      await restoreProbe(space, 'ss-0', 'ss-1');
      await untilReady(space, set);
    }));

  // upstream: "Scaling should happen in predictable order and halt if any stateful pod is unhealthy"
  it('scales up in order and down in reverse, and halts both ways while a pod is not ready', () =>
    TestNamespace.use(stead, 'order', (space) => scalingTest(space, simulatedProbe, {})));

  // upstream: "Burst scaling should run to completion even with unhealthy pods"
  it('Parallel: scales to the end both ways, whoever is not ready', () =>
    TestNamespace.use(stead, 'burst', async (space) => {
      let set = await createSet(space, { replicas: 1, podManagementPolicy: 'Parallel' });
      await untilReady(space, set);
      const breakAll = async (): Promise<void> => {
        await breakProbe(space, ...podNames(space));
        await untilStatus(space, set, 'none is ready', ({ readyReplicas = 0 }) => readyReplicas === 0);
      };
      await breakAll();
      set = await scale(space, 'ss', 3);
      await space.until('three pods are made', () => space.pods.size === 3);
      assert.equal(isReady(space.pods.get('ss-0')), false);
      await restoreProbe(space, 'ss-0');
      await untilReady(space, set);
      await breakAll();
      set = await scale(space, 'ss', 0);
      await space.until('all pods are gone', () => space.pods.size === 0);
      await untilStatus(space, set, 'has none', ({ replicas }) => replicas === 0);
    }));

  // upstream: "Should recreate evicted statefulset"
  it('makes a pod again that its node refused for a taken host port, until the port is free', () =>
    TestNamespace.use(stead, 'evicted', (space) => evictedTest(space)));

  /** Creates a set of two, changes its ordinals, and expects these pods before and after. */
  const ordinals = (
    name: string,
    start: number | undefined,
    before: string[],
    change: { ordinals: { start: number } | null; replicas?: number },
    expected: string[],
  ): Promise<void> =>
    TestNamespace.use(stead, name, async (space) => {
      const first = await createSet(space, {
        replicas: 2,
        ...(start === undefined ? {} : { ordinals: { start } }),
      });
      await untilReady(space, first);
      assert.deepEqual(podNames(space), before);
      const set = await space.patchSet('ss', { spec: change });
      await space.until(`${expected} are there`, () => podNames(space).join() === expected.join());
      await untilReady(space, set);
      assert.deepEqual(podNames(space), expected);
      const indexes = expected.map(
        (pod) => space.pods.get(pod)?.metadata?.labels?.['apps.kubernetes.io/pod-index'],
      );
      assert.deepEqual(
        indexes,
        expected.map((pod) => pod.slice('ss-'.length)),
      );
    });

  // upstream: "Setting .start.ordinal"
  it('ordinals set: from 0 to start 2', () =>
    ordinals('ordinals-set', undefined, ['ss-0', 'ss-1'], { ordinals: { start: 2 }, replicas: 3 }, [
      'ss-2',
      'ss-3',
      'ss-4',
    ]));
  // upstream: "Increasing .start.ordinal"
  it('ordinals increased: from start 2 to start 4', () =>
    ordinals('ordinals-increased', 2, ['ss-2', 'ss-3'], { ordinals: { start: 4 } }, ['ss-4', 'ss-5']));
  // upstream: "Decreasing .start.ordinal"
  it('ordinals decreased: from start 3 to start 2', () =>
    ordinals('ordinals-decreased', 3, ['ss-3', 'ss-4'], { ordinals: { start: 2 } }, ['ss-2', 'ss-3']));
  // upstream: "Removing .start.ordinal"
  it('ordinals removed: from start 3 to 0', () =>
    ordinals('ordinals-removed', 3, ['ss-3', 'ss-4'], { ordinals: null }, ['ss-0', 'ss-1']));
});
