// What upstream's end-to-end tests of rollouts share (rollbackTest and deletingPodForRollingUpdatePartitionTest in
// test/e2e/apps/statefulset.go), in our words; simulated and real containers go through the same.
import assert from 'node:assert/strict';
import { isReady, type TestNamespace } from './namespace.ts';
import {
  createSet,
  IMAGE,
  NEW_IMAGE,
  type SetOptions,
  setImage,
  uids,
  untilPods,
  untilReady,
  untilStatus,
  untilUpdated,
  untilWaiting,
} from './sets.ts';

/** How a pod's readiness probe is made to fail, and to succeed again. */
export interface Probe {
  breakIt(space: TestNamespace, ...pods: string[]): Promise<void>;
  restore(space: TestNamespace, ...pods: string[]): Promise<void>;
}

const ALL = ['ss-0', 'ss-1', 'ss-2'];

/** Updates and rolls back a set of three, each time with ss-1 not ready at first: until it is, nothing may happen. */
export async function rollbackTest(space: TestNamespace, probe: Probe, options: SetOptions): Promise<void> {
  let set = await createSet(space, options);
  await untilReady(space, set);
  const first = (await untilUpdated(space, set)).status?.currentRevision;
  await untilPods(space, ALL, IMAGE, first);

  const roll = async (image: string): Promise<string | undefined> => {
    const current = space.sets.get('ss')?.status?.currentRevision;
    await probe.breakIt(space, 'ss-1');
    await space.until('ss-1 is not ready', () => !isReady(space.pods.get('ss-1')));
    const before = uids(space);
    set = await setImage(space, 'ss', image);
    const { status } = await untilStatus(space, set, 'has a new revision', ({ updateRevision }) => {
      return updateRevision !== current;
    });
    assert.equal(status?.currentRevision, current);
    await untilWaiting(space, set, /ss-1/);
    assert.deepEqual(uids(space), before, 'nobody is updated while ss-1 is not ready');

    const told = space.story.length;
    await probe.restore(space, 'ss-1');
    await untilUpdated(space, set);
    await untilPods(space, ALL, image, status?.updateRevision);
    const order = ['ss-2', 'ss-1', 'ss-0'].flatMap((name) => [`gone ${name}`, `created ${name}`]);
    assert.deepEqual(space.story.slice(told), order);
    return status?.updateRevision;
  };
  const second = await roll(NEW_IMAGE);
  assert.notEqual(second, first);
  assert.equal(await roll(IMAGE), first, 'a roll back finds the old revision');
}

/**
 * With partition 1, ss-0 keeps the old revision; deleted, and kept by a finalizer, it is not counted as ready; and
 * when it may go, it is made again at the old revision.
 */
export async function partitionAndFinalizer(space: TestNamespace, options: SetOptions): Promise<void> {
  let set = await createSet(space, {
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
    ...options,
  });
  await untilReady(space, set);
  const old = (await untilUpdated(space, set)).status?.currentRevision;
  await space.patchPod('ss-0', { metadata: { finalizers: ['example.com/test-finalizer'] } });
  const uid = space.pods.get('ss-0')?.metadata?.uid;

  set = await setImage(space, 'ss', NEW_IMAGE);
  const { status } = await untilStatus(space, set, 'all but ss-0 are updated', (now) => {
    return now.updatedReplicas === 2 && now.replicas === 3 && now.readyReplicas === 3;
  });
  assert.equal(status?.currentRevision, old);
  const revision = status?.updateRevision;
  const check = async (): Promise<void> => {
    await untilPods(space, ['ss-0'], IMAGE, old);
    await untilPods(space, ['ss-1', 'ss-2'], NEW_IMAGE, revision);
  };
  await check();

  await space.deletePod('ss-0');
  await untilStatus(space, set, 'ss-0 is not ready', ({ readyReplicas }) => readyReplicas === 2);
  assert.equal(space.pods.get('ss-0')?.metadata?.uid, uid, 'the finalizer keeps it');
  await space.patchPod('ss-0', { metadata: { finalizers: null } });
  await space.until('ss-0 is made again', () => {
    const again = space.pods.get('ss-0');
    return again !== undefined && again.metadata?.uid !== uid && isReady(again);
  });
  await untilReady(space, set);
  await check();
}
