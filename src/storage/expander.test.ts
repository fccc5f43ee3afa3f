// The expander against the real API server on virtual time; the node's part is played by the test.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { PersistentVolume, PersistentVolumeClaim } from '../api/generated/types.ts';
import type { Stored } from '../api/objects.ts';
import { persistentVolumeClaims } from '../api/resources/persistent-volume-claims/definition.ts';
import { persistentVolumes } from '../api/resources/persistent-volumes/definition.ts';
import { storageClasses } from '../api/resources/storage-classes/definition.ts';
import { startTestControlPlane, type TestControlPlane } from '../testing/test-control-plane.ts';
import { defaultStorageClass } from './default-class.ts';
import { type ExpandObservation, planExpand } from './expand-plan.ts';
import { runLocalExpander } from './expander.ts';

const KEY = { namespace: 'default', name: 'www-web-0' };

function volume(provisioner = 'stead.dev/local'): PersistentVolume {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'pvc-1', annotations: { 'pv.kubernetes.io/provisioned-by': provisioner } },
    spec: {
      capacity: { storage: '200Mi' },
      accessModes: ['ReadWriteOnce'],
      local: { path: '/volumes/pvc-1' },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['one'] }] },
          ],
        },
      },
      claimRef: { kind: 'PersistentVolumeClaim', apiVersion: 'v1', ...KEY },
      storageClassName: 'storage-local',
      persistentVolumeReclaimPolicy: 'Delete',
    },
  };
}

function claim(storage: string): PersistentVolumeClaim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { ...KEY, annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'storage-local',
      resources: { requests: { storage } },
      volumeName: 'pvc-1',
    },
  };
}

const BOUND = { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '200Mi' } };

describe('the expander', () => {
  let cluster: TestControlPlane;
  beforeEach(async () => {
    cluster = await startTestControlPlane();
  });
  afterEach(() => cluster.stop());

  const capacity = async (): Promise<string | undefined> =>
    (await cluster.client.get(persistentVolumes, { name: 'pvc-1' })).spec.capacity?.storage;
  const conditions = async (): Promise<string[]> =>
    (await current()).status?.conditions?.map(({ type, status }) => `${type}=${status}`) ?? [];
  const current = () => cluster.client.get(persistentVolumeClaims, KEY);

  /** @param before what is done before the expander runs. */
  async function begin(provisioner?: string, before?: () => Promise<unknown>) {
    await cluster.client.create(storageClasses, defaultStorageClass());
    await cluster.client.create(persistentVolumes, volume(provisioner));
    const made = await cluster.client.create(persistentVolumeClaims, claim('200Mi'));
    const body = structuredClone({ ...made, status: BOUND });
    await cluster.client.update(persistentVolumeClaims, body, { subresource: 'status' });
    await before?.();
    cluster.run(runLocalExpander(cluster.contextOf('expander')));
    await cluster.clock.advance(1000);
  }

  const ask = (storage: string) =>
    cluster.client.patch(persistentVolumeClaims, KEY, {
      type: 'merge',
      body: { spec: { resources: { requests: { storage } } } },
    });

  it('raises the volume and hands over to its node, with conditions and events as upstream has them', async () => {
    await begin();
    assert.deepEqual(await conditions(), []);
    await ask('1Gi');
    await cluster.until(
      async () => (await conditions()).includes('FileSystemResizePending=True'),
      'handed over',
    );
    assert.deepEqual(await conditions(), ['FileSystemResizePending=True']);
    assert.equal(await capacity(), '1Gi');
    assert.equal((await current()).status?.capacity?.storage, '200Mi');
    assert.deepEqual(await cluster.eventsOf('www-web-0'), [
      'Resizing: External resizer is resizing volume pvc-1',
      'FileSystemResizeRequired: Require file system resize of volume on node',
    ]);
  });

  it('goes on where an earlier one was cut off', async () => {
    await begin();
    const before = await current();
    await cluster.client.patch(
      persistentVolumes,
      { name: 'pvc-1' },
      {
        type: 'merge',
        body: { spec: { capacity: { storage: '1Gi' } } },
      },
    );
    await cluster.clock.advance(1000);
    // Nobody has asked for it: what somebody did to the volume by hand is not the claim's.
    assert.deepEqual((await current()).status, before.status);
    await ask('1Gi');
    await cluster.until(
      async () => (await conditions()).includes('FileSystemResizePending=True'),
      'handed over',
    );
  });

  it("leaves others' volumes alone", async () => {
    await begin('example.com/other');
    await ask('1Gi');
    await cluster.clock.advance(5000);
    assert.equal(await capacity(), '200Mi');
    assert.deepEqual(await cluster.eventsOf('www-web-0'), []);
  });

  it('says once why a class no longer lets its volumes grow', async () => {
    await begin(undefined, async () => {
      await ask('1Gi');
      const { name = '' } = defaultStorageClass().metadata;
      const body = { allowVolumeExpansion: false };
      await cluster.client.patch(storageClasses, { name }, { type: 'merge', body });
    });
    await cluster.clock.advance(5000);
    assert.equal(await capacity(), '200Mi');
    assert.deepEqual(await cluster.eventsOf('www-web-0'), [
      'VolumeResizeFailed: volume pvc-1 cannot grow: StorageClass "storage-local" has not allowVolumeExpansion: true',
    ]);
  });
});

function stored<T extends { metadata: object }>(object: T): T & Stored {
  const metadata = { uid: 'u', resourceVersion: '1', creationTimestamp: '', name: '', ...object.metadata };
  return { ...object, metadata };
}

describe('planExpand', () => {
  const observe = (
    storage: string,
    status: PersistentVolumeClaim['status'] = BOUND,
    made = '200Mi',
  ): ExpandObservation => {
    const object = volume();
    object.spec = { ...object.spec, capacity: { storage: made } };
    return {
      claim: stored({ ...claim(storage), status }),
      volume: stored(object),
      storageClass: defaultStorageClass(),
      now: 0,
    };
  };

  it('does nothing for what is large enough, unbound, going, or has just been bound', () => {
    assert.equal(planExpand(observe('200Mi')).type, 'nothing');
    assert.equal(planExpand(observe('204800Ki')).type, 'nothing');
    assert.equal(planExpand(observe('1Gi', { phase: 'Bound' })).type, 'nothing');
    assert.equal(planExpand({ ...observe('1Gi'), volume: undefined }).type, 'nothing');
    const going = observe('1Gi');
    const metadata = { ...going.claim.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
    assert.equal(planExpand({ ...going, claim: { ...going.claim, metadata } }).type, 'nothing');
  });

  it('goes step by step, and keeps conditions of others', () => {
    const mine = { type: 'Mine', status: 'True' };
    const begun = planExpand(observe('1Gi', { ...BOUND, conditions: [mine] }));
    assert.equal(begun.type, 'begin');
    if (begun.type !== 'begin') return;
    assert.deepEqual(
      begun.conditions.map(({ type }) => type),
      ['Mine', 'Resizing'],
    );
    const status = { ...BOUND, conditions: begun.conditions };
    assert.deepEqual(planExpand(observe('1Gi', status)), { type: 'raise', storage: '1Gi' });
    const handed = planExpand(observe('1Gi', status, '1Gi'));
    assert.equal(handed.type, 'hand over');
    if (handed.type !== 'hand over') return;
    assert.deepEqual(
      handed.conditions.map(({ type }) => type),
      ['Mine', 'FileSystemResizePending'],
    );
    assert.equal(
      planExpand(observe('1Gi', { ...BOUND, conditions: handed.conditions }, '1Gi')).type,
      'nothing',
    );
  });
});
