// What a user gets wrong, and what they are told: by the API in Kubernetes' words, by the command in one sentence.
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ensureImage } from '../kit/images.ts';
import { run } from '../kit/run.ts';
import { eventually, NGINX_MANIFEST, noContainers, TestStead } from '../kit/stead.ts';

const seed = readFileSync(NGINX_MANIFEST, 'utf8');
const CLI = join(import.meta.dirname, '..', '..', 'bin', 'stead.js');

describe('bad input', { skip: noContainers }, () => {
  let stead: TestStead;

  before(async () => {
    stead = await TestStead.start('toolbox');
  });
  after(() => stead?.purge());

  const refused: Array<[string, string, RegExp]> = [
    [
      'a selector that does not match',
      seed.replace('matchLabels:\n      app: nginx', 'matchLabels:\n      app: apache'),
      /`selector` does not match template `labels`/,
    ],
    [
      'a name that is no DNS label',
      seed.replace('name: web\nspec:\n  serviceName', 'name: Web_1\nspec:\n  serviceName'),
      /metadata\.name: Invalid value: "Web_1"/,
    ],
    [
      'negative replicas',
      seed.replace('replicas: 2', 'replicas: -1'),
      /spec\.replicas: Invalid value: -1: must be greater than or equal to 0/,
    ],
    [
      'an unknown field',
      seed.replace('replicas: 2', 'replicaz: 2'),
      /strict decoding error: unknown field "spec\.replicaz"/,
    ],
    [
      'a wrong type',
      seed.replace('replicas: 2', 'replicas: two'),
      /cannot unmarshal string|ValidationError|unmarshal/,
    ],
  ];
  for (const [what, manifest, message] of refused) {
    it(`refuses ${what}, and keeps what is stored`, async () => {
      assert.notEqual(manifest, seed);
      const { code, stderr } = await stead.tryKubectl(['apply', '-f', '-'], manifest.split('---')[1]);
      assert.equal(code, 1);
      assert.match(stderr, message);
      assert.equal(await stead.kubectl('get', 'sts', '-o', 'name'), '');
    });
  }

  it('loses nothing that is stored when it refuses an update', async () => {
    await stead.apply(seed.split('---')[1] ?? '');
    const stored = await stead.field('sts/web', '.spec');
    for (const [what, manifest] of refused) {
      // A name that is no label would be another object.
      if (what.startsWith('a name')) continue;
      assert.equal((await stead.tryKubectl(['apply', '-f', '-'], manifest.split('---')[1])).code, 1, what);
    }
    const change = '{"spec":{"serviceName":"other"}}';
    const forbidden = await stead.tryKubectl(['patch', 'sts', 'web', '--type=merge', '-p', change]);
    assert.match(forbidden.stderr, /updates to statefulset spec for fields other than 'replicas'/);
    assert.equal(await stead.field('sts/web', '.spec'), stored);
    await stead.kubectl('delete', 'sts,pvc', '--all');
  });

  it('leaves a claim of an unknown class Pending, with the reason', async () => {
    await stead.apply(seed.replace('storage-local', 'nowhere'));
    await eventually(
      'the event',
      () => stead.kubectl('get', 'events', '-o', 'jsonpath={.items[*].message}'),
      (text) => /storageclass\.storage\.k8s\.io "nowhere" not found/.test(text),
    );
    assert.equal(await stead.field('pvc/www-web-0', '.status.phase'), 'Pending');
    assert.match(await stead.must('why', 'pod/web-0'), /web-0 waits for claim www-web-0 to be Bound/);
    assert.match(await stead.must('why', 'pvc/www-web-0'), /its storage class nowhere does not exist/);
    await stead.kubectl('delete', 'sts,svc,pvc', '--all');
  });

  it('shows an image that cannot be pulled, and recovers when it appears', async () => {
    await stead.kubectl('run', 'late', '--image=k8s.gcr.io/nginx-slim:0.8');
    const reason = () => stead.field('pod/late', '.status.containerStatuses[0].state.waiting.reason');
    await eventually(
      'ErrImagePull',
      reason,
      (text) => text === 'ErrImagePull' || text === 'ImagePullBackOff',
    );
    await eventually('ImagePullBackOff', reason, (text) => text === 'ImagePullBackOff');
    const events = await stead.kubectl('get', 'events', '-o', 'jsonpath={.items[*].reason}');
    assert.match(events, /Failed/);
    await stead.must('image', 'load', await ensureImage('nginx-slim'));
    await stead.kubectl('wait', '--for=condition=Ready', 'pod/late', '--timeout=120s');
    await stead.kubectl('delete', 'pod', 'late');
  });

  it('runs a pod by the handler of its RuntimeClass, or not at all', async () => {
    const classed = (name: string) =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name },
        spec: {
          runtimeClassName: name,
          terminationGracePeriodSeconds: 0,
          containers: [{ name: 'c', image: 'stead.dev/toolbox:1', command: ['sleep', '600'] }],
        },
      });
    const { stderr } = await stead.tryKubectl(['create', '-f', '-'], classed('kata'));
    assert.match(stderr, /pods "kata" is forbidden: pod rejected: RuntimeClass "kata" not found/);
    for (const [name, handler] of [
      ['kata', 'kata'],
      ['plain', 'runc'],
    ] as const) {
      const kind = { apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name }, handler };
      await stead.apply(JSON.stringify(kind));
      await stead.apply(classed(name));
    }
    await stead.kubectl('wait', '--for=condition=Ready', 'pod/plain', '--timeout=60s');
    const ofKata = '--field-selector=involvedObject.name=kata,reason=FailedCreatePodSandBox';
    await eventually(
      'no runtime for "kata"',
      () => stead.kubectl('get', 'events', ofKata, '-o', 'jsonpath={.items[*].message}'),
      (text) => text.includes('no runtime for "kata" is configured'),
    );
    await stead.kubectl('delete', 'pod', 'kata', 'plain', '--wait=false');
  });

  /** What `stead up` says when it fails, which it must, in one sentence. */
  const complaint = async (program: string, args: string[]): Promise<string> => {
    const { code, stderr } = await run(program, args);
    assert.equal(code, 1, `${args.join(' ')} succeeded`);
    assert.match(stderr, /^stead: [^\n]+\n$/);
    return stderr;
  };

  it('says in one sentence what the machine lacks', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'stead-bad-'));
    chmodSync(directory, 0o777);
    const up = `"${process.execPath}" "${CLI}" up --port 0 --data-dir`;
    try {
      const nobody = [
        '--reuid=65534',
        '--regid=65534',
        '--clear-groups',
        'sh',
        '-c',
        `exec ${up} "${directory}/nobody"`,
      ];
      assert.match(await complaint('setpriv', nobody), /root/);
      // In mount namespaces of their own: no containerd, and a disk of 16 MiB.
      const hidden = `mount --bind /dev/null "$(command -v containerd)" && exec ${up} "${directory}/hidden"`;
      assert.match(
        await complaint('unshare', ['-m', 'sh', '-c', hidden]),
        /containerd is not installed: run `apt-get install/,
      );
      const full = `mount -t tmpfs -o size=16m tmpfs "${directory}" && exec ${up} "${directory}"`;
      assert.match(await complaint('unshare', ['-m', 'sh', '-c', full]), /disk .* is full.*free some space/);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('says in one sentence what is wrong with what it was given', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'stead-bad-'));
    const sentence = (...args: string[]): Promise<string> =>
      complaint(process.execPath, [CLI, 'up', ...args]);
    const listener = createServer();
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    try {
      const address = listener.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      assert.match(await sentence('--data-dir', join(directory, 'a'), '--port', `${port}`), /in use.*--port/);
      assert.ok(!existsSync(join(directory, 'a')), 'a start that could not succeed has left something');
      assert.match(
        await sentence('--data-dir', join(directory, 'a'), '--simulated-nodes', '3'),
        /--runtime simulated/,
      );
      mkdirSync(join(directory, 'other'));
      writeFileSync(join(directory, 'other', 'thesis.txt'), '');
      const purge = [CLI, 'down', '--purge', '--data-dir', join(directory, 'other')];
      assert.match(
        await complaint(process.execPath, purge),
        /no data directory of stead: nothing is removed/,
      );
      const up = ['up', '--port', '0', '--runtime', 'simulated', '--data-dir', join(directory, 'other')];
      assert.equal((await run(process.execPath, [CLI, ...up])).code, 0);
      assert.equal((await run(process.execPath, purge)).code, 0);
      assert.deepEqual(readdirSync(join(directory, 'other')), ['thesis.txt']);
      mkdirSync(join(directory, 'newer'));
      writeFileSync(join(directory, 'newer', 'layout.json'), '{"layoutVersion": 99}\n');
      assert.match(await sentence('--data-dir', join(directory, 'newer')), /newer stead/);
      writeFileSync(join(directory, 'file'), '');
      assert.match(await sentence('--data-dir', join(directory, 'file')), /data directory/);
      assert.match(
        await sentence('--data-dir', join(directory, 'b'), '-f', '/no/such.yaml'),
        /no\/such\.yaml/,
      );
    } finally {
      listener.close();
      await run(process.execPath, [CLI, 'down', '--purge', '--data-dir', join(directory, 'a')]);
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
