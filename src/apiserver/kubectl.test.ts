// Drives the server over HTTPS with the kubectl of this machine.
import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { allResources } from '../api/resources/all.ts';
import type { Clock, Random } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { openMemoryStore } from '../store/memory.ts';
import { authorizeMasters } from './authz/authorize.ts';
import { type HttpsServer, serveHttps } from './http/port/serve-https.ts';
import { createApiServer, type RunningApiServer } from './server.ts';
import { makeTestCertificates } from './test-certificates.ts';

const MANIFEST = `apiVersion: v1
kind: Service
metadata:
  name: nginx
  labels:
    app: nginx
spec:
  ports:
  - port: 80
    name: web
  clusterIP: None
  selector:
    app: nginx
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: web
spec:
  serviceName: "nginx"
  replicas: 2
  selector:
    matchLabels:
      app: nginx
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
      - name: nginx
        image: k8s.gcr.io/nginx-slim:0.8
        ports:
        - containerPort: 80
          name: web
        volumeMounts:
        - name: www
          mountPath: /usr/share/nginx/html
  volumeClaimTemplates:
  - metadata:
      name: www
    spec:
      storageClassName: storage-local
      accessModes:
        - ReadWriteOnce
      resources:
        requests:
          storage: 200Mi
`;

const skip =
  spawnSync('kubectl', ['version', '--client']).status === 0 ? false : 'there is no kubectl on the PATH';

const clock: Clock = {
  now: () => Date.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};
const random: Random = { next: () => Math.random(), uuid: () => crypto.randomUUID() };

interface Output {
  code: number;
  out: string;
  err: string;
}

let directory = '';
let server: HttpsServer;
let api: RunningApiServer;

function kubectl(...args: string[]): Promise<Output> {
  const all = [
    '--kubeconfig',
    join(directory, 'kubeconfig'),
    '--cache-dir',
    join(directory, 'cache'),
    ...args,
  ];
  return new Promise((resolve) => {
    execFile('kubectl', all, { timeout: 30_000 }, (error, out, err) => {
      resolve({ code: error ? Number(error.code ?? 1) : 0, out, err });
    });
  });
}

/** Runs kubectl, which must succeed; its output. */
async function ok(...args: string[]): Promise<string> {
  const { code, out, err } = await kubectl(...args);
  assert.equal(code, 0, `kubectl ${args.join(' ')}: ${err}${out}`);
  return out;
}

const configMap = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data: { x: '1' },
});

async function applied(object: object): Promise<void> {
  await writeFile(join(directory, 'object.json'), JSON.stringify(object));
  await ok('apply', '-f', join(directory, 'object.json'));
}

before(async () => {
  if (skip) return;
  directory = await mkdtemp(join(tmpdir(), 'apiserver-test-'));
  const certificates = await makeTestCertificates();
  const admin = await certificates.client('admin', 'system:masters');
  api = createApiServer({
    store: openMemoryStore(),
    clock,
    random,
    log: silentLog,
    resources: allResources,
    serviceCidr: '10.96.0.0/16',
  });
  server = await serveHttps({
    api,
    tls: { ...certificates.server, ca: certificates.ca },
    host: '127.0.0.1',
    port: 0,
    authenticateToken: (token) => (token === 'alice-token' ? { name: 'alice', groups: [] } : undefined),
    authorize: authorizeMasters,
    log: silentLog,
    clock,
    health: [],
  });
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const cluster = {
    server: `https://127.0.0.1:${server.port}`,
    'certificate-authority-data': base64(certificates.ca),
  };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster }],
    users: [
      {
        name: 'admin',
        user: { 'client-certificate-data': base64(admin.cert), 'client-key-data': base64(admin.key) },
      },
      { name: 'alice', user: { token: 'alice-token' } },
      { name: 'nobody', user: { token: 'wrong' } },
    ],
    contexts: ['admin', 'alice', 'nobody'].map((user) => ({
      name: user,
      context: { cluster: 'test', user },
    })),
    'current-context': 'admin',
  };
  await writeFile(join(directory, 'kubeconfig'), JSON.stringify(config));
  await writeFile(join(directory, 'nginx.yaml'), MANIFEST);
  await applied({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } });
  await applied({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } });
});

after(async () => {
  if (skip) return;
  await server.close();
  api.stop();
  await rm(directory, { recursive: true, force: true });
});

test('apply creates, and applied again changes nothing', { skip }, async () => {
  const file = join(directory, 'nginx.yaml');
  const first = await ok('apply', '-f', file);
  assert.equal(first, 'service/nginx created\nstatefulset.apps/web created\n');
  const version = await ok('get', 'sts', 'web', '-o', 'jsonpath={.metadata.resourceVersion}');
  const again = await ok('apply', '-f', file);
  assert.match(again, /^service\/nginx unchanged\n/);
  // kubectl sends the claim templates again, because the stored ones have defaults; the server writes nothing.
  assert.equal(await ok('get', 'sts', 'web', '-o', 'jsonpath={.metadata.resourceVersion}'), version);
  assert.equal(await ok('diff', '-f', file), '');
});

test('get prints tables, wide ones, YAML, names and paths', { skip }, async () => {
  assert.match(await ok('get', 'sts'), /^NAME +READY +AGE\nweb +0\/2 +\d+s\n$/);
  assert.match(await ok('get', 'sts,svc', '-o', 'wide'), /CONTAINERS +IMAGES\nstatefulset.apps\/web/);
  assert.match(await ok('get', 'all'), /service\/nginx +ClusterIP +None +<none> +80\/TCP/);
  assert.match(await ok('get', 'sts', 'web', '-o', 'yaml'), /podManagementPolicy: OrderedReady/);
  assert.equal(await ok('get', 'sts', '-o', 'name'), 'statefulset.apps/web\n');
  assert.equal(await ok('get', 'sts', 'web', '-o', 'jsonpath={.spec.replicas}'), '2');
  const missing = await kubectl('get', 'pod', 'nope');
  assert.equal(missing.err, 'Error from server (NotFound): pods "nope" not found\n');
  assert.equal((await kubectl('get', 'pods')).err, 'No resources found in default namespace.\n');
  assert.match(await ok('get', 'sts', '-A', '--show-labels'), /NAMESPACE/);
});

test('describe, explain, api-resources, version and raw paths work', { skip }, async () => {
  assert.match(await ok('describe', 'sts', 'web'), /Replicas: +2 desired \| 0 total/);
  assert.match(await ok('describe', 'svc', 'nginx'), /Selector: +app=nginx/);
  assert.match(await ok('api-resources'), /statefulsets +sts +apps\/v1 +true +StatefulSet/);
  assert.match(await ok('version'), /Server Version: v1\.36\.0\+stead/);
  assert.equal(await ok('get', '--raw', '/readyz'), 'ok');
  assert.match(await ok('explain', 'statefulset.spec.serviceName'), /serviceName <string>/);
});

test('scale, patches, label, annotate, set image and edit change the object', { skip }, async () => {
  assert.equal(await ok('scale', 'sts/web', '--replicas=3'), 'statefulset.apps/web scaled\n');
  const replicas = ['get', 'sts', 'web', '-o', 'jsonpath={.spec.replicas}'];
  assert.equal(await ok(...replicas), '3');
  for (const [type, body] of [
    ['merge', '{"spec":{"replicas":4}}'],
    ['strategic', '{"spec":{"replicas":5}}'],
    ['json', '[{"op":"replace","path":"/spec/replicas","value":6}]'],
  ] as const) {
    assert.equal(
      await ok('patch', 'sts', 'web', '--type', type, '-p', body),
      'statefulset.apps/web patched\n',
    );
  }
  assert.equal(await ok(...replicas), '6');
  await ok('patch', 'sts', 'web', '--subresource=scale', '--type=merge', '-p', '{"spec":{"replicas":2}}');
  assert.equal(await ok(...replicas), '2');
  assert.equal(await ok('set', 'image', 'sts/web', 'nginx=nginx:2'), 'statefulset.apps/web image updated\n');
  assert.equal(await ok('label', 'sts', 'web', 'tier=front'), 'statefulset.apps/web labeled\n');
  assert.equal(await ok('annotate', 'sts', 'web', 'note=x'), 'statefulset.apps/web annotated\n');
  await writeFile(join(directory, 'edit.sh'), '#!/bin/sh\nsed -i "s/replicas: 2/replicas: 1/" "$1"\n', {
    mode: 0o755,
  });
  process.env.KUBE_EDITOR = join(directory, 'edit.sh');
  assert.equal(await ok('edit', 'sts', 'web'), 'statefulset.apps/web edited\n');
  delete process.env.KUBE_EDITOR;
  assert.equal(await ok(...replicas), '1');
});

test('wait and --watch see changes', { skip }, async () => {
  const watch = spawn('kubectl', [
    ...['--kubeconfig', join(directory, 'kubeconfig'), '--cache-dir', join(directory, 'cache')],
    ...['get', 'configmaps', '--watch', '--output-watch-events'],
  ]);
  let seen = '';
  const sees = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (seen.includes(text)) resolve();
      };
      watch.stdout.on('data', look);
      watch.once('close', () => reject(new Error(`kubectl ended, and had printed ${seen}`)));
      look();
    });
  watch.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.toString();
  });
  try {
    await applied(configMap('a'));
    await sees('ADDED');
    await ok('patch', 'configmap', 'a', '-p', '{"data":{"y":"2"}}');
    await sees('MODIFIED');
    const waiting = ok('wait', '--for=delete', 'configmap/a', '--timeout=20s');
    assert.match(await ok('delete', 'configmap', 'a'), /^configmap "a" deleted/);
    await sees('DELETED');
    await waiting;
    assert.match(
      await ok('wait', '--for=jsonpath={.spec.replicas}=1', 'sts/web', '--timeout=20s'),
      /condition met/,
    );
  } finally {
    watch.kill();
  }
});

test('bad input is refused with the reason', { skip }, async () => {
  const bad = MANIFEST.replace(
    '      labels:\n        app: nginx\n    spec',
    '      labels:\n        app: other\n    spec',
  ).replace('name: web\nspec', 'name: bad\nspec');
  await writeFile(join(directory, 'bad.yaml'), bad);
  const mismatch = await kubectl('apply', '-f', join(directory, 'bad.yaml'));
  assert.match(
    mismatch.err,
    /spec\.template\.metadata\.labels: Invalid value: .*`selector` does not match template `labels`/,
  );
  await writeFile(
    join(directory, 'unknown.yaml'),
    MANIFEST.replace('replicas: 2', 'replica: 2').replace('name: web\nspec', 'name: unknown\nspec'),
  );
  const unknown = await kubectl('create', '-f', join(directory, 'unknown.yaml'));
  assert.match(unknown.err, /strict decoding error: unknown field "spec\.replica"/);
  const negative = await kubectl('patch', 'sts', 'web', '-p', '{"spec":{"replicas":-1}}');
  assert.match(negative.err, /must be greater than or equal to 0/);
});

test('users without rights are told so', { skip }, async () => {
  const alice = await kubectl('--context', 'alice', 'get', 'pods');
  assert.equal(
    alice.err,
    'Error from server (Forbidden): pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "default"\n',
  );
  const nobody = await kubectl('--context', 'nobody', 'get', 'pods');
  assert.match(nobody.err, /You must be logged in to the server/);
});

test('delete removes, by name, by file and all', { skip }, async () => {
  await ok('run', 'one', '--image=nginx');
  assert.match(await ok('get', 'pods', '-o', 'wide'), /NOMINATED NODE/);
  assert.match(await ok('delete', 'pod', 'one'), /^pod "one" deleted/);
  const deleted = await ok('delete', '-f', join(directory, 'nginx.yaml'));
  assert.match(deleted, /service "nginx" deleted.*\nstatefulset.apps "web" deleted/);
  await applied(configMap('b'));
  assert.match(await ok('delete', 'configmaps', '--all'), /configmap "b" deleted/);
  assert.equal((await kubectl('get', 'all')).err, 'No resources found in default namespace.\n');
});

test('create, which sends protobuf, makes what it was asked for', { skip }, async () => {
  await ok('create', 'namespace', 'other');
  await ok('create', 'configmap', 'p', '--from-literal=x=1');
  assert.equal(await ok('get', 'configmap', 'p', '-o', 'jsonpath={.data.x}'), '1');
  await ok('create', 'secret', 'generic', 'p', '--from-literal=x=1');
  assert.equal(await ok('get', 'secret', 'p', '-o', 'jsonpath={.data.x} {.type}'), 'MQ== Opaque');
  await ok('create', 'serviceaccount', 'p');
  await ok('create', 'service', 'nodeport', 'p', '--tcp=80:http');
  const port = await ok(
    'get',
    'service',
    'p',
    '-o',
    'jsonpath={.spec.ports[0].targetPort} {.spec.ports[0].port}',
  );
  assert.equal(port, 'http 80');
  await ok('create', 'quota', 'p', '--hard=cpu=1,memory=1G');
  assert.equal(await ok('get', 'quota', 'p', '-o', 'jsonpath={.spec.hard.memory}'), '1G');
  await ok('create', 'poddisruptionbudget', 'p', '--selector=app=x', '--min-available=50%');
  assert.equal(await ok('get', 'pdb', 'p', '-o', 'jsonpath={.spec.minAvailable}'), '50%');
  await ok('create', 'clusterrole', 'p', '--verb=get,list', '--resource=pods');
  assert.equal(await ok('get', 'clusterrole', 'p', '-o', 'jsonpath={.rules[0].verbs}'), '["get","list"]');
});

test('server-side apply owns fields, and others that change them are told', { skip }, async () => {
  const file = join(directory, 'nginx.yaml');
  const applied = 'service/nginx serverside-applied\nstatefulset.apps/web serverside-applied\n';
  assert.equal(await ok('apply', '--server-side', '-f', file), applied);
  assert.equal(await ok('apply', '--server-side', '-f', file), applied);
  await ok('patch', 'sts', 'web', '-p', '{"spec":{"replicas":4}}');
  const conflict = await kubectl('apply', '--server-side', '-f', file);
  assert.match(
    conflict.err,
    /Apply failed with 1 conflict: conflict with "kubectl-patch" .*: \.spec\.replicas/,
  );
  assert.equal(await ok('apply', '--server-side', '--force-conflicts', '-f', file), applied);
  assert.equal(await ok('get', 'sts', 'web', '-o', 'jsonpath={.spec.replicas}'), '2');
});
