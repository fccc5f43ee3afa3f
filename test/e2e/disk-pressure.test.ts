// A small disk that pods and the store fill: a file system in a file, with a stead on it.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ensureImage } from '../kit/images.ts';
import type { Ran } from '../kit/run.ts';
import { eventually, noContainers, TestStead } from '../kit/stead.ts';

/** Sparse: only what is written takes space of the machine's disk. */
const DISK = '500M';
const ARGS = ['--eviction-hard', 'nodefs.available<60Mi', '--eviction-pressure-transition-period', '5s'];

/** A file system of its own at a directory; undefined where there are no loop devices. */
function smallDisk(): { directory: string; remove(): void } | undefined {
  const parent = mkdtempSync(join(tmpdir(), 'stead-small-'));
  const image = join(parent, 'image');
  const directory = join(parent, 'disk');
  const run = (program: string, ...args: string[]): void =>
    void execFileSync(program, args, {
      stdio: 'ignore',
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
  try {
    run('truncate', '--size', DISK, image);
    run('mkfs.ext4', '-q', '-m', '0', image);
    run('mkdir', directory);
    run('mount', '-o', 'loop', image, directory);
  } catch {
    rmSync(parent, { recursive: true, force: true });
    return undefined;
  }
  return {
    directory,
    remove() {
      run('umount', directory);
      rmSync(parent, { recursive: true });
    },
  };
}

const disk = noContainers ? undefined : smallDisk();
const skip = noContainers || (disk ? false : 'there are no loop devices');

describe('a small disk', { skip }, () => {
  let stead: TestStead;
  const directory = disk?.directory ?? '';
  const ballast = join(directory, 'ballast');

  before(async () => {
    await ensureImage('toolbox');
    stead = await TestStead.startIn(directory, ARGS, 'toolbox');
  });
  after(async () => {
    rmSync(ballast, { force: true });
    await stead?.purge();
    disk?.remove();
  });

  const pod = (name: string, script: string, more = '', container = ''): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: c
    image: stead.dev/toolbox:1
    command: [sh, -c, ${JSON.stringify(script)}]
    ${container}
  ${more}
`;
  const failed = (name: string): Promise<string> =>
    eventually(
      `${name} is evicted`,
      () => stead.field(`pod/${name}`, '.status.phase} {.status.reason} {.status.message'),
      (text) => text.startsWith('Failed'),
    );
  const condition = (status: string): Promise<string> =>
    eventually(
      `DiskPressure is ${status}`,
      () => stead.field('nodes', '.items[0].status.conditions[?(@.type=="DiskPressure")].status'),
      (found) => found === status,
    );
  /** Leaves next to nothing: most is taken at once, the rest byte by byte. */
  const fill = (file: string): void => {
    const { bavail, bsize } = statfsSync(directory);
    execFileSync('fallocate', ['--length', String(bavail * bsize - 1024 * 1024), file]);
    spawnSync('sh', ['-c', 'cat /dev/zero >> "$0"', file]);
  };

  it('ends pods that use more of it than they may', async () => {
    const volume = 'volumes: [{ name: d, emptyDir: { sizeLimit: 10Mi } }]';
    const mount = 'volumeMounts: [{ name: d, mountPath: /d }]';
    const write = (file: string): string => `head -c 30000000 /dev/zero > ${file}; sleep 1000`;
    await stead.apply(pod('volume', write('/d/x'), volume, mount));
    const limit = 'resources: { limits: { ephemeral-storage: 20Mi } }';
    await stead.apply(pod('layer', write('/x'), '', limit));
    assert.equal(
      await failed('volume'),
      'Failed Evicted Usage of EmptyDir volume "d" exceeds the limit "10Mi". ',
    );
    assert.equal(
      await failed('layer'),
      'Failed Evicted Pod ephemeral local storage usage exceeds the total limit of containers 20Mi. ',
    );
    await stead.kubectl('delete', 'pod', 'volume', 'layer');
  });

  it('evicts who fills it, lets others be, and brings a set back as it was', async () => {
    await stead.apply(pod('quiet', 'sleep 1000'));
    await stead.kubectl('wait', '--for=condition=Ready', 'pod/quiet', '--timeout=60s');
    // Once, until nothing more fits; its claim remembers.
    const hog = '[ -e /data/done ] || { touch /data/done; cat /dev/zero > /d/x; }; sleep 1000';
    await stead.apply(`
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: hog }
spec:
  serviceName: hog
  selector: { matchLabels: { app: hog } }
  template:
    metadata: { labels: { app: hog } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: c
        image: stead.dev/toolbox:1
        command: [sh, -c, ${JSON.stringify(hog)}]
        volumeMounts: [{ name: d, mountPath: /d }, { name: data, mountPath: /data }]
      volumes: [{ name: d, emptyDir: {} }]
  volumeClaimTemplates:
  - metadata: { name: data }
    spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 16Mi } } }
`);
    await condition('True');
    const event = await eventually(
      'hog-0 is evicted',
      async () =>
        (
          await stead.tryKubectl([
            ...['get', 'events', '--field-selector', 'reason=Evicted,involvedObject.name=hog-0'],
            ...['-o', 'jsonpath={.items[*].message}'],
          ])
        ).stdout,
      (text) => text !== '',
    );
    assert.match(
      event,
      /^The node was low on resource: ephemeral-storage. Threshold quantity: 60Mi, available: \d+/,
    );
    await condition('False');
    await stead.ready('hog', 1);
    assert.match(await stead.exec('hog-0', 'ls', '/data'), /^done$/m);
    assert.equal(await stead.field('pod/quiet', '.status.containerStatuses[0].restartCount'), '0');
    assert.equal(await stead.field('nodes', '.items[0].spec.taints'), '');
    await stead.kubectl('delete', 'statefulset', 'hog');
  });

  it('takes deletions when it is full, and starts again with all that was acknowledged', async () => {
    const files = Array.from({ length: 4 }, (_, index) => join(directory, `value-${index}`));
    for (const file of files) writeFileSync(file, randomBytes(300_000).toString('hex'));
    const create = async (index: number): Promise<Ran> =>
      stead.tryKubectl([
        'create',
        'configmap',
        `big-${index}`,
        `--from-file=v=${files[index % files.length]}`,
      ]);
    const count = async (): Promise<number> =>
      (await stead.kubectl('get', 'configmaps', '-o', 'name'))
        .split('\n')
        .filter((name) => name.includes('big-')).length;
    let created = 0;
    const createNext = async (): Promise<Ran> => {
      const result = await create(created);
      if (result.code === 0) created++;
      return result;
    };
    for (let i = 0; i < 4; i++) await createNext();
    assert.equal(created, 4);

    fill(ballast);
    await condition('True');
    const said = await eventually(
      'the store warns',
      async () => (await stead.tryKubectl(['get', '--raw', '/readyz?verbose'])).stderr,
      (text) => text.includes('[-]store-disk failed'),
    );
    assert.match(said, /\[\+\]etcd ok/);
    assert.match(
      await stead.must('status'),
      /\nstore the disk of \S+ is nearly full: \d+ MiB are left for the store/,
    );
    assert.match(await stead.kubectl('get', '--raw', '/metrics'), /\nstead_store_disk_nearly_full 1\n/);

    const refused = await eventually('a creation is refused', createNext, ({ code }) => code !== 0);
    assert.match(
      refused.stderr,
      /no space left for the store .*; nothing was written; delete objects, or free space/,
    );
    await stead.kubectl('delete', 'configmap', 'big-0');
    const { port } = new URL(JSON.parse(await stead.must('status', '-o', 'json')).server);
    stead.kill();
    await stead.up('--port', port, ...ARGS);
    assert.equal(await count(), created - 1);
    await stead.kubectl('delete', 'configmap', 'big-1');
    assert.equal(await stead.field('pod/quiet', '.status.phase'), 'Running');

    rmSync(ballast);
    await condition('False');
    await stead.kubectl('create', 'configmap', 'afterwards', '--from-literal=a=b');
    assert.equal(await stead.kubectl('get', '--raw', '/readyz'), 'ok');
    assert.equal(await count(), created - 2);
    assert.equal(await stead.field('pod/quiet', '.status.containerStatuses[0].restartCount'), '0');
  });
});
