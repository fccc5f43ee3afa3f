// The door that every write comes through: plug-ins are shown what the ones before them made of it, change nothing in
// place, and hear how it ended.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forbidden, StatusError } from '../../api/errors.ts';
import type { ConfigMap, Node, PersistentVolumeClaim, Pod, Service } from '../../api/generated/types.ts';
import type { KubeObject, Stored } from '../../api/objects.ts';
import { allResources } from '../../api/resources/all.ts';
import { deepFreeze } from '../../base/deep-freeze.ts';
import { silentLog } from '../../base/log.ts';
import { Registry } from '../registry.ts';
import { pod } from '../test-objects.ts';
import { startTestServer, type TestServer } from '../test-server.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';
import { Pipeline } from './pipeline.ts';
import { admissionPlugins } from './plugins.ts';

/** A pipeline of its own on a test server's store. */
async function startPipeline(
  plugins: readonly AdmissionPlugin[],
): Promise<{ server: TestServer; pipeline: Pipeline }> {
  const server = await startTestServer();
  const { store, clock } = server;
  const random = { next: () => 0.5, uuid: () => 'u' };
  const registry = new Registry({ store, clock, random, log: silentLog, resources: allResources });
  return { server, pipeline: new Pipeline(registry, plugins) };
}

/** A request that writes an object, which nobody can change in place. */
function asked(server: TestServer, plural: string, object: KubeObject, old?: Stored): AdmissionRequest {
  const resource = server.resource(plural);
  const { name = '' } = object.metadata;
  return {
    operation: old ? 'UPDATE' : 'CREATE',
    resource,
    subresource: undefined,
    key: resource.namespaced ? { namespace: 'default', name } : { name },
    object: deepFreeze(structuredClone(object)),
    old,
    user: { name: 'test', groups: [] },
    dryRun: false,
  };
}

const labelled = (label: string): AdmissionPlugin => ({
  name: label,
  admit: ({ object }) => ({
    ...object,
    metadata: { ...object.metadata, labels: { ...object.metadata.labels, [label]: 'yes' } },
  }),
});
const map: ConfigMap = { metadata: { name: 'a' } };

test('a plug-in is shown what the one before it made, and validation what is about to be written', async () => {
  const seen: string[] = [];
  const watcher: AdmissionPlugin = {
    name: 'watcher',
    admit({ object }) {
      seen.push(`admit ${Object.keys(object.metadata.labels ?? {})}`);
      return object;
    },
    validate({ object }) {
      seen.push(`validate ${Object.keys(object.metadata.labels ?? {})}`);
    },
  };
  const { server, pipeline } = await startPipeline([labelled('one'), watcher, labelled('two')]);
  const request = asked(server, 'configmaps', map);
  await pipeline.admitted(request, [], async ({ object, validate }) => {
    const labels = { ...object.metadata.labels, three: 'yes' };
    await validate({ ...object, metadata: { ...object.metadata, labels } });
  });
  assert.deepEqual(seen, ['admit one', 'validate one,two,three']);
  assert.deepEqual(request.object, map);
});

test('who reserved something hears once how the write ended, whatever else goes wrong', async () => {
  const ends: boolean[] = [];
  const reserving: AdmissionPlugin = {
    name: 'reserving',
    admit({ object }, { afterwards }) {
      afterwards(() => {
        throw new Error('cannot give it back');
      });
      afterwards((written) => void ends.push(written));
      return object;
    },
  };
  const { server, pipeline } = await startPipeline([reserving]);
  const request = asked(server, 'configmaps', map);
  await pipeline.admitted(request, [], async (write) => {
    write.written = true;
  });
  await pipeline.admitted({ ...request, dryRun: true }, [], async (write) => {
    write.written = true;
  });
  const failing = pipeline.admitted(request, [], async () => {
    throw new Error('no');
  });
  await assert.rejects(failing, /^Error: no$/);
  assert.deepEqual(ends, [true, false, false]);
});

test('a refusal carries what the client is told anyway, and what plug-ins said before it', async () => {
  const refusing: AdmissionPlugin = {
    name: 'refusing',
    admit({ resource, key }, { warn }) {
      warn('said');
      throw forbidden(resource, key.name, 'no');
    },
  };
  const { server, pipeline } = await startPipeline([refusing]);
  const refused = pipeline.admitted(asked(server, 'configmaps', map), ['told'], async () => {
    assert.fail('nobody lets it in');
  });
  await assert.rejects(refused, (error: unknown) => {
    assert.ok(error instanceof StatusError);
    assert.deepEqual([error.code, error.warnings], [403, ['told', 'said']]);
    return true;
  });
});

test('no plug-in changes what it is given; and what none changes is the very same object', async () => {
  const frozen = admissionPlugins('10.96.0.0/16').map(({ admit, ...plugin }): AdmissionPlugin => {
    if (!admit) return plugin;
    return {
      ...plugin,
      admit: async (request, context) =>
        deepFreeze(await admit({ ...request, object: deepFreeze(request.object) }, context)),
    };
  });
  const { server, pipeline } = await startPipeline(frozen);
  const given: Record<string, object> = {
    limitranges: {
      metadata: { name: 'range' },
      spec: { limits: [{ type: 'Container', default: { cpu: '1' }, defaultRequest: { cpu: '1' } }] },
    },
    nodes: { metadata: { name: 'n', labels: { 'topology.kubernetes.io/zone': 'z' } } },
    runtimeclasses: {
      metadata: { name: 'sandboxed' },
      handler: 'h',
      overhead: { podFixed: { cpu: '1' } },
      scheduling: { nodeSelector: { a: 'b' }, tolerations: [{ key: 'k', operator: 'Exists' }] },
    },
    priorityclasses: { metadata: { name: 'usual' }, value: 7, globalDefault: true },
    storageclasses: {
      metadata: { name: 'local', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'example.com/local',
    },
    services: { metadata: { name: 'there' }, spec: { type: 'NodePort', ports: [{ port: 80 }] } },
  };
  for (const [plural, body] of Object.entries(given)) await server.handle('create', plural, { body });
  const account = { metadata: { name: 'default' }, imagePullSecrets: [{ name: 's' }] };
  await server.handle('update', 'serviceaccounts', { name: 'default', body: account });
  const admitted = <T extends KubeObject>(plural: string, object: T, old?: Stored): Promise<T> =>
    pipeline.admitted(asked(server, plural, object, old), [], async (write) => write.object as T);
  /** What is let in, and let in again as it is. */
  const twice = async <T extends KubeObject>(plural: string, object: T, old?: Stored): Promise<T> => {
    const once = await admitted(plural, object, old);
    assert.notDeepEqual(once, object);
    const request = asked(server, plural, once, old);
    assert.equal(await pipeline.admitted(request, [], async (write) => write.object), request.object);
    return once;
  };
  const body = pod('p', { nodeName: 'n' }) as Pod;
  const { spec, metadata } = await twice('pods', body);
  assert.deepEqual(
    [spec.serviceAccountName, spec.priority, spec.priorityClassName, spec.tolerations?.length],
    ['default', 7, 'usual', 2],
  );
  assert.deepEqual(spec.imagePullSecrets, [{ name: 's' }]);
  assert.equal(spec.containers[0]?.volumeMounts?.[0]?.name, spec.volumes?.[0]?.name);
  assert.deepEqual(spec.containers[0]?.resources?.limits, { cpu: '1' });
  assert.equal(metadata.labels?.['topology.kubernetes.io/zone'], 'z');
  const sandboxed = await admitted('pods', pod('q', { runtimeClassName: 'sandboxed' }) as Pod);
  assert.deepEqual([sandboxed.spec.overhead, sandboxed.spec.nodeSelector], [{ cpu: '1' }, { a: 'b' }]);
  assert.equal(sandboxed.spec.tolerations?.length, 3);
  const claim: PersistentVolumeClaim = { metadata: { name: 'c' }, spec: { accessModes: ['ReadWriteOnce'] } };
  assert.equal((await twice('persistentvolumeclaims', claim)).spec.storageClassName, 'local');
  const node: Node = { metadata: { name: 'new' }, spec: {} };
  assert.equal((await twice('nodes', node)).spec.taints?.length, 1);
  const there = await server.object<Service>('get', 'services', { name: 'there' });
  const ports = [{ port: 80, protocol: 'TCP' }];
  const service: Service = { metadata: { name: 'there' }, spec: { type: 'NodePort', ports } };
  const changed = await twice('services', service, there);
  assert.deepEqual(changed.spec.ports?.[0]?.nodePort, there.spec.ports?.[0]?.nodePort);
  const request = asked(server, 'configmaps', map);
  assert.equal(await pipeline.admitted(request, [], async (write) => write.object), request.object);
});
