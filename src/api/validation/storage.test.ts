// Claims, volumes and storage classes.
import assert from 'node:assert/strict';
import test from 'node:test';
import { persistentVolumeClaims } from '../resources/persistent-volume-claims/definition.ts';
import { persistentVolumes } from '../resources/persistent-volumes/definition.ts';
import { storageClasses } from '../resources/storage-classes/definition.ts';
import { created, refusals, updateRefusals } from './test-manifests.ts';

const CLAIM = `
metadata: {name: www-web-0, namespace: default}
spec: {accessModes: [ReadWriteOnce], storageClassName: storage-local, resources: {requests: {storage: 200Mi}}}`;
const BOUND = { 'spec.volumeName': 'pv-1', status: { phase: 'Bound', capacity: { storage: '200Mi' } } };
const FIXED =
  'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for ' +
  'bound claims\n';

test('claims: what they need', () => {
  assert.deepEqual(refusals(persistentVolumeClaims, CLAIM), []);
  assert.deepEqual(created(persistentVolumeClaims, CLAIM).status, { phase: 'Pending' });
  assert.deepEqual(
    refusals(persistentVolumeClaims, CLAIM, {
      'spec.accessModes': ['ReadWriteOncePod', 'ReadWriteOnce', 'Any'],
      'spec.resources.requests.storage': '0',
      'spec.volumeMode': 'Tape',
    }),
    [
      'spec.accessModes: Unsupported value: "Any": supported values: "ReadOnlyMany", "ReadWriteMany", ' +
        '"ReadWriteOnce", "ReadWriteOncePod"',
      'spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes',
      'spec.resources[storage]: Invalid value: "0": must be greater than zero',
      'spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"',
    ],
  );
});

test('claims: a bound claim grows and does not shrink below its volume', () => {
  const size = (storage: string) => ({ 'spec.resources.requests.storage': storage });
  assert.deepEqual(updateRefusals(persistentVolumeClaims, CLAIM, size('1Gi'), BOUND), []);
  assert.deepEqual(updateRefusals(persistentVolumeClaims, CLAIM, size('100Mi'), BOUND), [
    'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
  ]);
  assert.deepEqual(updateRefusals(persistentVolumeClaims, CLAIM, size('1Gi')), [
    `${FIXED}- resources.requests.storage: "200Mi"\n+ resources.requests.storage: "1Gi"`,
  ]);
  assert.deepEqual(updateRefusals(persistentVolumeClaims, CLAIM, size('204800Ki')), []);
});

test('claims: what they are filled from stands in both fields', () => {
  const snapshot = { kind: 'VolumeSnapshot', name: 's', apiGroup: 'snapshot.storage.k8s.io' };
  for (const field of ['dataSource', 'dataSourceRef']) {
    const { spec } = created(persistentVolumeClaims, CLAIM, { [`spec.${field}`]: snapshot });
    assert.deepEqual([spec.dataSource, spec.dataSourceRef], [snapshot, snapshot]);
  }
  const odd = created(persistentVolumeClaims, CLAIM, { 'spec.dataSource': { ...snapshot, kind: 'Disk' } });
  assert.equal(odd.spec.dataSource, undefined);
  assert.deepEqual(
    refusals(persistentVolumeClaims, CLAIM, {
      'spec.dataSource': snapshot,
      'spec.dataSourceRef': { kind: 'Disk', name: 'd' },
    }),
    [
      'spec.dataSourceRef: Invalid value: "Disk": must be \'PersistentVolumeClaim\' when referencing the default apiGroup',
      'spec: Invalid value: "spec.dataSource": must match dataSourceRef',
    ],
  );
});

test('volumes: the drivers and secrets of CSI', () => {
  const csi = (source: object) => ({ 'spec.local': undefined, 'spec.csi': source });
  const secret = { name: 's', namespace: 'n' };
  assert.deepEqual(
    refusals(
      persistentVolumes,
      VOLUME,
      csi({ driver: 'a.b', volumeHandle: 'h', nodePublishSecretRef: secret }),
    ),
    [],
  );
  assert.deepEqual(
    refusals(persistentVolumes, VOLUME, csi({ driver: 'a.b', nodeExpandSecretRef: { name: 's' } })),
    ['spec.csi.volumeHandle: Required value', 'spec.csi.nodeExpandSecretRef.namespace: Required value'],
  );
  assert.deepEqual(refusals(persistentVolumes, VOLUME, { 'spec.hostPath': { path: '/a' } }), [
    'spec.local: Forbidden: may not specify more than 1 volume type',
  ]);
  const old = csi({ driver: 'a.b', volumeHandle: 'h' });
  const grown = { 'spec.csi.controllerExpandSecretRef': secret };
  assert.deepEqual(updateRefusals(persistentVolumes, VOLUME, grown, old), []);
  assert.deepEqual(updateRefusals(persistentVolumes, VOLUME, { 'spec.nodeAffinity': undefined }, old), [
    'nodeAffinity: Invalid value: null: field is immutable, except for updating from beta label to GA',
  ]);
});

test('claims: the binder names the volume once', () => {
  assert.deepEqual(updateRefusals(persistentVolumeClaims, CLAIM, { 'spec.volumeName': 'pv-1' }), []);
  assert.deepEqual(updateRefusals(persistentVolumeClaims, CLAIM, { 'spec.volumeName': 'pv-2' }, BOUND), [
    `${FIXED}- volumeName: "pv-1"\n+ volumeName: "pv-2"`,
  ]);
  assert.deepEqual(updateRefusals(persistentVolumeClaims, CLAIM, { 'spec.storageClassName': 'other' }), [
    `${FIXED}- storageClassName: "storage-local"\n+ storageClassName: "other"`,
  ]);
});

const VOLUME = `
metadata: {name: pv-1}
spec:
  capacity: {storage: 200Mi}
  accessModes: [ReadWriteOnce]
  local: {path: /data/pv-1}
  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [n]}]}]}}`;

test('volumes', () => {
  assert.deepEqual(refusals(persistentVolumes, VOLUME), []);
  assert.equal(created(persistentVolumes, VOLUME).status?.phase, 'Pending');
  assert.deepEqual(refusals(persistentVolumes, VOLUME, { 'spec.nodeAffinity': undefined }), [
    'spec.nodeAffinity: Required value: Local volume requires node affinity',
  ]);
  assert.deepEqual(refusals(persistentVolumes, VOLUME, { 'spec.local': undefined, 'spec.capacity': {} }), [
    'spec.capacity: Required value',
    'spec.capacity: Unsupported value: {}: supported values: "storage"',
    'spec: Required value: must specify a volume type',
  ]);
  assert.deepEqual(updateRefusals(persistentVolumes, VOLUME, { 'spec.local.path': '/x' }), [
    'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n' +
      '- local.path: "/data/pv-1"\n+ local.path: "/x"',
  ]);
  assert.deepEqual(
    updateRefusals(persistentVolumes, VOLUME, {
      'spec.claimRef': { namespace: 'default', name: 'www' },
      'spec.capacity.storage': '1Gi',
    }),
    [],
  );
});

test('storage classes', () => {
  const yaml = 'metadata: {name: fast}\nprovisioner: stead.dev/local\nparameters: {type: xfs}';
  assert.deepEqual(refusals(storageClasses, yaml), []);
  assert.deepEqual(refusals(storageClasses, yaml, { provisioner: '', volumeBindingMode: 'Late' }), [
    'provisioner: Required value',
    'volumeBindingMode: Unsupported value: "Late": supported values: "Immediate", "WaitForFirstConsumer"',
  ]);
  assert.deepEqual(
    updateRefusals(storageClasses, yaml, { provisioner: 'x.y/z', parameters: {}, reclaimPolicy: 'Retain' }),
    [
      'parameters: Forbidden: updates to parameters are forbidden.',
      'provisioner: Forbidden: updates to provisioner are forbidden.',
      'reclaimPolicy: Invalid value: "Retain": field is immutable',
    ],
  );
  assert.deepEqual(updateRefusals(storageClasses, yaml, { allowVolumeExpansion: true }), []);
});
