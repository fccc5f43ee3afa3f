// The official client for JavaScript against stead: typed calls, the four patches, lists in pages, watches, informers.
import assert from 'node:assert/strict';
import { PassThrough, Readable, Writable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import type {
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  V1ConfigMap,
  V1Pod,
  V1StatefulSet,
  V1Status,
} from '@kubernetes/client-node';
import { loadClient } from '../kit/client-node.ts';
import { startSimulated } from '../kit/simulated-stead.ts';
import { eventually, NGINX_MANIFEST, noContainers, TestStead } from '../kit/stead.ts';

const client = await loadClient();
const { PatchStrategy } = client;
const namespace = 'default';

function configOf(stead: TestStead): KubeConfig {
  const config = new client.KubeConfig();
  config.loadFromFile(stead.kubeconfig);
  return config;
}

function setOf(name: string, replicas: number): V1StatefulSet {
  return {
    metadata: { name, labels: { app: name } },
    spec: {
      serviceName: name,
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'main', image: 'main:1', ports: [{ containerPort: 80 }] }] },
      },
    },
  };
}

/** What the client rejects with. */
async function refusal(call: Promise<unknown>): Promise<{ code: number; body: V1Status }> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof client.ApiException, String(error));
    return { code: error.code, body: JSON.parse(error.body) };
  }
  return assert.fail('it was not refused');
}

describe('@kubernetes/client-node', () => {
  let stead: TestStead;
  let config: KubeConfig;
  let core: CoreV1Api;
  let apps: AppsV1Api;

  before(async () => {
    stead = await startSimulated();
    config = configOf(stead);
    core = config.makeApiClient(client.CoreV1Api);
    apps = config.makeApiClient(client.AppsV1Api);
  });
  after(() => stead?.purge());

  const replicasReady = async (name: string): Promise<number> =>
    (await apps.readNamespacedStatefulSetStatus({ name, namespace })).status?.readyReplicas ?? 0;

  it('creates, reads with real types, scales, deletes', async () => {
    const created = await apps.createNamespacedStatefulSet({ namespace, body: setOf('typed', 2) });
    assert.ok(created.metadata?.creationTimestamp instanceof Date);
    assert.equal(created.spec?.updateStrategy?.type, 'RollingUpdate');
    await eventually(
      'two replicas',
      () => replicasReady('typed'),
      (ready) => ready === 2,
    );

    const scale = await apps.readNamespacedStatefulSetScale({ name: 'typed', namespace });
    assert.equal(scale.status?.selector, 'app=typed');
    const one = { metadata: { name: 'typed', namespace }, spec: { replicas: 1 } };
    await apps.replaceNamespacedStatefulSetScale({ name: 'typed', namespace, body: one });
    await eventually(
      'one pod',
      async () => (await core.listNamespacedPod({ namespace, labelSelector: 'app=typed' })).items.length,
      (pods) => pods === 1,
    );
    const deleted = await apps.deleteNamespacedStatefulSet({ name: 'typed', namespace });
    assert.equal(deleted.status, 'Success');
    const gone = await refusal(apps.readNamespacedStatefulSet({ name: 'typed', namespace }));
    assert.deepEqual([gone.code, gone.body.message], [404, 'statefulsets.apps "typed" not found']);
  });

  it('updates what it has read, and is refused what has changed since', async () => {
    const name = 'contended';
    const body: V1ConfigMap = { metadata: { name }, data: { turn: '1' } };
    const read = await core.createNamespacedConfigMap({ namespace, body });
    const changed = { ...read, data: { turn: '2' } };
    await core.replaceNamespacedConfigMap({ name, namespace, body: changed });
    const { code, body: status } = await refusal(
      core.replaceNamespacedConfigMap({ name, namespace, body: changed }),
    );
    assert.deepEqual([code, status.reason], [409, 'Conflict']);
    assert.match(status.message ?? '', /the object has been modified; please apply your changes/);
  });

  it('says what is invalid', async () => {
    const body = setOf('Wrong_Name', -1);
    const { code, body: status } = await refusal(apps.createNamespacedStatefulSet({ namespace, body }));
    assert.equal(code, 422);
    const fields = status.details?.causes?.map(({ field }) => field);
    assert.ok(fields?.includes('metadata.name') && fields.includes('spec.replicas'), JSON.stringify(fields));
  });

  it('patches in all four ways', async () => {
    await apps.createNamespacedStatefulSet({ namespace, body: setOf('patched', 0) });
    const patch = (strategy: string, body: object, more: object = {}): Promise<V1StatefulSet> =>
      apps.patchNamespacedStatefulSet(
        { name: 'patched', namespace, body, ...more },
        client.setHeaderOptions('Content-Type', strategy),
      );
    const containers = (set: V1StatefulSet): string[] | undefined =>
      set.spec?.template.spec?.containers.map(({ name, image }) => `${name}=${image}`);

    const json = await patch(PatchStrategy.JsonPatch, [
      { op: 'test', path: '/spec/replicas', value: 0 },
      { op: 'add', path: '/metadata/labels/by', value: 'json' },
    ]);
    assert.deepEqual(json.metadata?.labels, { app: 'patched', by: 'json' });
    const merge = await patch(PatchStrategy.MergePatch, { metadata: { labels: { by: null } } });
    assert.deepEqual(merge.metadata?.labels, { app: 'patched' });
    const sidecar = { spec: { template: { spec: { containers: [{ name: 'side', image: 'side:1' }] } } } };
    const strategic = await patch(PatchStrategy.StrategicMergePatch, sidecar);
    assert.deepEqual(containers(strategic)?.sort(), ['main=main:1', 'side=side:1']);

    const intent = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'patched' },
      spec: { template: { spec: { containers: [{ name: 'main', image: 'main:2' }] } } },
    };
    const conflict = await refusal(patch(PatchStrategy.ServerSideApply, intent, { fieldManager: 'team' }));
    assert.equal(conflict.code, 409);
    assert.match(conflict.body.message ?? '', /Apply failed with 1 conflict/);
    const options = { fieldManager: 'team', force: true };
    const applied = await patch(PatchStrategy.ServerSideApply, intent, options);
    assert.deepEqual(containers(applied)?.sort(), ['main=main:2', 'side=side:1']);
    const managed = applied.metadata?.managedFields?.find(({ manager }) => manager === 'team');
    assert.equal(managed?.operation, 'Apply');
  });

  it('lists in pages, all of one revision', async () => {
    for (let index = 0; index < 5; index++) {
      const body: V1ConfigMap = { metadata: { name: `page-${index}`, labels: { paged: 'yes' } } };
      await core.createNamespacedConfigMap({ namespace, body });
    }
    const names: Array<string | undefined> = [];
    const revisions = new Set<string | undefined>();
    let _continue: string | undefined;
    do {
      const page = await core.listNamespacedConfigMap({
        namespace,
        labelSelector: 'paged=yes',
        limit: 2,
        ...(_continue && { _continue }),
      });
      names.push(...page.items.map(({ metadata }) => metadata?.name));
      revisions.add(page.metadata?.resourceVersion);
      _continue = page.metadata?._continue;
      if (_continue) await core.deleteNamespacedConfigMap({ name: 'page-4', namespace }).catch(() => {});
    } while (_continue);
    assert.deepEqual(names, ['page-0', 'page-1', 'page-2', 'page-3', 'page-4']);
    assert.equal(revisions.size, 1);
  });

  it('watches from a revision on', async () => {
    const { metadata } = await core.listNamespacedConfigMap({ namespace });
    const seen: string[] = [];
    const watch = new client.Watch(config);
    let ended = false;
    const controller = await watch.watch(
      `/api/v1/namespaces/${namespace}/configmaps`,
      { resourceVersion: metadata?.resourceVersion, fieldSelector: 'metadata.name=watched' },
      (phase: string, object: V1ConfigMap) => seen.push(`${phase} ${object.data?.step}`),
      () => {
        ended = true;
      },
    );
    const body: V1ConfigMap = { metadata: { name: 'watched' }, data: { step: '1' } };
    await core.createNamespacedConfigMap({ namespace, body });
    await core.replaceNamespacedConfigMap({
      name: 'watched',
      namespace,
      body: { ...body, data: { step: '2' } },
    });
    await core.deleteNamespacedConfigMap({ name: 'watched', namespace });
    await eventually(
      'three events',
      async () => seen,
      (events) => events.length === 3,
    );
    assert.deepEqual(seen, ['ADDED 1', 'MODIFIED 2', 'DELETED 2']);
    controller.abort();
    await eventually(
      'the watch ends',
      async () => ended,
      (over) => over,
    );
  });

  it('keeps an informer in step with a set', async () => {
    const list = () => core.listNamespacedPod({ namespace, labelSelector: 'app=informed' });
    const informer = client.makeInformer<V1Pod>(
      config,
      `/api/v1/namespaces/${namespace}/pods`,
      list,
      'app=informed',
    );
    const events: string[] = [];
    informer.on('add', ({ metadata }) => events.push(`add ${metadata?.name}`));
    informer.on('delete', ({ metadata }) => events.push(`delete ${metadata?.name}`));
    await informer.start();
    try {
      await apps.createNamespacedStatefulSet({ namespace, body: setOf('informed', 3) });
      const known = async (): Promise<string[]> =>
        informer.list(namespace).map(({ metadata, status }) => `${metadata?.name} ${status?.phase}`);
      await eventually(
        'three pods run',
        known,
        (pods) => pods.filter((pod) => / Running$/.test(pod)).length === 3,
      );
      await core.deleteNamespacedPod({ name: 'informed-2', namespace });
      await eventually(
        'the pod is made anew',
        async () => events,
        (seen) => seen.filter((event) => event === 'add informed-2').length === 2,
      );
      assert.deepEqual(events, [
        'add informed-0',
        'add informed-1',
        'add informed-2',
        'delete informed-2',
        'add informed-2',
      ]);
    } finally {
      await informer.stop();
    }
  });

  it('handles objects of any kind', async () => {
    const objects = client.KubernetesObjectApi.makeApiClient(config);
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'generic', namespace },
      stringData: { key: 'value' },
    };
    await objects.create(secret);
    const read = await objects.read<typeof secret & { data: Record<string, string> }>(secret);
    assert.equal(read.data.key, 'dmFsdWU=');
    await objects.delete(secret);
  });

  it('learns what it may do and what is served', async () => {
    const authorization = config.makeApiClient(client.AuthorizationV1Api);
    const review = await authorization.createSelfSubjectAccessReview({
      body: { spec: { resourceAttributes: { verb: 'create', group: 'apps', resource: 'statefulsets' } } },
    });
    assert.equal(review.status?.allowed, true);
    const { resources } = await apps.getAPIResources();
    assert.ok(resources.some(({ name }) => name === 'statefulsets/scale'));
    const version = await config.makeApiClient(client.VersionApi).getCode();
    assert.match(version.gitVersion, /^v1\.\d+\.\d+\+stead$/);
  });
});

/** Collects what is written. */
class Text extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk;
    done();
  }
}

describe('@kubernetes/client-node and real containers', { skip: noContainers }, () => {
  let stead: TestStead;

  before(async () => {
    stead = await TestStead.start('nginx-slim');
    await stead.kubectl('apply', '-f', NGINX_MANIFEST);
    await stead.ready('web', 2);
  });
  after(() => stead?.purge());

  it('runs commands over a WebSocket, with input and with their status', async () => {
    const exec = new client.Exec(configOf(stead));
    const run = async (command: string[], input: string | null): Promise<[string, string, V1Status]> => {
      const [stdout, stderr] = [new Text(), new Text()];
      const stdin = input === null ? null : Readable.from([input]);
      const status = await new Promise<V1Status>((resolve, reject) => {
        exec.exec(namespace, 'web-0', 'nginx', command, stdout, stderr, stdin, false, resolve).catch(reject);
      });
      return [stdout.text, stderr.text, status];
    };
    const [host, , ended] = await run(['hostname'], null);
    assert.deepEqual([host, ended.status], ['web-0\n', 'Success']);
    const [line] = await run(['sh', '-c', 'read line; echo "got $line"'], 'something\n');
    assert.equal(line, 'got something\n');
    const [, complaint, failed] = await run(['sh', '-c', 'echo no >&2; exit 7'], null);
    assert.equal(complaint, 'no\n');
    assert.equal(failed.status, 'Failure');
    assert.equal(failed.details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message, '7');
  });

  it('forwards a port, and is told when nothing listens', async () => {
    const forward = new client.PortForward(configOf(stead));
    const through = async (port: number): Promise<[string, string]> => {
      const [output, errors] = [new Text(), new Text()];
      const request = 'GET / HTTP/1.0\r\nHost: web-0\r\nConnection: close\r\n\r\n';
      // The client hangs up when its input ends.
      const input = new PassThrough();
      input.write(request);
      const socket = await forward.portForward(namespace, 'web-0', [port], output, errors, input);
      if (!('once' in socket)) throw new Error('there is no connection');
      await new Promise((resolve) => socket.once('close', resolve));
      return [output.text, errors.text];
    };
    assert.match((await through(80))[0], /^HTTP\/1\.1 \d+ [\s\S]*Server: nginx/);
    assert.match((await through(81))[1], /error forwarding port 81 to the pod/);
  });

  it('attaches to what runs', async () => {
    const attach = new client.Attach(configOf(stead));
    const output = new Text();
    const socket = await attach.attach(namespace, 'web-0', 'nginx', output, new Text(), null, false);
    await eventually(
      'a line comes',
      async () => {
        await stead.exec('web-0', 'sh', '-c', 'echo attached > /proc/1/fd/1');
        return output.text;
      },
      (text) => text.includes('attached'),
    );
    socket.close();
  });

  it('reads logs', async () => {
    const core = configOf(stead).makeApiClient(client.CoreV1Api);
    await stead.exec('web-0', 'sh', '-c', 'echo written > /proc/1/fd/1');
    const log = await eventually(
      'the line is in the log',
      () => core.readNamespacedPodLog({ name: 'web-0', namespace, tailLines: 5 }),
      (text) => text.includes('written'),
    );
    assert.match(log, /^written$/m);
  });
});
