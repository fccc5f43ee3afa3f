import assert from 'node:assert/strict';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  statfs,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { notFound } from '../../api/errors.ts';
import type { Pod, PodSpec, Volume } from '../../api/generated/types.ts';
import type { KubeObject, Stored } from '../../api/objects.ts';
import type { Clock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import type { Client } from '../../client/client.ts';
import { runCommand } from '../machine/command.ts';
import { mountsBelow, readMounts, removeUnmounted } from '../machine/mounts.ts';
import { cleanUpAll } from './local/clean-up.ts';
import { LocalVolumes, prepareVolumesDirectory } from './local/local-volumes.ts';
import { createPodVolumes } from './pod-volumes.ts';
import { type PodVolumes, VolumeNotReadyError } from './volumes.ts';

const needsRoot = process.getuid?.() === 0 ? {} : { skip: 'mounting needs root' };

/** A world of objects by `plural/namespace/name`, and volumes on it. */
interface World {
  directory: string;
  objects: Map<string, unknown>;
  clock: { nowMs: number };
  volumes: PodVolumes;
  tokens: number;
  /** Names of images that are on the machine, and what was done with images. */
  images: { present: Set<string>; did: string[] };
  /** Another process of stead on the same machine. */
  restarted(): Promise<PodVolumes>;
}

const unused = (): never => {
  throw new Error('not used by volumes');
};

async function world(context: TestContext): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'stead-pod-volumes-'));
  context.after(async () => {
    await cleanUpAll(runCommand, [directory]);
    await removeUnmounted(runCommand, directory);
  });
  const objects = new Map<string, unknown>();
  const clock = { nowMs: 1_000_000 };
  const images = { present: new Set<string>(), did: [] as string[] };
  const result = { directory, objects, clock, images, tokens: 0 };
  const image = { id: 'sha256:1', tags: [], digests: [], sizeBytes: 0 };
  const client: Client = {
    // The map holds whatever the test put under the resource's name.
    get: async <T extends KubeObject>(
      resource: { group: string; plural: string; kind: string },
      key: { namespace?: string | undefined; name: string },
    ) => {
      const found = objects.get([resource.plural, key.namespace, key.name].filter(Boolean).join('/'));
      if (!found) throw notFound(resource, key.name);
      return found as Stored<T>;
    },
    createSubresource: async () => {
      result.tokens++;
      return { metadata: {}, status: { token: `token-${result.tokens}` } } as KubeObject;
    },
    discover: unused,
    list: unused,
    watch: unused,
    create: unused,
    update: unused,
    patch: unused,
    delete: unused,
  };
  const testClock: Clock = { now: () => clock.nowMs, after: unused };
  const restarted = async (): Promise<PodVolumes> =>
    createPodVolumes({
      client,
      dataDirectory: directory,
      local: new LocalVolumes({
        volumesDirectory: await prepareVolumesDirectory(directory),
        run: runCommand,
        log: silentLog,
      }),
      run: runCommand,
      clock: testClock,
      images: {
        runtime: {
          imageStatus: async (name) => (images.present.has(name) ? image : undefined),
          async pullImage(name, credentials) {
            images.did.push(`pull ${name} as ${credentials?.username}`);
            if (name.includes('none')) throw new Error('not found');
            return image;
          },
        },
        files: {
          async keep(key, name) {
            images.did.push(`keep ${key}: ${name}`);
            const source = join(directory, 'image');
            await mkdir(source, { recursive: true });
            await writeFile(join(source, 'run'), '#!/bin/sh\n', { mode: 0o755 });
            return { type: 'bind', source, options: ['rbind', 'ro'] };
          },
          letGo: async (key) => void images.did.push(`let go ${key}`),
        },
      },
      placement: () => ({
        podIps: ['10.0.0.9'],
        nodeIps: ['10.0.0.1'],
        nodeName: 'node-a',
        allocatable: { cpuCores: 2, memoryBytes: 1024 ** 3 },
      }),
    });
  return Object.assign(result, { volumes: await restarted(), restarted });
}

function podWith(volumes: Volume[], spec: Partial<PodSpec> = {}): Stored<Pod> {
  return {
    metadata: {
      name: 'web-0',
      namespace: 'default',
      uid: 'uid-0',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { b: 'two "quoted"', a: 'one' },
    },
    spec: { containers: [{ name: 'main', resources: { limits: { cpu: '1500m' } } }], volumes, ...spec },
  };
}

const notReady = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof VolumeNotReadyError, String(error));
  assert.match(error.message, message);
  return true;
};

test(
  'a config map: all keys, chosen keys with modes, and an update in one step',
  needsRoot,
  async (context) => {
    const { volumes, objects } = await world(context);
    objects.set('configmaps/default/conf', {
      data: { 'a.txt': 'one', 'b.txt': 'two' },
      binaryData: { bin: Buffer.from([0, 255]).toString('base64') },
    });
    const items = [{ key: 'a.txt', path: 'deep/er/x', mode: 0o400 }];
    const pod = podWith([
      { name: 'all', configMap: { name: 'conf' } },
      { name: 'some', configMap: { name: 'conf', items, defaultMode: 0o600 } },
    ]);
    const ready = await volumes.setUp(pod);
    const all = ready.get('all')?.hostPath ?? '';
    const some = ready.get('some')?.hostPath ?? '';
    assert.equal(ready.get('all')?.readOnly, true);
    assert.equal(await readFile(join(all, 'a.txt'), 'utf8'), 'one');
    assert.deepEqual(await readFile(join(all, 'bin')), Buffer.from([0, 255]));
    assert.equal((await stat(join(some, 'deep/er/x'))).mode & 0o777, 0o400);
    assert.equal(await readlink(join(all, 'a.txt')), '..data/a.txt');
    const before = await readlink(join(all, '..data'));
    await volumes.refresh(pod);
    assert.equal(await readlink(join(all, '..data')), before, 'nothing changed: nothing written');
    objects.set('configmaps/default/conf', { data: { 'a.txt': 'new', 'c.txt': 'three' } });
    await volumes.refresh(pod);
    assert.notEqual(await readlink(join(all, '..data')), before);
    assert.deepEqual((await readdir(all)).filter((name) => !name.startsWith('..')).sort(), [
      'a.txt',
      'c.txt',
    ]);
    assert.equal(await readFile(join(all, 'a.txt'), 'utf8'), 'new');
    assert.equal(
      (await readdir(all)).filter((name) => name.startsWith('..2') || name.startsWith('..1')).length,
      1,
    );
  },
);

test('what is missing is named in upstream’s words; optional is empty', needsRoot, async (context) => {
  const { volumes, objects } = await world(context);
  const configMap = { name: 'conf' };
  await assert.rejects(
    volumes.setUp(podWith([{ name: 'v', configMap }])),
    notReady(/^MountVolume\.SetUp failed for volume "v" : configmap "conf" not found$/),
  );
  await assert.rejects(
    volumes.setUp(podWith([{ name: 'v', secret: { secretName: 's' } }])),
    notReady(/secret "s" not found/),
  );
  objects.set('configmaps/default/conf', { data: {} });
  const items = [{ key: 'k', path: 'k' }];
  await assert.rejects(
    volumes.setUp(podWith([{ name: 'v', configMap: { ...configMap, items } }])),
    notReady(/references non-existent config key: k/),
  );
  const ready = await volumes.setUp(
    podWith([{ name: 'o', configMap: { name: 'none', optional: true, items } }]),
  );
  assert.deepEqual(
    (await readdir(ready.get('o')?.hostPath ?? '')).filter((name) => !name.startsWith('..')),
    [],
  );
});

test(
  'a secret lies in memory and belongs to fsGroup; tear-down leaves nothing',
  needsRoot,
  async (context) => {
    const { volumes, objects, directory, restarted } = await world(context);
    objects.set('secrets/default/s', { data: { key: Buffer.from('hidden').toString('base64') } });
    const pod = podWith([{ name: 'v', secret: { secretName: 's', defaultMode: 0o400 } }], {
      securityContext: { fsGroup: 4321 },
    });
    const path = (await volumes.setUp(pod)).get('v')?.hostPath ?? '';
    const TMPFS = 0x01021994;
    assert.equal((await statfs(path)).type, TMPFS);
    const file = await stat(join(path, 'key'));
    assert.equal(file.mode & 0o777, 0o440);
    assert.equal(file.gid, 4321);
    await volumes.setUp(pod);
    assert.equal(mountsBelow(await readMounts(), directory).length, 1);
    const next = await restarted();
    assert.deepEqual(await next.podsOnDisk(), ['uid-0']);
    await next.tearDown('uid-0');
    await next.tearDown('uid-0');
    assert.deepEqual(await next.podsOnDisk(), []);
    assert.equal(mountsBelow(await readMounts(), directory).length, 0);
  },
);

test(
  'projected: sources joined, fields of the pod, a token that is kept until it ages',
  needsRoot,
  async (context) => {
    const made = await world(context);
    made.objects.set('configmaps/default/ca', { data: { 'ca.crt': 'CERT' } });
    const pod = podWith([
      {
        name: 'v',
        projected: {
          sources: [
            { serviceAccountToken: { path: 'token', expirationSeconds: 1000 } },
            { configMap: { name: 'ca' } },
            {
              downwardAPI: {
                items: [
                  { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
                  { path: 'name', fieldRef: { fieldPath: 'metadata.name' } },
                  {
                    path: 'cpu',
                    resourceFieldRef: { containerName: 'main', resource: 'limits.cpu', divisor: '1m' },
                  },
                ],
              },
            },
          ],
        },
      },
    ]);
    const path = (await made.volumes.setUp(pod)).get('v')?.hostPath ?? '';
    const read = (name: string): Promise<string> => readFile(join(path, name), 'utf8');
    assert.equal(await read('ca.crt'), 'CERT');
    assert.equal(await read('labels'), 'a="one"\nb="two \\"quoted\\""');
    assert.equal(await read('name'), 'web-0');
    assert.equal(await read('cpu'), '1500');
    assert.equal(await read('token'), 'token-1');
    made.clock.nowMs += 700_000;
    await made.volumes.refresh(pod);
    assert.equal(await read('token'), 'token-1');
    made.clock.nowMs += 200_000;
    await made.volumes.refresh(pod);
    assert.equal(await read('token'), 'token-2');
  },
);

test(
  'emptyDir: on disk for anyone, in memory with a limit, and kept over a restart',
  needsRoot,
  async (context) => {
    const { volumes, restarted } = await world(context);
    const pod = podWith([
      { name: 'disk', emptyDir: {} },
      { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '2Mi' } },
    ]);
    const ready = await volumes.setUp(pod);
    const disk = ready.get('disk')?.hostPath ?? '';
    const memory = ready.get('memory')?.hostPath ?? '';
    assert.equal((await stat(disk)).mode & 0o7777, 0o777);
    const size = await statfs(memory);
    assert.equal(size.blocks * size.bsize, 2 * 1024 * 1024);
    await writeFile(join(memory, 'kept'), 'm');
    await chmod(disk, 0o700);
    await (await restarted()).setUp(pod);
    assert.equal(await readFile(join(memory, 'kept'), 'utf8'), 'm');
    assert.equal((await stat(disk)).mode & 0o777, 0o700);
  },
);

test('hostPath types', needsRoot, async (context) => {
  const { volumes, directory } = await world(context);
  const setUp = (type: string, path: string) =>
    volumes.setUp(podWith([{ name: 'h', hostPath: { path, type } }])).then((ready) => ready.get('h'));
  const made = join(directory, 'made');
  assert.deepEqual(await setUp('DirectoryOrCreate', made), { hostPath: made, readOnly: false });
  assert.ok((await stat(made)).isDirectory());
  await setUp('Directory', made);
  await setUp('FileOrCreate', join(made, 'file'));
  await setUp('File', join(made, 'file'));
  await setUp('CharDevice', '/dev/null');
  await setUp('', join(directory, 'never-made'));
  await assert.rejects(setUp('File', made), notReady(/hostPath type check failed: .* is not a file/));
  await assert.rejects(setUp('Directory', join(directory, 'none')), notReady(/is not a directory/));
  await assert.rejects(setUp('Socket', join(made, 'file')), notReady(/is not a socket file/));
  await assert.rejects(setUp('FileOrCreate', join(directory, 'no/such/file')), notReady(/ENOENT/));
});

test(
  'a claim: every reason why not, then its volume, whose data outlives the pod',
  needsRoot,
  async (context) => {
    const { volumes, objects, directory, restarted } = await world(context);
    const pod = podWith([{ name: 'www', persistentVolumeClaim: { claimName: 'www-web-0' } }], {
      securityContext: { fsGroup: 2000 },
    });
    const refused = (message: RegExp) => assert.rejects(volumes.setUp(pod), notReady(message));
    await refused(/persistentvolumeclaim "www-web-0" not found/);
    const claim = {
      metadata: { name: 'www-web-0', namespace: 'default', uid: 'claim-uid' },
      spec: { volumeName: 'pvc-1' },
      status: { phase: 'Pending' },
    };
    objects.set('persistentvolumeclaims/default/www-web-0', claim);
    await refused(/error processing PVC default\/www-web-0: PVC is not bound/);
    objects.set('persistentvolumeclaims/default/www-web-0', { ...claim, status: { phase: 'Bound' } });
    await refused(/persistentvolume "pvc-1" not found/);
    const volume = {
      metadata: { name: 'pvc-1', annotations: { 'pv.kubernetes.io/provisioned-by': 'stead.dev/local' } },
      spec: {
        capacity: { storage: '20Mi' },
        claimRef: { namespace: 'default', name: 'www-web-0', uid: 'another' },
        local: { path: join(directory, 'volumes', 'pvc-1') },
      },
    };
    objects.set('persistentvolumes/pvc-1', volume);
    await refused(/is bound to another claim/);
    const claimRef = { ...volume.spec.claimRef, uid: 'claim-uid' };
    objects.set('persistentvolumes/pvc-1', {
      ...volume,
      spec: { ...volume.spec, claimRef, local: undefined, nfs: {} },
    });
    await refused(/of a type that this node cannot mount/);
    objects.set('persistentvolumes/pvc-1', { ...volume, spec: { ...volume.spec, claimRef } });
    const path = (await volumes.setUp(pod)).get('www')?.hostPath ?? '';
    assert.equal((await stat(path)).gid, 2000);
    await writeFile(join(path, 'index.html'), 'mine');
    const next = await restarted();
    await next.tearDown('uid-0');
    assert.deepEqual(await next.podsOnDisk(), []);
    assert.equal(mountsBelow(await readMounts(), directory).length, 0);
    const again = { ...pod, metadata: { ...pod.metadata, uid: 'uid-1' } };
    assert.equal((await next.setUp(again)).get('www')?.hostPath, path);
    assert.equal(await readFile(join(path, 'index.html'), 'utf8'), 'mine');
    assert.equal((await stat(join(path, 'index.html'))).gid, 2000);
  },
);

test('a local volume that somebody made is used as it is, and never removed', needsRoot, async (context) => {
  const { volumes, objects, directory } = await world(context);
  const path = join(directory, 'prepared');
  objects.set('persistentvolumeclaims/default/c', {
    metadata: { name: 'c', namespace: 'default', uid: 'u' },
    spec: { volumeName: 'pv' },
    status: { phase: 'Bound' },
  });
  objects.set('persistentvolumes/pv', {
    metadata: { name: 'pv' },
    spec: { local: { path }, claimRef: { namespace: 'default', name: 'c', uid: 'u' } },
  });
  const pod = podWith([{ name: 'v', persistentVolumeClaim: { claimName: 'c', readOnly: true } }]);
  await assert.rejects(volumes.setUp(pod), notReady(/path ".*prepared" does not exist/));
  await mkdir(path);
  await writeFile(join(path, 'file'), '');
  assert.deepEqual((await volumes.setUp(pod)).get('v'), { hostPath: path, readOnly: true });
  await volumes.tearDown('uid-0');
  await lstat(join(path, 'file'));
});

test(
  'a local volume is given to fsGroup, and is not mounted as what it is not',
  needsRoot,
  async (context) => {
    const { volumes, objects, directory } = await world(context);
    const path = join(directory, 'prepared');
    await mkdir(path);
    objects.set('persistentvolumeclaims/default/c', {
      metadata: { name: 'c', namespace: 'default', uid: 'u' },
      spec: { volumeName: 'pv' },
      status: { phase: 'Bound' },
    });
    const volume = (local: object) => ({
      metadata: { name: 'pv' },
      spec: { local, claimRef: { namespace: 'default', name: 'c', uid: 'u' } },
    });
    objects.set('persistentvolumes/pv', volume({ path }));
    const claimed: Volume = { name: 'v', persistentVolumeClaim: { claimName: 'c' } };
    await volumes.setUp(podWith([claimed], { securityContext: { fsGroup: 2000 } }));
    assert.equal((await stat(path)).gid, 2000);
    const volumeDevices = [{ name: 'v', devicePath: '/dev/xvda' }];
    await assert.rejects(
      volumes.setUp(podWith([claimed], { containers: [{ name: 'main', volumeDevices }] })),
      notReady(/volume v has volumeMode Filesystem, but is specified in volumeDevices$/),
    );
    const file = join(directory, 'file');
    await writeFile(file, '');
    objects.set('persistentvolumes/pv', volume({ path: file }));
    await assert.rejects(volumes.setUp(podWith([claimed])), notReady(/"\S+file" is not a directory/));
  },
);

test(
  'ephemeral: the claim that was made for the pod, and no other of its name',
  needsRoot,
  async (context) => {
    const { volumes, objects, directory } = await world(context);
    const claim = (ownerReferences: object[]) => ({
      metadata: { name: 'web-0-scratch', namespace: 'default', uid: 'u', ownerReferences },
      spec: { volumeName: 'pv' },
      status: { phase: 'Bound' },
    });
    objects.set('persistentvolumes/pv', {
      metadata: { name: 'pv' },
      spec: {
        local: { path: directory },
        claimRef: { namespace: 'default', name: 'web-0-scratch', uid: 'u' },
      },
    });
    const pod = podWith([{ name: 'scratch', ephemeral: {} }]);
    objects.set('persistentvolumeclaims/default/web-0-scratch', claim([]));
    await assert.rejects(
      volumes.setUp(pod),
      notReady(/PVC default\/web-0-scratch was not created for pod default\/web-0 \(pod is not owner\)$/),
    );
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'web-0', uid: 'uid-0', controller: true };
    objects.set('persistentvolumeclaims/default/web-0-scratch', claim([owner]));
    assert.equal((await volumes.setUp(pod)).get('scratch')?.hostPath, directory);
  },
);

test('what is made for hostPath has its mode whatever the umask', needsRoot, async (context) => {
  const { volumes, directory } = await world(context);
  const umask = process.umask(0o077);
  context.after(() => process.umask(umask));
  const made = (path: string, type: string) =>
    volumes.setUp(podWith([{ name: 'h', hostPath: { path: join(directory, path), type } }]));
  await made('host/a/b', 'DirectoryOrCreate');
  await made('host/file', 'FileOrCreate');
  const modeOf = async (path: string): Promise<number> => (await stat(join(directory, path))).mode & 0o777;
  assert.deepEqual(
    await Promise.all(['host', 'host/a', 'host/a/b', 'host/file'].map(modeOf)),
    [0o755, 0o755, 0o755, 0o644],
  );
});

test('types that no node of stead mounts are refused by name', needsRoot, async (context) => {
  const { volumes } = await world(context);
  await assert.rejects(
    volumes.setUp(podWith([{ name: 'v', nfs: { server: 'x', path: '/' } }])),
    notReady(/volumes of type nfs are not supported by this node/),
  );
});

test('fsGroup does not follow links out of a volume', needsRoot, async (context) => {
  const { volumes, directory } = await world(context);
  const outside = join(directory, 'outside');
  await writeFile(outside, '', { mode: 0o600 });
  const pod = podWith([{ name: 'v', emptyDir: {} }]);
  const path = (await volumes.setUp(pod)).get('v')?.hostPath ?? '';
  await symlink(outside, join(path, 'link'));
  await volumes.setUp({ ...pod, spec: { ...pod.spec, securityContext: { fsGroup: 99 } } });
  assert.equal((await lstat(join(path, 'link'))).gid, 99);
  assert.equal((await stat(outside)).gid, 0);
  assert.equal((await stat(outside)).mode & 0o777, 0o600);
  await rm(outside);
});

test(
  'image: its files are shown, read-only and not to be executed, and let go with the pod',
  needsRoot,
  async (context) => {
    const { volumes, images, objects, restarted } = await world(context);
    const auth = { 'r.example': { username: 'me', password: 'p' } };
    objects.set('secrets/default/keys', {
      metadata: {},
      data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths: auth })).toString('base64') },
    });
    const pod = podWith(
      [{ name: 'files', image: { reference: 'r.example/a:1', pullPolicy: 'IfNotPresent' } }],
      {
        imagePullSecrets: [{ name: 'keys' }],
      },
    );
    const ready = (await volumes.setUp(pod)).get('files');
    assert.ok(ready);
    assert.deepEqual([ready.readOnly, ready.sealed], [true, true]);
    await assert.rejects(writeFile(join(ready.hostPath, 'new'), ''), { code: 'EROFS' });
    await assert.rejects(runCommand(join(ready.hostPath, 'run'), []), /EACCES/);
    const place = { podUid: 'uid-0', container: 'main', index: 0 };
    const file = await volumes.subPath(place, ready, 'run');
    assert.equal(await readFile(file, 'utf8'), '#!/bin/sh\n');
    await assert.rejects(writeFile(file, ''), { code: 'EROFS' });
    const another = await restarted();
    assert.deepEqual((await another.setUp(pod)).get('files'), ready);
    await another.tearDown('uid-0');
    assert.deepEqual(images.did, [
      'pull r.example/a:1 as me',
      'keep stead-volume/uid-0/files: r.example/a:1',
      'let go stead-volume/uid-0/files',
    ]);
    assert.deepEqual(await another.podsOnDisk(), []);
  },
);

test('image: one that is not there is said so', needsRoot, async (context) => {
  const { volumes, images } = await world(context);
  const of = (reference: string, pullPolicy: string) =>
    volumes.setUp(podWith([{ name: 'files', image: { reference, pullPolicy } }]));
  await assert.rejects(of('a:1', 'Never'), notReady(/"a:1" is not present with pull policy of Never$/));
  await assert.rejects(of('none:1', 'Always'), notReady(/Failed to pull image "none:1": not found$/));
  await assert.rejects(of('', 'Always'), notReady(/image.reference is empty/));
  await assert.rejects(of('No:1', 'IfNotPresent'), (error: unknown) => {
    assert.ok(error instanceof VolumeNotReadyError);
    assert.equal(error.reason, 'InspectFailed');
    assert.match(
      error.message,
      /Failed to apply default image tag "No:1": couldn't parse image name "No:1": invalid/,
    );
    return true;
  });
  images.present.add('a:1');
  await of('a:1', 'Never');
});

test(
  'a subPath of a configMap is its file, and what is not there is not made',
  needsRoot,
  async (context) => {
    const { volumes, objects, directory } = await world(context);
    objects.set('configmaps/default/settings', { metadata: {}, data: { 'app.conf': 'a=1' } });
    const pod = podWith([{ name: 'settings', configMap: { name: 'settings' } }]);
    const ready = (await volumes.setUp(pod)).get('settings');
    assert.ok(ready);
    const place = { podUid: 'uid-0', container: 'main', index: 3 };
    assert.equal(await readFile(await volumes.subPath(place, ready, 'app.conf'), 'utf8'), 'a=1');
    await assert.rejects(volumes.subPath(place, ready, 'none'), { code: 'ENOENT' });
    await volumes.tearDown('uid-0');
    assert.deepEqual(mountsBelow(await readMounts(), directory), []);
    assert.deepEqual(await volumes.podsOnDisk(), []);
  },
);

test('no other user of the machine reaches the volumes of pods', needsRoot, async (context) => {
  const { directory, restarted } = await world(context);
  await chmod(join(directory, 'pod-volumes'), 0o755);
  await restarted();
  assert.equal((await stat(join(directory, 'pod-volumes'))).mode & 0o077, 0);
});
