// Upstream's integration tests of StatefulSet (kubernetes/kubernetes test/integration/statefulset/statefulset_test.go)
// that need an API server; those that only need the controller's decision are scenarios beside it. Each test names
// upstream's and the sentence of the manual that it holds true.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { V1StatefulSet } from '@kubernetes/client-node';
import { startSimulated } from '../kit/simulated-stead.ts';
import { eventually, type TestStead } from '../kit/stead.ts';
import { TestNamespace } from './namespace.ts';
import { createSet, podNames, scale, setOf, untilReady, untilStatus } from './sets.ts';

describe('integration of the StatefulSet controller, as upstream tests it', () => {
  let stead: TestStead;
  before(async () => {
    stead = await startSimulated();
  });
  after(() => stead?.purge());

  const events = async (space: TestNamespace): Promise<string[]> => {
    const { items } = await space.core.listNamespacedEvent({
      namespace: space.name,
      fieldSelector: 'involvedObject.kind=StatefulSet',
    });
    return items.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
  };

  // upstream: TestVolumeTemplateNoopUpdate
  // "updates to statefulset spec for fields other than … are forbidden": what is the same after defaulting is no update.
  it('takes the manifest that it was made of again, claim templates included, as no change', () =>
    TestNamespace.use(stead, 'noop-update', async (space) => {
      const which = { name: 'ss', namespace: space.name };
      const manifest = setOf({ claims: ['www'] });
      const [template] = manifest.spec?.volumeClaimTemplates ?? [];
      assert.ok(manifest.spec && template);
      delete manifest.spec.replicas;
      manifest.spec.volumeClaimTemplates = [{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...template }];
      const created = await space.apps.createNamespacedStatefulSet({ namespace: space.name, body: manifest });
      const { podManagementPolicy, replicas, revisionHistoryLimit } = created.spec ?? {};
      assert.deepEqual(
        [podManagementPolicy, replicas, revisionHistoryLimit],
        ['OrderedReady', 1, 10],
        'defaults were filled in',
      );
      const { type, rollingUpdate } = created.spec?.updateStrategy ?? {};
      assert.deepEqual([type, { ...rollingUpdate }], ['RollingUpdate', { partition: 0, maxUnavailable: 1 }]);
      const retention = created.spec?.persistentVolumeClaimRetentionPolicy;
      assert.deepEqual({ ...retention }, { whenDeleted: 'Retain', whenScaled: 'Retain' });
      const body: V1StatefulSet = { ...manifest, metadata: { name: 'ss' } };
      const updated = await space.apps.replaceNamespacedStatefulSet({ ...which, body });
      assert.deepEqual(updated.spec, created.spec);
      assert.equal(updated.metadata?.generation, 1);
    }));

  // upstream: TestSpecReplicasChange
  // ".status.observedGeneration is the most recent generation observed for this StatefulSet": whatever has changed.
  it('follows replicas up, to nothing and back, and any other change with its observedGeneration', () =>
    TestNamespace.use(stead, 'replicas-change', async (space) => {
      await untilReady(space, await createSet(space, { replicas: 2 }));
      for (const replicas of [3, 0, 2]) {
        const set = await scale(space, 'ss', replicas);
        await untilStatus(space, set, `has ${replicas}`, (status) => {
          return status.replicas === replicas && (status.readyReplicas ?? 0) === replicas;
        });
        await space.until(`${replicas} pods`, () => podNames(space).length === replicas);
      }
      const generation = space.sets.get('ss')?.metadata?.generation ?? 0;
      const annotations = { test: 'annotation' };
      const set = await space.patchSet('ss', { spec: { template: { metadata: { annotations } } } });
      assert.equal(set.metadata?.generation, generation + 1);
      await untilStatus(
        space,
        set,
        'has seen it',
        ({ observedGeneration }) => observedGeneration === generation + 1,
      );
    }));

  // upstream: TestStatefulSetStatusWithPodFail
  // ".status.replicas is the number of Pods created by the StatefulSet controller": however many it wanted to create.
  it('counts the pods that could be made when the API refuses the others, says so, and goes on when it may', () =>
    TestNamespace.use(stead, 'pods-refused', async (space) => {
      const { name: namespace } = space;
      const quota = { metadata: { name: 'two' }, spec: { hard: { pods: '2' } } };
      await space.core.createNamespacedResourceQuota({ namespace, body: quota });
      await eventually(
        'the quota is counted',
        () => space.core.readNamespacedResourceQuota({ name: 'two', namespace }),
        ({ status }) => status?.hard?.pods === '2',
      );
      const set = await createSet(space, { replicas: 4, podManagementPolicy: 'Parallel' });
      await untilStatus(
        space,
        set,
        'has two',
        ({ replicas, readyReplicas }) => replicas === 2 && readyReplicas === 2,
      );
      const told = await eventually(
        'the refusal is told',
        () => events(space),
        (all) => all.some((event) => event.startsWith('Warning FailedCreate: ')),
      );
      const refusal =
        /FailedCreate: create Pod ss-\d in StatefulSet ss failed error: pods "ss-\d" is forbidden: exceeded quota: two/;
      assert.match(told.join('\n'), refusal);
      assert.equal(space.pods.size, 2);
      await space.core.deleteNamespacedResourceQuota({ name: 'two', namespace });
      await untilReady(space, set);
    }));

  // No test of upstream's alone; its end-to-end tests print these.
  it('tells each creation and deletion of a pod and a claim as an event', () =>
    TestNamespace.use(stead, 'events', async (space) => {
      await untilReady(space, await createSet(space, { replicas: 1, claims: ['www'] }));
      await scale(space, 'ss', 0);
      await space.until('no pod is left', () => space.pods.size === 0);
      const told = await eventually(
        'the deletion is told',
        () => events(space),
        (all) => all.some((event) => event.includes('SuccessfulDelete')),
      );
      assert.deepEqual(told.filter((event) => /Successful/.test(event)).sort(), [
        'Normal SuccessfulCreate: create Claim www-ss-0 Pod ss-0 in StatefulSet ss success',
        'Normal SuccessfulCreate: create Pod ss-0 in StatefulSet ss successful',
        'Normal SuccessfulDelete: delete Pod ss-0 in StatefulSet ss successful',
      ]);
    }));
});
