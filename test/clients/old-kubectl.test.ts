// A kubectl from years before the API that stead serves: what it asks for in older forms is answered in those.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { startSimulated } from '../kit/simulated-stead.ts';
import { NGINX_MANIFEST, noContainers, TestStead } from '../kit/stead.ts';
import { findDebianKubectl } from './debian-kubectl.ts';
import { KubectlProgram } from './kubectl-program.ts';

const found = findDebianKubectl();
const skip = 'why' in found && found.why;

function oldKubectl(stead: TestStead): KubectlProgram {
  assert.ok('kubectl' in found);
  return new KubectlProgram(found.kubectl, stead);
}

describe("Debian's kubectl", { skip }, () => {
  let stead: TestStead;
  let kubectl: KubectlProgram;

  before(async () => {
    stead = await startSimulated();
    kubectl = oldKubectl(stead);
  });
  after(async () => {
    kubectl?.close();
    await stead?.purge();
  });

  it('applies, and applies again without a change', async () => {
    assert.equal(
      await kubectl.run('apply', '-f', NGINX_MANIFEST),
      'service/nginx created\nstatefulset.apps/web created\n',
    );
    assert.equal(
      await kubectl.run('apply', '-f', NGINX_MANIFEST),
      'service/nginx unchanged\nstatefulset.apps/web unchanged\n',
    );
    await kubectl.run('rollout', 'status', 'sts/web', '--timeout=60s');
  });

  it('checks a manifest against the schema before it sends it', async () => {
    const manifest = readFileSync(NGINX_MANIFEST, 'utf8').replace('replicas:', 'replica:');
    const { code, stderr } = await kubectl.try(['apply', '-f', '-'], { input: manifest });
    assert.notEqual(code, 0);
    assert.match(
      stderr,
      /error validating data: ValidationError\(StatefulSet\.spec\): unknown field "replica" in io\.k8s\.api\.apps\.v1\.StatefulSetSpec/,
    );
  });

  it('merges lists by the keys that the schema names', async () => {
    const container = { name: 'nginx', env: [{ name: 'MODE', value: 'fast' }] };
    const patch = { spec: { template: { spec: { containers: [container] } } } };
    await kubectl.run('patch', 'sts/web', '-p', JSON.stringify(patch));
    assert.equal(
      await stead.field('sts/web', '.spec.template.spec.containers[*].image'),
      'k8s.gcr.io/nginx-slim:0.8',
    );
    await kubectl.run('apply', '-f', NGINX_MANIFEST);
    assert.equal(await stead.field('sts/web', '.spec.template.spec.containers[0].env[0].name'), 'MODE');
  });

  it('explains fields', async () => {
    const text = await kubectl.run('explain', 'statefulset.spec.volumeClaimTemplates');
    assert.match(text, /^KIND: +StatefulSet\nVERSION: +apps\/v1/);
    assert.match(text, /RESOURCE: volumeClaimTemplates <\[\]Object>/);
    const ports = await kubectl.run('explain', 'pod.spec.containers.ports', '--recursive');
    assert.match(ports, /containerPort\t<integer>/);
  });

  it('shows a difference, and edits', async () => {
    const manifest = readFileSync(NGINX_MANIFEST, 'utf8').replace('replicas: 2', 'replicas: 3');
    const { code, stdout } = await kubectl.try(['diff', '-f', '-'], { input: manifest });
    assert.equal(code, 1);
    assert.match(stdout, /^- {2}replicas: 2\n\+ {2}replicas: 3$/m);
    const editor = { KUBE_EDITOR: "sed -i 's/^  replicas: 2/  replicas: 3/'" };
    const edited = await kubectl.try(['edit', 'sts/web'], { env: editor });
    assert.equal(edited.stdout, 'statefulset.apps/web edited\n', edited.stderr);
    assert.equal(await stead.field('sts/web', '.spec.replicas'), '3');
  });

  it('scales, rolls out and rolls back', async () => {
    assert.equal(await kubectl.run('scale', 'sts/web', '--replicas=1'), 'statefulset.apps/web scaled\n');
    await kubectl.run('set', 'image', 'sts/web', 'nginx=nginx:2');
    await kubectl.run('rollout', 'status', 'sts/web', '--timeout=60s');
    assert.match(await kubectl.run('rollout', 'history', 'sts/web'), /^3 +<none>/m);
    assert.match(await kubectl.run('rollout', 'undo', 'sts/web'), /rolled back/);
    await kubectl.run('rollout', 'restart', 'sts/web');
    await kubectl.run('rollout', 'status', 'sts/web', '--timeout=60s');
    assert.equal(await stead.field('pod/web-0', '.spec.containers[0].image'), 'k8s.gcr.io/nginx-slim:0.8');
  });

  it('applies on the server, in earnest and dry', async () => {
    const flags = ['apply', '--server-side', '--force-conflicts', '-f', NGINX_MANIFEST];
    assert.match(await kubectl.run(...flags, '--dry-run=server'), /serverside-applied \(server dry run\)/);
    assert.equal(await stead.field('sts/web', '.spec.replicas'), '1');
    assert.match(await kubectl.run(...flags), /statefulset\.apps\/web serverside-applied/);
    assert.equal(await stead.field('sts/web', '.spec.replicas'), '2');
  });

  it('shows, waits and deletes', async () => {
    assert.match(
      await kubectl.run('get', 'all,pvc', '-o', 'wide'),
      /statefulset\.apps\/web +\d\/2 +\S+ +nginx/,
    );
    assert.match(await kubectl.run('describe', 'sts/web'), /Update Strategy: +RollingUpdate/);
    await kubectl.run('wait', '--for=condition=Ready', 'pod/web-0', '--timeout=60s');
    assert.match(await kubectl.run('auth', 'can-i', 'delete', 'pods'), /yes/);
    assert.equal(await kubectl.run('delete', 'pod', 'web-1'), 'pod "web-1" deleted\n');
    await kubectl.run('delete', '-f', NGINX_MANIFEST);
    assert.equal(await kubectl.run('get', 'sts', '-o', 'name'), '');
  });
});

describe("Debian's kubectl and real containers", { skip: skip || noContainers }, () => {
  let stead: TestStead;
  let kubectl: KubectlProgram;

  before(async () => {
    stead = await TestStead.start('nginx-slim');
    kubectl = oldKubectl(stead);
    await kubectl.run('apply', '-f', NGINX_MANIFEST);
    await stead.ready('web', 2);
  });
  after(async () => {
    kubectl?.close();
    await stead?.purge();
  });

  it('runs commands over SPDY, with input and with their exit codes', async () => {
    assert.equal(await kubectl.run('exec', 'web-0', '--', 'hostname'), 'web-0\n');
    const echoed = await kubectl.try(['exec', '-i', 'web-0', '--', 'cat'], { input: 'to the end' });
    assert.equal(echoed.stdout, 'to the end');
    const failed = await kubectl.try(['exec', 'web-0', '--', 'sh', '-c', 'echo no >&2; exit 7']);
    assert.equal(failed.code, 7);
    assert.match(failed.stderr, /^no\ncommand terminated with exit code 7/);
  });

  it('forwards a port over SPDY', async () => {
    await kubectl.run('exec', 'web-0', '--', 'sh', '-c', 'echo forwarded > /usr/share/nginx/html/index.html');
    const child = spawn(kubectl.command, ['port-forward', 'pod/web-0', ':80'], {
      env: { ...process.env, ...kubectl.env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const said = await new Promise<string>((resolve, reject) => {
        child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString()));
        child.once('exit', () => reject(new Error('kubectl port-forward ended')));
      });
      const port = /127\.0\.0\.1:(\d+) -> 80/.exec(said)?.[1];
      assert.ok(port, said);
      for (let round = 0; round < 3; round++) {
        assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'forwarded\n');
      }
    } finally {
      child.kill();
    }
  });
});
