// Upstream's end-to-end tests of how a new template reaches the pods (kubernetes/kubernetes
// test/e2e/apps/statefulset.go), on simulated nodes. Each test names upstream's.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startSimulated } from '../kit/simulated-stead.ts';
import type { TestStead } from '../kit/stead.ts';
import { isReady, TestNamespace } from './namespace.ts';
import { partitionAndFinalizer, rollbackTest } from './rollouts.ts';
import { simulatedProbe } from './scaling.ts';
import {
  createSet,
  IMAGE,
  NEW_IMAGE,
  podNames,
  restoreProbe,
  scale,
  setImage,
  uids,
  untilPods,
  untilReady,
  untilStatus,
  untilUpdated,
  untilWaiting,
} from './sets.ts';

const ALL = ['ss-0', 'ss-1', 'ss-2'];

describe('rollouts, as upstream tests them', () => {
  let stead: TestStead;
  before(async () => {
    stead = await startSimulated();
  });
  after(() => stead?.purge());

  // upstream: "should perform rolling updates and roll backs of template modifications"
  it('updates from the highest ordinal down, past nobody who is not ready, and rolls back to the old revision', () =>
    TestNamespace.use(stead, 'rollback', (space) => rollbackTest(space, simulatedProbe, {})));

  // upstream: "should perform rolling updates and roll backs of template modifications with PVCs"
  it('does the same to pods with claims, each of which finds its claim again', () =>
    TestNamespace.use(stead, 'rollback-with-claims', async (space) => {
      await rollbackTest(space, simulatedProbe, { claims: ['datadir'] });
      assert.deepEqual([...space.claims.keys()].sort(), ['datadir-ss-0', 'datadir-ss-1', 'datadir-ss-2']);
      for (const name of ALL) {
        const claim = space.pods.get(name)?.spec?.volumes?.find((volume) => volume.persistentVolumeClaim);
        assert.equal(claim?.persistentVolumeClaim?.claimName, `datadir-${name}`);
      }
    }));

  // upstream: "should perform canary updates and phased rolling updates of template modifications"
  it('updates only from the partition on, restores pods on their side of it, and goes on as it is lowered', () =>
    TestNamespace.use(stead, 'canary', async (space) => {
      const partition = (n: number) =>
        space.patchSet('ss', { spec: { updateStrategy: { rollingUpdate: { partition: n } } } });
      let set = await createSet(space, {
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 3 } },
      });
      await untilReady(space, set);
      const old = (await untilUpdated(space, set)).status?.currentRevision;
      const before = uids(space);

      set = await setImage(space, 'ss', NEW_IMAGE);
      const { status } = await untilStatus(space, set, 'has a new revision', (now) => {
        return now.updateRevision !== old;
      });
      const revision = status?.updateRevision;
      assert.equal(status?.currentRevision, old);
      assert.deepEqual(uids(space), before, 'a partition beyond the replicas updates nobody');

      set = await partition(2);
      await untilPods(space, ['ss-2'], NEW_IMAGE, revision);
      assert.deepEqual(uids(space).slice(0, 2), before.slice(0, 2));

      for (const name of ['ss-0', 'ss-2']) {
        const uid = space.pods.get(name)?.metadata?.uid;
        await space.deletePod(name);
        await space.until(`${name} is made again`, () => {
          const pod = space.pods.get(name);
          return pod !== undefined && pod.metadata?.uid !== uid && isReady(pod);
        });
      }
      await untilPods(space, ['ss-0', 'ss-1'], IMAGE, old);
      await untilPods(space, ['ss-2'], NEW_IMAGE, revision);

      for (const step of [1, 0]) {
        set = await partition(step);
        await untilPods(space, ALL.slice(step), NEW_IMAGE, revision);
        await untilPods(space, ALL.slice(0, step), IMAGE, old);
      }
      assert.equal((await untilUpdated(space, set)).status?.currentRevision, revision);
    }));

  // upstream: "should perform canary updates and phased rolling updates of template modifications for partiton1 and
  // delete pod-0 without failing container"
  it('makes a pod below the partition again at the old revision, once its finalizer lets it go', () =>
    TestNamespace.use(stead, 'partition-and-finalizer', (space) => partitionAndFinalizer(space, {})));

  // upstream: "should implement legacy replacement when the update strategy is OnDelete"
  it('OnDelete: touches no pod, and makes each that is deleted at the newest revision', () =>
    TestNamespace.use(stead, 'on-delete', async (space) => {
      const deleteAll = async (): Promise<void> => {
        const before = uids(space);
        for (const name of ALL) await space.deletePod(name);
        await space.until('all are made again', () => uids(space).every((uid) => !before.includes(uid)));
      };
      let set = await createSet(space, { updateStrategy: { type: 'OnDelete' } });
      await untilReady(space, set);
      const old = (await untilUpdated(space, set)).status?.currentRevision;
      await deleteAll();
      await untilPods(space, ALL, IMAGE, old);

      const before = uids(space);
      set = await setImage(space, 'ss', NEW_IMAGE);
      const { status } = await untilStatus(
        space,
        set,
        'has a new revision',
        (now) => now.updateRevision !== old,
      );
      assert.equal(status?.currentRevision, old);
      assert.deepEqual(uids(space), before);
      await deleteAll();
      await untilPods(space, ALL, NEW_IMAGE, status?.updateRevision);
    }));

  // upstream: "should perform rolling updates with maxUnavailable"
  it('maxUnavailable: so many at once, from the top, and never more', () =>
    TestNamespace.use(stead, 'max-unavailable', async (space) => {
      let set = await createSet(space, {
        replicas: 5,
        podManagementPolicy: 'Parallel',
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2 } },
      });
      await untilReady(space, set);
      const old = (await untilUpdated(space, set)).status?.currentRevision;
      let fewest = 5;
      space.observers.add(() => {
        fewest = Math.min(fewest, [...space.pods.values()].filter(isReady).length);
      });

      // The new pods are not ready by themselves: the test decides when the rollout may go on.
      set = await space.patchSet('ss', {
        spec: {
          template: {
            metadata: { annotations: { 'simulated.stead.dev/ready': 'false' } },
            spec: { containers: [{ name: 'webserver', image: NEW_IMAGE }] },
          },
        },
      });
      const atUpdate = (): string[] =>
        podNames(space).filter((name) => space.pods.get(name)?.spec?.containers[0]?.image === NEW_IMAGE);
      const waves = [['ss-3', 'ss-4'], ['ss-1', 'ss-2'], ['ss-0']];
      const updated: string[] = [];
      for (const wave of waves) {
        updated.push(...wave);
        await space.until(`${wave} are made again`, () => atUpdate().length === updated.length);
        assert.deepEqual(atUpdate(), [...updated].sort());
        await untilWaiting(space, set, new RegExp(wave.join('|')));
        assert.deepEqual(atUpdate(), [...updated].sort());
        await restoreProbe(space, ...wave);
      }
      const { status } = await untilUpdated(space, set);
      assert.notEqual(status?.currentRevision, old);
      assert.equal(fewest, 3, 'never more than two were down');
      await untilReady(space, await scale(space, 'ss', 5));
    }));
});
