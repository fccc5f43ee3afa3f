// Volumes of pods and their sources.
import assert from 'node:assert/strict';
import test from 'node:test';
import { refusals } from '../../../validation/test-manifests.ts';
import { pods } from '../definition.ts';

const POD = `
metadata: {name: web-0, namespace: default}
spec: {serviceAccountName: default, containers: [{name: a, image: 'a:1'}]}`;
const V = 'spec.volumes[0]';
const said = (...volumes: object[]): string =>
  refusals(pods, POD, { 'spec.volumes': volumes.map((volume, i) => ({ name: `v${i}`, ...volume })) }).join(
    '; ',
  );

const ISCSI = { targetPortal: 'p:1', iqn: 'iqn.2001-04.com.example:storage', lun: 0 };
const AZURE = { diskName: 'd', diskURI: 'https://x.blob.core.windows.net/a/b.vhd' };
const CLAIM = { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } };
const token = { serviceAccountToken: { path: 'token' } };

const accepted: readonly object[] = [
  {},
  { image: { reference: 'a:1' } },
  { ephemeral: { volumeClaimTemplate: { ...CLAIM, metadata: { labels: { a: 'b' } } } } },
  { csi: { driver: 'Example.com', nodePublishSecretRef: { name: 's' } } },
  { iscsi: ISCSI },
  { fc: { targetWWNs: ['a'], lun: 1 } },
  { azureDisk: AZURE },
  { quobyte: { registry: 'a:1,[::1]:2', volume: 'v' } },
  { gitRepo: { repository: 'https://example.com/a.git', directory: 'a' } },
  { projected: { sources: [token, { configMap: { name: 'a', items: [{ key: 'k', path: 'x' }] } }] } },
  { projected: { sources: [{ clusterTrustBundle: { signerName: 'example.com/s', path: 'ca.pem' } }] } },
  {
    projected: {
      sources: [
        { podCertificate: { signerName: 'example.com/s', keyType: 'ED25519', credentialBundlePath: 'c' } },
      ],
    },
  },
];
for (const volume of accepted) {
  test(`accepted: ${JSON.stringify(volume)}`, () => assert.equal(said(volume), ''));
}

const refused: readonly [object, string][] = [
  [{ hostPath: { path: '/a/../b' } }, `${V}.hostPath.path: Invalid value: "/a/../b": must not contain '..'`],
  [{ nfs: { server: 's', path: 'a' } }, `${V}.nfs.path: Invalid value: "a": must be an absolute path`],
  [{ gcePersistentDisk: { pdName: '' } }, `${V}.persistentDisk.pdName: Required value`],
  [
    { awsElasticBlockStore: { volumeID: 'v', partition: 256 } },
    `${V}.awsElasticBlockStore.partition: Invalid value: 256: must be between 1 and 255, inclusive`,
  ],
  [
    { iscsi: { ...ISCSI, iqn: 'abc', lun: 256 } },
    `${V}.iscsi.iqn: Invalid value: "abc": must be valid format starting with iqn, eui, or naa; ` +
      `${V}.iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive`,
  ],
  [
    { iscsi: { ...ISCSI, initiatorName: ISCSI.iqn, targetPortal: 'p'.repeat(70) } },
    `${V}.name: Invalid value: "v0": Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if ` +
      'iscsi.initiatorName is specified.',
  ],
  [{ fc: {} }, `${V}.fc.targetWWNs: Required value: must specify either targetWWNs or wwids, but not both`],
  [{ flocker: {} }, `${V}.flocker: Required value: one of datasetName and datasetUUID is required`],
  [
    { quobyte: { registry: 'a', volume: 'v' } },
    `${V}.quobyte.registry: Invalid value: "a": must be a host:port pair or multiple pairs separated by commas`,
  ],
  [
    { flexVolume: { driver: 'd', options: { 'a.k8s.io/b': 'c' } } },
    `${V}.flexVolume.options[a.k8s.io/b]: Invalid value: "a.k8s.io/b": kubernetes.io and k8s.io namespaces are reserved`,
  ],
  [
    { azureDisk: { ...AZURE, cachingMode: 'Some' } },
    `${V}.azureDisk.cachingMode: Unsupported value: "Some": supported values: "None", "ReadOnly", "ReadWrite"`,
  ],
  [{ rbd: { monitors: [], image: 'i' } }, `${V}.rbd.monitors: Required value`],
  [{ image: {} }, `${V}.image.reference: Required value`],
  [
    { ephemeral: { volumeClaimTemplate: { ...CLAIM, metadata: { name: 'n' } } } },
    `${V}.ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set`,
  ],
  [
    { secret: { secretName: 's', defaultMode: 512, items: [{ key: 'k', path: '/a' }] } },
    `${V}.secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive; ` +
      `${V}.secret.items[0].path: Invalid value: "/a": must be a relative path`,
  ],
  [
    { projected: { sources: [{ secret: { name: 's' }, configMap: { name: 'c' } }] } },
    `${V}.projected.sources[0]: Forbidden: may not specify more than 1 volume type per source`,
  ],
  [
    {
      projected: {
        sources: [
          { secret: { name: 's', items: [{ key: 'k', path: 'x' }] } },
          { downwardAPI: { items: [{ path: 'x', fieldRef: { fieldPath: 'metadata.name' } }] } },
        ],
      },
    },
    `${V}.projected: Invalid value: "x": conflicting duplicate paths`,
  ],
  [
    { projected: { sources: [{ clusterTrustBundle: { path: 'a' } }] } },
    `${V}.projected.sources[0].clusterTrustBundle: Required value: either name or signerName must be specified`,
  ],
  [
    { downwardAPI: { items: [{ path: 'a', fieldRef: { fieldPath: 'status.podIP' } }] } },
    `${V}.downwardAPI.fieldRef.fieldPath: Unsupported value: "status.podIP": supported values: ` +
      '"metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"',
  ],
];
for (const [volume, expected] of refused) {
  test(`refused: ${JSON.stringify(volume).slice(0, 80)}`, () => assert.equal(said(volume), expected));
}

test('a claim that the pod makes for itself cannot be named by another of its volumes', () => {
  assert.equal(
    said({ ephemeral: { volumeClaimTemplate: CLAIM } }, { persistentVolumeClaim: { claimName: 'web-0-v0' } }),
    'spec.volumes[1].persistentVolumeClaim.claimName: Invalid value: "web-0-v0": must not reference a PVC that gets ' +
      'created for an ephemeral volume',
  );
});
