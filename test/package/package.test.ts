// The package as somebody gets it who installs it: what `npm pack` makes, in an empty folder, with the dependencies that it
// declares and no others. They are this checkout's, so that no registry is asked.
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { run } from '../kit/run.ts';

const root = join(import.meta.dirname, '..', '..', '..');

const PROGRAM = `
import { startTestCluster } from 'stead/testing';
import { pods } from 'stead/resources/pods';
import { statefulSets } from 'stead/resources/stateful-sets';
import { existsSync, readFileSync } from 'node:fs';
import { request } from 'node:https';

const cluster = await startTestCluster({ nodes: 2 });
const key = { namespace: 'default', name: 'web' };
await cluster.client.create(statefulSets, {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: key,
  spec: {
    serviceName: 'web',
    replicas: 3,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'main', image: 'any/image:1' }] },
    },
  },
});
let set = await cluster.client.get(statefulSets, key);
while (set.status?.readyReplicas !== 3) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  set = await cluster.client.get(statefulSets, key);
}
// A document that is long enough to be read in a thread: a program of the package's own.
const credentials = readFileSync(cluster.kubeconfig, 'utf8');
const pem = (name) => Buffer.from(new RegExp(name + '-data: "?([A-Za-z0-9+/=]+)').exec(credentials)[1], 'base64');
const yaml = ['apiVersion: v1', 'kind: ConfigMap', 'metadata: {name: long}', 'data:', '  text: ' + 'x'.repeat(4096)];
const created = await new Promise((resolve, reject) => {
  const asked = request(cluster.server + '/api/v1/namespaces/default/configmaps', {
    method: 'POST',
    headers: { 'content-type': 'application/yaml' },
    ca: pem('certificate-authority'),
    cert: pem('client-certificate'),
    key: pem('client-key'),
  });
  asked.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject);
  asked.end(yaml.join(String.fromCharCode(10)));
});
const { items } = await cluster.client.list(pods, { namespace: 'default' });
const kubeconfig = readFileSync(cluster.kubeconfig, 'utf8');
await cluster.stop();
await cluster.stop();
console.log(JSON.stringify({
  pods: items.map((pod) => pod.metadata.name).sort(),
  created,
  nodes: [...new Set(items.map((pod) => pod.spec.nodeName))].sort(),
  named: cluster.nodes,
  kubeconfig: kubeconfig.includes(cluster.server),
  left: existsSync(cluster.kubeconfig),
}));
`;

/** The same with types; what is expected to be an error proves that nothing is `any`. */
const TYPED = `
import { pods } from 'stead/resources/pods';
import { startTestCluster, type TestCluster } from 'stead/testing';
import type { Pod } from 'stead/types';

const cluster: TestCluster = await startTestCluster();
const pod: Pod = await cluster.client.get(pods, { namespace: 'default', name: 'web-0' });
const names: readonly string[] = cluster.nodes;
const phase: string | undefined = pod.status?.phase;
// @ts-expect-error a pod has no such field
pod.spec.replicas;
// @ts-expect-error a number of nodes is a number
await startTestCluster({ nodes: 'two' });
// @ts-expect-error what is made is a pod
await cluster.client.create(pods, { metadata: { name: 'web-0' }, spec: { containers: 'none' } });
export { names, phase };
`;

const TSCONFIG = {
  compilerOptions: { strict: true, noEmit: true, target: 'es2022', module: 'nodenext', types: [] },
  files: ['typed.ts'],
};

describe('the package', () => {
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'stead-package-'));
    const packed = await run('npm', ['pack', '--json', '--pack-destination', folder, root]);
    assert.equal(packed.code, 0, packed.stderr);
    const [{ filename }] = JSON.parse(packed.stdout);
    const modules = join(folder, 'node_modules');
    mkdirSync(modules);
    assert.equal((await run('tar', ['-xzf', join(folder, filename), '-C', modules])).code, 0);
    renameSync(join(modules, 'package'), join(modules, 'stead'));
    const { dependencies } = JSON.parse(readFileSync(join(modules, 'stead', 'package.json'), 'utf8'));
    for (const name of Object.keys(dependencies)) {
      mkdirSync(dirname(join(modules, name)), { recursive: true });
      symlinkSync(join(root, 'node_modules', name), join(modules, name));
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('gives a test a cluster with simulated nodes, which leaves nothing behind', async () => {
    writeFileSync(join(folder, 'program.mjs'), PROGRAM);
    const { code, stdout, stderr } = await run(process.execPath, [join(folder, 'program.mjs')]);
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
    assert.deepEqual(JSON.parse(stdout), {
      pods: ['web-0', 'web-1', 'web-2'],
      created: 201,
      nodes: ['node-0', 'node-1'],
      named: ['node-0', 'node-1'],
      kubeconfig: true,
      left: false,
    });
  });

  it('has declarations with which that is typed', async () => {
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
    writeFileSync(join(folder, 'typed.ts'), TYPED);
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { code, stdout } = await run(process.execPath, [tsc, '-p', folder]);
    assert.equal(code, 0, stdout);
  });

  it('has the command, and nothing that only tests need', async () => {
    const installed = join(folder, 'node_modules', 'stead');
    const { stdout } = await run(process.execPath, [join(installed, 'dist', 'bin', 'stead.js'), '--version']);
    assert.equal(stdout.trim(), JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version);
    for (const name of [
      'dist/test',
      'dist/declarations',
      'dist/src/testing/simulator',
      'dist/src/store/memory.test.js',
    ])
      assert.ok(!existsSync(join(installed, name)), name);
  });
});
