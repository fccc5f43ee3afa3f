// Upstream's end-to-end tests of the StatefulSet API and of its status (kubernetes/kubernetes
// test/e2e/apps/statefulset.go), on simulated nodes. Each test names upstream's.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { V1StatefulSet } from '@kubernetes/client-node';
import { startSimulated } from '../kit/simulated-stead.ts';
import type { TestStead } from '../kit/stead.ts';
import { client, TestNamespace } from './namespace.ts';
import { createSet, NEW_IMAGE, untilPods, untilReady, untilStatus, untilUpdated } from './sets.ts';

describe('the API of StatefulSets, as upstream tests it', () => {
  let stead: TestStead;
  before(async () => {
    stead = await startSimulated();
  });
  after(() => stead?.purge());

  // upstream: "should have a working scale subresource"
  it('reads, replaces and patches the scale', () =>
    TestNamespace.use(stead, 'scale', async (space) => {
      const { apps, name: namespace } = space;
      await untilReady(space, await createSet(space, { replicas: 1 }));
      const replicas = async () =>
        (await apps.readNamespacedStatefulSet({ name: 'ss', namespace })).spec?.replicas;
      const body = await apps.readNamespacedStatefulSetScale({ name: 'ss', namespace });
      assert.deepEqual([body.spec?.replicas, body.status?.replicas], [1, 1]);

      // Without a resourceVersion, whatever is there is replaced.
      body.metadata = { name: 'ss', namespace };
      body.spec = { replicas: 2 };
      const replaced = await apps.replaceNamespacedStatefulSetScale({ name: 'ss', namespace, body });
      assert.equal(replaced.spec?.replicas, 2);
      assert.equal(await replicas(), 2);

      await apps.patchNamespacedStatefulSetScale(
        { name: 'ss', namespace, body: { spec: { replicas: 4 } } },
        client.setHeaderOptions('Content-Type', client.PatchStrategy.StrategicMergePatch),
      );
      assert.equal(await replicas(), 4);
      await untilReady(space, await apps.readNamespacedStatefulSet({ name: 'ss', namespace }));
    }));

  // upstream: "should list, patch and delete a collection of StatefulSets"
  it('patches a set, finds it by its label in all namespaces, and deletes all that have it', () =>
    TestNamespace.use(stead, 'collection', async (space) => {
      const { apps, name: namespace } = space;
      const labelSelector = 'test-ss=patched';
      await untilReady(space, await createSet(space, { replicas: 1 }));
      const containers = [{ name: 'webserver', image: NEW_IMAGE }];
      const patched = await space.patchSet('ss', {
        metadata: { labels: { 'test-ss': 'patched' } },
        spec: { replicas: 2, template: { spec: { terminationGracePeriodSeconds: 1, containers } } },
      });
      assert.equal(patched.spec?.replicas, 2);
      assert.equal(patched.spec?.template.spec?.containers[0]?.image, NEW_IMAGE);
      const { status } = await untilUpdated(space, patched);
      await untilPods(space, ['ss-0', 'ss-1'], NEW_IMAGE, status?.updateRevision);

      const names = async (): Promise<Array<string | undefined>> => {
        const { items } = await apps.listStatefulSetForAllNamespaces({ labelSelector });
        return items.map(({ metadata }) => metadata?.name);
      };
      assert.deepEqual(await names(), ['ss']);
      await apps.deleteCollectionNamespacedStatefulSet({ namespace, labelSelector, gracePeriodSeconds: 1 });
      assert.deepEqual(await names(), []);
      await space.until('the pods go with it', () => space.pods.size === 0);
    }));

  // upstream: "should validate Statefulset Status endpoints"
  it('reads, replaces and patches the status, and every watcher sees it', () =>
    TestNamespace.use(stead, 'status', async (space) => {
      const { apps, name: namespace } = space;
      const seen = (type: string) =>
        space.until(`condition ${type} is seen`, () =>
          space.sets.get('ss')?.status?.conditions?.find((condition) => condition.type === type),
        );
      await untilReady(space, await createSet(space, { replicas: 1 }));
      await space.patchSet('ss', { metadata: { labels: { e2e: 'testing' } } });
      const read = await apps.readNamespacedStatefulSetStatus({ name: 'ss', namespace });
      assert.equal(read.metadata?.labels?.e2e, 'testing');
      assert.equal(read.status?.readyReplicas, 1);

      const condition = { type: 'StatusUpdate', status: 'True', reason: 'E2E', message: 'Set from e2e test' };
      const watched = seen('StatusUpdate');
      const updated = await replaceStatus(space, (set) => ({
        ...set,
        status: {
          replicas: set.status?.replicas ?? 0,
          ...set.status,
          conditions: [...(set.status?.conditions ?? []), condition],
        },
      }));
      assert.ok(updated.status?.conditions?.some(({ type }) => type === 'StatusUpdate'));
      assert.equal((await watched).reason, 'E2E');

      const patchSeen = seen('StatusPatched');
      const body = { status: { conditions: [{ type: 'StatusPatched', status: 'True' }] } };
      const patched = await apps.patchNamespacedStatefulSetStatus(
        { name: 'ss', namespace, body },
        client.setHeaderOptions('Content-Type', client.PatchStrategy.MergePatch),
      );
      assert.deepEqual(
        patched.status?.conditions?.map(({ type }) => type),
        ['StatusPatched'],
      );
      await patchSeen;
    }));

  // upstream: "MinReadySeconds should be honored when enabled"
  it('counts a ready pod as available when nothing is said about minReadySeconds', () =>
    TestNamespace.use(stead, 'available', async (space) => {
      const set = await createSet(space, { replicas: 1 });
      await untilStatus(space, set, 'is available', ({ availableReplicas }) => availableReplicas === 1);
    }));

  // upstream: "AvailableReplicas should get updated accordingly when MinReadySeconds is enabled"
  it('counts pods as available when they have been ready for minReadySeconds, as it is changed', () =>
    TestNamespace.use(stead, 'min-ready-seconds', async (space) => {
      const available = (set: V1StatefulSet, count: number) =>
        untilStatus(
          space,
          set,
          `${count} available`,
          ({ availableReplicas = 0 }) => availableReplicas === count,
        );
      const change = (minReadySeconds: number) => space.patchSet('ss', { spec: { minReadySeconds } });
      const podManagementPolicy = 'Parallel';
      const set = await createSet(space, { replicas: 2, minReadySeconds: 2, podManagementPolicy });
      await untilStatus(space, set, 'ready, and not available', (status) => {
        return (status.readyReplicas ?? 0) > 0 && (status.availableReplicas ?? 0) === 0;
      });
      await available(set, 2);
      await available(await change(3600), 0);
      await available(await change(0), 2);
      const yaml = await stead.kubectl('get', 'statefulset', 'ss', '-n', space.name, '-o', 'yaml');
      assert.match(yaml, /^ {2}availableReplicas: 2$/m);
    }));
});

/** Reads the set and replaces its status, again for as long as somebody else was quicker. */
async function replaceStatus(
  space: TestNamespace,
  change: (set: V1StatefulSet) => V1StatefulSet,
): Promise<V1StatefulSet> {
  const which = { name: 'ss', namespace: space.name };
  for (;;) {
    const body = change(await space.apps.readNamespacedStatefulSet(which));
    try {
      return await space.apps.replaceNamespacedStatefulSetStatus({ ...which, body });
    } catch (error) {
      if (!(error instanceof client.ApiException && error.code === 409)) throw error;
    }
  }
}
