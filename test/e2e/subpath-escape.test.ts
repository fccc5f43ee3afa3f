// Volumes as others than their owner see them: a pod that swaps a directory for a link to `/` all the time gets no
// other pod to the host's files; who may write into a volume may write into its subPaths; the files of an image are
// there to read; and nothing of it all is left behind, also after a kill.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startSwapper } from '../../src/node/machine/test-swapper.ts';
import { eventually, noContainers, TestStead } from '../kit/stead.ts';

const VICTIMS = Array.from({ length: 8 }, (_, index) => `victim-${index}`);

const OWNER = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: shared}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 64Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: owner}
spec:
  terminationGracePeriodSeconds: 0
  volumes: [{name: v, persistentVolumeClaim: {claimName: shared}}]
  containers:
  - name: c
    image: stead.dev/toolbox:1
    command: [sh, -c, "mkdir /v/real && touch /v/real/inside && ln -s / /v/link && sleep 10000"]
    volumeMounts: [{name: v, mountPath: /v}]
`;

const victim = (name: string): string => `
---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, labels: {app: victim}}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  volumes: [{name: v, persistentVolumeClaim: {claimName: shared}}]
  containers:
  - name: c
    image: stead.dev/toolbox:1
    command: [sh, -c, "ls -A /mnt | tr '\\\\n' ' '; ls -A /new | tr '\\\\n' ' '"]
    volumeMounts:
    - {name: v, mountPath: /mnt, subPath: x}
    - {name: v, mountPath: /new, subPath: x/made}
`;

const WRITER = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 64Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: writer}
spec:
  terminationGracePeriodSeconds: 0
  securityContext: {fsGroup: 1001, runAsUser: 1001, runAsGroup: 1001}
  containers:
  - name: c
    image: stead.dev/toolbox:1
    command: [sh, -c, "touch /empty/f /claim/f && echo written > /claim/f; sleep 10000"]
    volumeMounts:
    - {name: scratch, mountPath: /empty, subPath: a/b}
    - {name: data, mountPath: /claim, subPath: c/d}
    - {name: files, mountPath: /image}
    - {name: files, mountPath: /bin-of-image, subPath: usr/bin}
  volumes:
  - {name: scratch, emptyDir: {}}
  - {name: data, persistentVolumeClaim: {claimName: data}}
  - {name: files, image: {reference: "stead.dev/toolbox:1", pullPolicy: Never}}
`;

/** Where the files of a PersistentVolume of stead's own lie, as an image or as a directory. */
async function directoryOf(stead: TestStead, volume: string): Promise<string> {
  const places = ['mount', 'data'].map((name) => join(stead.dataDirectory, 'volumes', volume, name));
  const [found] = places.filter((place) => existsSync(join(place, 'real')));
  assert.ok(found, `the volume ${volume} is in none of ${places}`);
  return found;
}

describe('volumes that others write to', { skip: noContainers }, () => {
  let stead: TestStead;
  before(async () => {
    stead = await TestStead.start('toolbox');
  });
  after(() => stead?.purge());

  it('never lead to the host, however fast a directory is swapped for a link', async () => {
    await stead.apply(OWNER);
    await stead.kubectl('wait', 'pod/owner', '--for=condition=Ready', '--timeout=60s');
    await eventually(
      'there is something to swap',
      () => stead.exec('owner', 'ls', '/v'),
      (names) => names.includes('link'),
    );
    const volume = await stead.field('pvc/shared', '.spec.volumeName');
    // What a pod can do with renameat2, from here: the volume is the same.
    const stop = await startSwapper(await directoryOf(stead, volume));
    await stead.apply(VICTIMS.map(victim).join(''));
    const phase = (name: string): Promise<string> => stead.field(`pod/${name}`, '.status.phase');
    for (const name of VICTIMS) {
      await eventually(
        `${name} has looked`,
        () => phase(name),
        (now) => now === 'Succeeded',
      );
      const seen = (await stead.kubectl('logs', name)).trim().split(/\s+/);
      assert.deepEqual(
        seen.filter((file) => !['inside', 'made', ''].includes(file)),
        [],
        `${name} has seen the host`,
      );
    }
    await stop();
    await stead.kubectl('delete', 'pod', '-l', 'app=victim');
    await stead.kubectl('delete', 'pod/owner', 'pvc/shared');
  });

  it('are as writable in a subPath as at their root, and show the files of an image', async () => {
    await stead.apply(WRITER);
    await stead.kubectl('wait', 'pod/writer', '--for=condition=Ready', '--timeout=60s');
    await eventually(
      'it has written',
      () => stead.exec('writer', 'cat', '/claim/f'),
      (text) => text === 'written\n',
    );
    const shown = await stead.exec('writer', 'stat', '-c', '%a %g', '/empty', '/claim');
    assert.equal(shown, '2777 1001\n2777 1001\n');
    const script = 'ls /image/bin/busybox; touch /image/x; touch /bin-of-image/x; /image/bin/busybox true';
    const tried = await stead.tryKubectl(['exec', 'writer', '--', 'sh', '-c', script]);
    assert.equal(tried.stdout, '/image/bin/busybox\n');
    assert.equal(tried.stderr.match(/Read-only file system/g)?.length, 2, tried.stderr);
    assert.match(tried.stderr, /busybox: Permission denied/);
  });

  it('are found again by the next stead, and are let go with the pod', async () => {
    const ours = (): string[] =>
      readFileSync('/proc/self/mountinfo', 'utf8')
        .split('\n')
        .filter((line) => line.includes(join(stead.dataDirectory, 'pod-volumes')));
    await eventually(
      'three subPaths, the image and the token are mounted, and nothing of pods that have gone',
      async () => ours(),
      (mounts) => mounts.length === 5,
    );
    stead.kill();
    await stead.up();
    assert.equal(await stead.exec('writer', 'cat', '/claim/f'), 'written\n');
    await stead.kubectl('delete', 'pod/writer');
    await eventually(
      'nothing is mounted',
      async () => ours(),
      (mounts) => mounts.length === 0,
    );
  });

  it('do not make the node read what has no end', async () => {
    const script = 'truncate -s 1900M /dev/termination-log; printf end >> /dev/termination-log; exit 1';
    await stead.kubectl(
      ...[
        'run',
        'talker',
        '--image=stead.dev/toolbox:1',
        '--restart=Never',
        '--command',
        '--',
        'sh',
        '-c',
        script,
      ],
    );
    const message = await eventually(
      'its last words are known',
      () => stead.field('pod/talker', '.status.containerStatuses[0].state.terminated.message'),
      (text) => text !== '',
    );
    assert.ok(message.endsWith('end'));
    assert.equal(message.length, 4096);
    const refused = await stead.run('image', 'load', '/dev/zero');
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /not a regular file/);
  });
});
