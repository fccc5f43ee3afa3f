// Every field that nothing here acts on is told of, or refused, when an object with it is written: the table of
// api/fields/ through a server.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { UNSUPPORTED } from '../api/fields/unsupported.ts';
import { allResources } from '../api/resources/all.ts';
import { schemaOf } from '../api/resources/schema.ts';
import type { FieldSchema } from '../api/schema/schema.ts';
import { pod, refusal, scheduled } from './test-objects.ts';
import { startTestServer, type TestServer } from './test-server.ts';

const served = schemaOf(allResources);

type Struct = Record<string, unknown>;

/** A write of an object that holds a struct of some type, and where in it. */
interface Home {
  plural: string;
  at: string;
  body: object;
}

const container = (parts: Struct): Struct => ({ name: 'c', image: 'i', ...parts });
const volumes = [
  { name: 'v', persistentVolumeClaim: { claimName: 'c' } },
  { name: 'e', emptyDir: {} },
];
const inPod = (at: string, spec: Struct): Home => ({
  plural: 'pods',
  at,
  body: pod('a', { containers: [container({})], volumes, ...spec }),
});
const inContainer = (at: string, parts: Struct): Home =>
  inPod(`spec.containers[0].${at}`, { containers: [container(parts)] });
const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
const volume = { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } };

/** Type → an object with a struct of it. */
const HOMES: Readonly<Record<string, (struct: Struct) => Home>> = {
  Container: (struct) => inContainer('', struct),
  EnvVarSource: (struct) => inContainer('env[0].valueFrom.', { env: [{ name: 'A', valueFrom: struct }] }),
  Lifecycle: (struct) =>
    inPod('spec.containers[0].lifecycle.', {
      os: { name: 'linux' },
      containers: [container({ lifecycle: struct })],
    }),
  PersistentVolumeClaimSpec: (struct) => ({
    plural: 'persistentvolumeclaims',
    at: 'spec.',
    body: { metadata: { name: 'a' }, spec: { ...claim, ...struct } },
  }),
  PersistentVolumeSpec: (struct) => ({
    plural: 'persistentvolumes',
    at: 'spec.',
    body: { metadata: { name: 'a' }, spec: { ...volume, ...struct } },
  }),
  PodSecurityContext: (struct) => inPod('spec.securityContext.', { securityContext: struct }),
  PodSpec: (struct) => inPod('spec.', struct),
  ResourceRequirements: (struct) => inContainer('resources.', { resources: struct }),
  SecurityContext: (struct) => inContainer('securityContext.', { securityContext: struct }),
  Volume: (struct) => inPod('spec.volumes[0].', { volumes: [{ name: 'x', ...struct }] }),
  VolumeMount: (struct) =>
    inContainer('volumeMounts[0].', { volumeMounts: [{ name: 'v', mountPath: '/v', ...struct }] }),
  VolumeProjection: (struct) =>
    inPod('spec.volumes[0].projected.sources[0].', {
      volumes: [{ name: 'x', projected: { sources: [struct] } }],
    }),
};

/** What a field is set to, and what must stand beside it, where the schema does not tell. */
const SAMPLES: Readonly<Record<string, Struct>> = {
  'Lifecycle.stopSignal': { stopSignal: 'SIGTERM' },
  ...onBoth('azureDisk', { diskName: 'a', diskURI: 'https://a.blob.core.windows.net/b/c.vhd' }),
  ...onBoth('csi', { driver: 'a.example.com', volumeHandle: 'a' }),
  'Volume.csi': { csi: { driver: 'a.example.com' } },
  ...onBoth('fc', { wwids: ['a'] }),
  ...onBoth('flocker', { datasetName: 'a' }),
  ...onBoth('iscsi', { targetPortal: 'a', iqn: 'iqn.2026-01.com.example:a', lun: 0 }),
  ...onBoth('nfs', { server: 'a', path: '/a' }),
  ...onBoth('quobyte', { registry: 'a:80', volume: 'a' }),
  ...onBoth('scaleIO', { gateway: 'a', system: 'a', secretRef: { name: 'a' }, volumeName: 'a' }),
  ...onBoth('storageos', { volumeName: 'a' }),
  'Container.volumeDevices': { volumeDevices: [{ name: 'v', devicePath: '/dev/a' }] },
  'EnvVarSource.fileKeyRef': { fileKeyRef: { volumeName: 'e', path: 'a', key: 'A' } },
  'PersistentVolumeSpec.volumeAttributesClassName': { csi: { driver: 'a.example.com', volumeHandle: 'a' } },
  'PodSpec.priorityClassName': { priorityClassName: 'system-node-critical' },
  'PodSecurityContext.seLinuxChangePolicy': { seLinuxChangePolicy: 'Recursive' },
  'VolumeMount.recursiveReadOnly': { readOnly: true },
  'VolumeProjection.clusterTrustBundle': { clusterTrustBundle: { name: 'a', path: 'a' } },
  'VolumeProjection.podCertificate': {
    podCertificate: { signerName: 'example.com/a', keyType: 'ED25519', keyPath: 'a' },
  },
};

/** A source that pods and PersistentVolumes have alike. */
function onBoth(source: string, value: Struct): Record<string, Struct> {
  return {
    [`Volume.${source}`]: { [source]: value },
    [`PersistentVolumeSpec.${source}`]: { [source]: value },
  };
}

/** A value that the schema allows. */
function sample(schema: FieldSchema): unknown {
  switch (schema.type) {
    case 'string':
      return 'a';
    case 'boolean':
      return true;
    case 'array':
      return [sample(schema.items)];
    case 'map':
      return { a: sample(schema.values) };
    case 'object': {
      const { required = [], properties } = served.type(schema.ref).declared;
      const fields = required.flatMap((field) => {
        const inner = properties[field];
        return inner ? [[field, sample(inner)] as const] : [];
      });
      return Object.fromEntries(fields);
    }
    default:
      return 1;
  }
}

let server: TestServer;
before(async () => {
  server = await startTestServer();
});

for (const [type, fields] of Object.entries(UNSUPPORTED)) {
  if (type === 'EphemeralContainer') continue;
  for (const [field, { instead, refused, values }] of Object.entries(fields)) {
    test(`${type}.${field} is ${refused ? 'refused' : 'warned of'}`, async () => {
      const schema = served.type(type).field(field);
      const home = HOMES[type];
      assert.ok(schema && home, `nothing is known of ${type}.${field}`);
      const struct = { [field]: values?.[0] ?? sample(schema), ...SAMPLES[`${type}.${field}`] };
      const { plural, at, body } = home(struct);
      const options = { dryRun: true };
      if (refused) {
        const { message = '' } = await refusal(server.handle('create', plural, { body, options }));
        assert.ok(message.includes(`${at}${field}: Forbidden: not supported by stead: ${instead}`), message);
        return;
      }
      const result = await server.handle('create', plural, { body, options });
      assert.ok(result.type === 'object');
      const told = result.warnings.filter((text) => text.includes('not supported by stead'));
      assert.ok(told.includes(`${at}${field}: not supported by stead: ${instead}`), told.join('\n'));
    });
  }
}

test('EphemeralContainer.volumeDevices is warned of', async () => {
  await scheduled(server, 'debugged', { volumes });
  const debug = container({ name: 'd', volumeDevices: [{ name: 'v', devicePath: '/dev/a' }] });
  const result = await server.handle('patch', 'pods', {
    name: 'debugged',
    subresource: 'ephemeralcontainers',
    patchType: 'strategic',
    body: { spec: { ephemeralContainers: [debug] } },
  });
  assert.ok(result.type === 'object');
  const { instead } = UNSUPPORTED.EphemeralContainer?.volumeDevices ?? {};
  assert.deepEqual(result.warnings, [
    `spec.ephemeralContainers[0].volumeDevices: not supported by stead: ${instead}`,
  ]);
});

test('what an object has already is not told again', async () => {
  const body = pod('told', { schedulingGroup: { podGroupName: 'a' } });
  const made = await server.handle('create', 'pods', { body });
  assert.ok(made.type === 'object' && made.warnings.length === 1);
  const labels = { metadata: { labels: { a: 'b' } } };
  const changed = await server.handle('patch', 'pods', { name: 'told', patchType: 'merge', body: labels });
  assert.ok(changed.type === 'object');
  assert.deepEqual(changed.warnings, []);
});

test('a template is told of as a pod is', async () => {
  const template = {
    metadata: { labels: { app: 'a' } },
    spec: { containers: [container({})], resourceClaims: [{ name: 'a', resourceClaimName: 'a' }] },
  };
  const spec = { serviceName: 'a', selector: { matchLabels: { app: 'a' } }, template };
  const { message } = await refusal(
    server.handle('create', 'statefulsets', { body: { metadata: { name: 'a' }, spec } }),
  );
  assert.match(message ?? '', /spec\.template\.spec\.resourceClaims: Forbidden: not supported by stead/);
});
