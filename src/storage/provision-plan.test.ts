import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Node, PersistentVolumeClaim } from '../api/generated/types.ts';
import type { KubeObject, Stored } from '../api/objects.ts';
import { defaultStorageClass } from './default-class.ts';
import { isToBeDeleted, type ProvisionObservation, planProvision } from './provision-plan.ts';

function stored<T extends KubeObject>(object: T): Stored<T> {
  const metadata = { uid: 'u1', resourceVersion: '1', creationTimestamp: '', ...object.metadata };
  return { ...object, metadata: { ...metadata, name: object.metadata.name ?? '' } };
}

const node = (
  name: string,
  annotations: Record<string, string> = { 'stead.dev/volume-directory': '/vol/' },
): Stored<Node> =>
  stored({
    metadata: { name, annotations, labels: { 'kubernetes.io/hostname': `${name}.local` } },
    spec: {},
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  });

const claim = (
  spec: Partial<PersistentVolumeClaim['spec']> = {},
  selected: string | undefined = 'one',
): Stored<PersistentVolumeClaim> =>
  stored({
    metadata: {
      namespace: 'default',
      name: 'www',
      annotations: {
        'volume.kubernetes.io/storage-provisioner': 'stead.dev/local',
        ...(selected ? { 'volume.kubernetes.io/selected-node': selected } : {}),
      },
    },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '200Mi' } }, ...spec },
  });

const observe = (parts: Partial<ProvisionObservation>): ProvisionObservation => ({
  claim: claim(),
  storageClass: stored(defaultStorageClass()),
  selectedNode: node('one'),
  nodes: [],
  ...parts,
});

describe('planProvision', () => {
  it('describes the volume on the selected node', () => {
    const plan = planProvision(observe({}));
    assert.equal(plan.type, 'create');
    if (plan.type !== 'create') return;
    assert.equal(plan.volume.metadata.name, 'pvc-u1');
    assert.equal(plan.volume.spec.local?.path, '/vol/pvc-u1');
    assert.deepEqual(plan.volume.spec.capacity, { storage: '200Mi' });
    const [term] = plan.volume.spec.nodeAffinity?.required?.nodeSelectorTerms ?? [];
    assert.deepEqual(term?.matchExpressions, [
      { key: 'kubernetes.io/hostname', operator: 'In', values: ['one.local'] },
    ]);
    assert.equal(plan.volume.spec.claimRef?.uid, 'u1');
  });

  it('does nothing until a node is selected, nor for others, nor for a bound claim', () => {
    const nothing = { type: 'nothing' };
    assert.deepEqual(planProvision(observe({ claim: claim({}, '') })), nothing);
    assert.deepEqual(planProvision(observe({ claim: claim({ volumeName: 'a' }) })), nothing);
    const other = stored({ ...defaultStorageClass(), provisioner: 'example.com/x' });
    assert.deepEqual(planProvision(observe({ storageClass: other })), nothing);
  });

  it('takes the node with the fewest volumes when no consumer is waited for', () => {
    const immediate = stored({ ...defaultStorageClass(), volumeBindingMode: 'Immediate' });
    const nodes = [
      { node: node('a'), volumes: 2 },
      { node: node('c'), volumes: 1 },
      { node: node('b'), volumes: 1 },
      { node: node('none', {}), volumes: 0 },
    ];
    const plan = planProvision(
      observe({ claim: claim({}, ''), storageClass: immediate, nodes, selectedNode: undefined }),
    );
    assert.equal(
      plan.type === 'create' &&
        plan.volume.spec.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions?.[0]?.values?.[0],
      'b.local',
    );
  });

  it('refuses with a reason', () => {
    const message = (parts: Partial<ProvisionObservation>): string => {
      const plan = planProvision(observe(parts));
      return plan.type === 'refuse' ? plan.because.message : plan.type;
    };
    const prefix = 'failed to provision volume with StorageClass "storage-local": ';
    assert.equal(
      message({ claim: claim({ volumeMode: 'Block' }) }),
      `${prefix}stead.dev/local makes file systems, not block devices: set volumeMode to Filesystem`,
    );
    assert.match(
      message({ selectedNode: node('one', {}) }),
      /node "one" has no annotation stead.dev\/volume-directory/,
    );
    const gone = planProvision(observe({ selectedNode: undefined }));
    assert.equal(gone.type === 'refuse' && gone.reschedule, true);
  });
});

describe('isToBeDeleted', () => {
  it('only what was made here, released, and not already going', () => {
    const plan = planProvision(observe({}));
    assert.equal(plan.type, 'create');
    if (plan.type !== 'create') return;
    const released = { ...plan.volume, status: { phase: 'Released' } };
    assert.equal(isToBeDeleted(released), true);
    assert.equal(isToBeDeleted(plan.volume), false);
    assert.equal(
      isToBeDeleted({ ...released, spec: { ...released.spec, persistentVolumeReclaimPolicy: 'Retain' } }),
      false,
    );
    assert.equal(isToBeDeleted({ ...released, metadata: { ...released.metadata, annotations: {} } }), false);
  });
});
