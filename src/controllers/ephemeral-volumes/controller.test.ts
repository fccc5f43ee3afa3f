import assert from 'node:assert/strict';
import { after, beforeEach, describe, it } from 'node:test';
import type { Pod } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { persistentVolumeClaims } from '../../api/resources/persistent-volume-claims/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { startTestControlPlane, type TestControlPlane } from '../../testing/test-control-plane.ts';
import { runProtectionController } from '../protection/controller.ts';
import { runEphemeralVolumesController } from './controller.ts';
import { planEphemeralClaims } from './plan.ts';

const spec = {
  accessModes: ['ReadWriteOnce' as const],
  resources: { requests: { storage: '10Mi' } },
  storageClassName: 'storage-local',
};
const pod: Pod = {
  metadata: { namespace: 'default', name: 'web-0' },
  spec: {
    containers: [{ name: 'main', image: 'a', volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }] }],
    volumes: [
      {
        name: 'scratch',
        ephemeral: {
          volumeClaimTemplate: { metadata: { labels: { for: 'scratch' }, annotations: { note: 'n' } }, spec },
        },
      },
      { name: 'plain', emptyDir: {} },
    ],
  },
};
const claimKey = { namespace: 'default', name: 'web-0-scratch' };

describe('the ephemeral volume controller', () => {
  let cluster: TestControlPlane;
  beforeEach(async () => {
    await cluster?.stop();
    cluster = await startTestControlPlane();
    cluster.run(runEphemeralVolumesController(cluster.contextOf('ephemeral-volumes')));
    // It lets go of claims that nobody uses.
    cluster.run(runProtectionController(cluster.contextOf('protection')));
    await cluster.clock.settle();
  });
  after(() => cluster.stop());

  const owners = async (): Promise<unknown> => {
    const { items } = await cluster.client.list(persistentVolumeClaims);
    return items.map(({ metadata }) => [metadata.name, metadata.ownerReferences?.[0]?.uid]);
  };

  it('makes the claim for the pod, as the template says, and again when it is deleted', async () => {
    const { uid } = (await cluster.client.create(pods, structuredClone(pod))).metadata;
    await cluster.until(async () => ((await owners()) as unknown[]).length === 1, 'the claim is there');
    const claim = await cluster.client.get(persistentVolumeClaims, claimKey);
    const { labels, annotations, ownerReferences } = claim.metadata;
    assert.deepEqual([labels, annotations], [{ for: 'scratch' }, { note: 'n' }]);
    assert.deepEqual(ownerReferences, [
      { apiVersion: 'v1', kind: 'Pod', name: 'web-0', uid, controller: true, blockOwnerDeletion: true },
    ]);
    assert.deepEqual(
      [claim.spec.storageClassName, claim.spec.resources],
      [spec.storageClassName, spec.resources],
    );
    await cluster.client.delete(persistentVolumeClaims, claimKey);
    await cluster.until(
      async () =>
        (await cluster.client.list(persistentVolumeClaims)).items.some(
          ({ metadata }) => metadata.uid !== claim.metadata.uid,
        ),
      'it is there again',
    );
    assert.deepEqual(cluster.complaints, []);
  });

  it('takes nobody else’s claim, says so, and goes on when it is gone', async () => {
    await cluster.client.create(persistentVolumeClaims, { metadata: claimKey, spec: structuredClone(spec) });
    const { uid } = (await cluster.client.create(pods, structuredClone(pod))).metadata;
    await cluster.until(async () => (await cluster.eventsOf('web-0')).length > 0, 'an event');
    assert.deepEqual(await cluster.eventsOf('web-0'), [
      'FailedBinding: ephemeral volume scratch: PVC default/web-0-scratch was not created for pod default/web-0 (pod is not owner)',
    ]);
    await cluster.client.delete(persistentVolumeClaims, claimKey);
    await cluster.until(
      async () => JSON.stringify(await owners()) === JSON.stringify([['web-0-scratch', uid]]),
      'the pod has its own',
    );
  });

  it('makes none for a pod that goes', () => {
    const going = { uid: 'u', resourceVersion: '1', creationTimestamp: '', deletionTimestamp: 'now' };
    const terminating = { ...pod, metadata: { ...pod.metadata, ...going } } as Stored<Pod>;
    assert.deepEqual(
      planEphemeralClaims(terminating, () => undefined),
      { create: [] },
    );
  });
});
