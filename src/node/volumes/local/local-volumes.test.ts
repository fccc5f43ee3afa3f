import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { access, mkdtemp, readFile, rename, stat, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { LOCAL_PROVISIONER } from '../../../api/between/local-volumes.ts';
import { silentLog } from '../../../base/log.ts';
import type { RunCommand } from '../../../base/machine-command.ts';
import { runCommand } from '../../machine/command.ts';
import { listLoopDevices } from '../../machine/loop-devices.ts';
import { mountAt, mountsBelow, readMounts, removeUnmounted } from '../../machine/mounts.ts';
import { VolumeNotReadyError } from '../volumes.ts';
import { probeBacking } from './backing.ts';
import { cleanUpAll } from './clean-up.ts';
import { imageFile, type LocalVolume, localVolumeOf, mountDirectory } from './layout.ts';
import { LocalVolumes, prepareVolumesDirectory } from './local-volumes.ts';

const MIB = 1024 * 1024;
const isRoot = process.getuid?.() === 0;

interface Scratch {
  directory: string;
  volumes: LocalVolumes;
  volume(name: string, sizeMib: number): LocalVolume;
  /** A second process of stead in the same place. */
  again(): LocalVolumes;
}

async function scratch(context: TestContext, run: RunCommand = runCommand): Promise<Scratch> {
  const directory = await mkdtemp(join(tmpdir(), 'stead-volumes-'));
  context.after(async () => {
    await cleanUpAll(runCommand, [directory]);
    await removeUnmounted(runCommand, directory);
  });
  const volumesDirectory = await prepareVolumesDirectory(directory);
  const again = (): LocalVolumes => new LocalVolumes({ volumesDirectory, run, log: silentLog });
  const volume = (name: string, sizeMib: number): LocalVolume => ({
    name,
    directory: join(volumesDirectory, name),
    sizeBytes: sizeMib * MIB,
    mountOptions: [],
  });
  return { directory, volumes: again(), volume, again };
}

const kindHere = isRoot ? (await probeBacking(runCommand, tmpdir())).kind : 'directory';
const needsXfs = kindHere === 'xfs-image' ? {} : { skip: `XFS images are not possible here: ${kindHere}` };

/** Writes zeros until the file system is full; returns the bytes that it took. */
async function fill(file: string): Promise<number> {
  const out = createWriteStream(file);
  const chunk = Buffer.alloc(MIB);
  const failed = once(out, 'error');
  let full = false;
  out.on('error', () => {
    full = true;
  });
  while (!full) {
    if (!out.write(chunk)) await Promise.race([once(out, 'drain').catch(() => {}), failed.catch(() => {})]);
  }
  const [error] = await failed;
  assert.equal(error.code, 'ENOSPC');
  return (await stat(file)).size;
}

test('a claim’s size is usable, is what df shows, and is a limit', needsXfs, async (context) => {
  const { volumes, volume } = await scratch(context);
  const files = await volumes.use(volume('a', 200), 'pod-1');
  const shown = await statfs(files);
  const available = (shown.bavail * shown.bsize) / MIB;
  assert.ok(available >= 200 && available < 206, `${available} MiB are available`);
  assert.ok((shown.blocks * shown.bsize) / MIB < 220);
  const taken = (await fill(join(files, 'data'))) / MIB;
  assert.ok(taken > 199 && taken < 206, `${taken} MiB could be written`);
});

test('a large claim and a tiny one hold at least their sizes', needsXfs, async (context) => {
  const { volumes, volume } = await scratch(context);
  for (const sizeMib of [1, 280, 1500]) {
    const shown = await statfs(await volumes.use(volume(`v${sizeMib}`, sizeMib), 'pod-1'));
    const available = (shown.bavail * shown.bsize) / MIB;
    assert.ok(available >= sizeMib && available < sizeMib * 1.05 + 15, `${sizeMib}: ${available} MiB`);
  }
});

test('two pods share one mount; the last to go unmounts it; data stays', needsXfs, async (context) => {
  const { volumes, volume } = await scratch(context);
  const shared = volume('a', 20);
  const files = await volumes.use(shared, 'pod-1');
  assert.equal((await stat(files)).mode & 0o7777, 0o777);
  await writeFile(join(files, 'kept'), 'data');
  assert.equal(await volumes.use(shared, 'pod-2'), files);
  assert.equal(await volumes.use(shared, 'pod-2'), files);
  assert.equal(mountsBelow(await readMounts(), shared.directory).length, 1);
  await volumes.release(shared, 'pod-1');
  assert.equal(await readFile(join(files, 'kept'), 'utf8'), 'data');
  await volumes.release(shared, 'pod-2');
  await volumes.release(shared, 'pod-2');
  assert.equal(mountsBelow(await readMounts(), shared.directory).length, 0);
  assert.deepEqual(await loopFiles(shared.directory), []);
  const later = await volumes.use(shared, 'pod-3');
  assert.equal(await readFile(join(later, 'kept'), 'utf8'), 'data');
});

async function loopFiles(directory: string): Promise<string[]> {
  return (await listLoopDevices(runCommand))
    .map(({ file }) => file)
    .filter((file) => file.startsWith(directory));
}

test('many pods ask for one new volume at once: it is made once', needsXfs, async (context) => {
  const { volumes, volume } = await scratch(context);
  const shared = volume('a', 20);
  await Promise.all(['1', '2', '3', '4'].map((uid) => volumes.use(shared, uid)));
  assert.equal(mountsBelow(await readMounts(), shared.directory).length, 1);
});

test('a new process goes on with a mount that is in use', needsXfs, async (context) => {
  const { volumes, volume, again } = await scratch(context);
  const files = await volumes.use(volume('a', 20), 'pod-1');
  const device = mountAt(await readMounts(), files)?.source;
  const second = again();
  assert.equal(await second.use(volume('a', 20), 'pod-1'), files);
  assert.equal(mountAt(await readMounts(), files)?.source, device);
  assert.equal(await second.remove(volume('a', 20)), false);
  await second.release(volume('a', 20), 'pod-1');
  assert.equal(await second.remove(volume('a', 20)), true);
  await assert.rejects(access(volume('a', 20).directory));
  assert.equal(await second.remove(volume('a', 20)), true);
});

test('killed after any command, the next process finishes the work', needsXfs, async (context) => {
  for (let limit = 0; ; limit++) {
    let commands = 0;
    let killed = (): void => {};
    const death = new Promise<boolean>((resolve) => {
      killed = () => resolve(true);
    });
    const dying: RunCommand = (program, args, options) => {
      if (commands++ < limit) return runCommand(program, args, options);
      killed();
      return new Promise(() => {});
    };
    const { volumes, volume, again } = await scratch(context, dying);
    const dead = await Promise.race([death, volumes.use(volume('a', 20), 'pod-1').then(() => false)]);
    if (!dead) {
      assert.ok(limit > 8, `${limit} commands`);
      break;
    }
    const healthy = new LocalVolumes({
      volumesDirectory: again().volumesDirectory,
      run: runCommand,
      log: silentLog,
    });
    const files = await healthy.use(volume('a', 20), 'pod-1');
    const shown = await statfs(files);
    assert.ok(shown.bavail * shown.bsize >= 20 * MIB, `after ${limit} commands`);
    assert.equal(mountsBelow(await readMounts(), volume('a', 20).directory).length, 1);
  }
});

test('a device that was attached but not mounted is used or freed', needsXfs, async (context) => {
  const { volumes, volume } = await scratch(context);
  const mine = volume('a', 20);
  await volumes.use(mine, 'pod-1');
  await volumes.release(mine, 'pod-1');
  await runCommand('losetup', ['--find', imageFile(mine, 'xfs')]);
  await volumes.use(mine, 'pod-1');
  assert.equal((await loopFiles(mine.directory)).length, 1);
  await volumes.release(mine, 'pod-1');
  assert.deepEqual(await loopFiles(mine.directory), []);
  await runCommand('losetup', ['--find', imageFile(mine, 'xfs')]);
  assert.equal(await volumes.remove(mine), true);
  assert.deepEqual(await loopFiles(mine.directory), []);
});

test('grows while in use, and while not; never shrinks', needsXfs, async (context) => {
  const { volumes, volume } = await scratch(context);
  const files = await volumes.use(volume('a', 20), 'pod-1');
  await writeFile(join(files, 'big'), Buffer.alloc(15 * MIB));
  await volumes.grow(volume('a', 20), 60 * MIB);
  const grown = await statfs(files);
  const free = (grown.bavail * grown.bsize) / MIB;
  assert.ok(free >= 45 && free < 50, `${free} MiB free of 60 with 15 in use`);
  await volumes.grow(volume('a', 60), 30 * MIB);
  assert.equal((await statfs(files)).blocks, grown.blocks);
  await volumes.release(volume('a', 60), 'pod-1');
  await volumes.grow(volume('a', 60), 100 * MIB);
  assert.equal(mountAt(await readMounts(), files), undefined);
  // The object's new size alone is enough, too: a pod that starts gets it.
  const later = await statfs(await volumes.use(volume('a', 140), 'pod-2'));
  const laterFree = (later.bavail * later.bsize) / MIB;
  assert.ok(laterFree >= 124 && laterFree < 132, `${laterFree} MiB free of 140 with 15 in use`);
});

test('an ext4 volume is made, enforced, and grown when no pod uses it', {
  skip: !isRoot,
}, async (context) => {
  const noXfs: RunCommand = (program, args, options) =>
    program === 'mkfs.xfs' ? Promise.reject(new Error('not installed')) : runCommand(program, args, options);
  const { volumes, volume } = await scratch(context, noXfs);
  const backing = await volumes.backing();
  if (backing.kind !== 'ext4-image') return context.skip(backing.why);
  assert.match(backing.why, /XFS is not possible: not installed/);
  const files = await volumes.use(volume('a', 30), 'pod-1');
  const shown = await statfs(files);
  const available = (shown.bavail * shown.bsize) / MIB;
  assert.ok(available >= 30 && available < 45, `${available} MiB`);
  await volumes.release(volume('a', 30), 'pod-1');
  const grown = await statfs(await volumes.use(volume('a', 90), 'pod-1'));
  assert.ok(grown.bavail * grown.bsize >= 85 * MIB);
});

test('without loop devices a volume is a plain directory', async (context) => {
  const noTools: RunCommand = (program, args, options) =>
    program.startsWith('mkfs')
      ? Promise.reject(new Error(`${program} is not installed`))
      : runCommand(program, args, options);
  const { volumes, volume } = await scratch(context, noTools);
  const backing = await volumes.backing();
  assert.equal(backing.kind, 'directory');
  assert.match(backing.why, /not enforced/);
  const files = await volumes.use(volume('a', 30), 'pod-1');
  await writeFile(join(files, 'kept'), 'data');
  await volumes.release(volume('a', 30), 'pod-1');
  assert.equal(await readFile(join(await volumes.use(volume('a', 30), 'pod-2'), 'kept'), 'utf8'), 'data');
  await volumes.release(volume('a', 30), 'pod-2');
  assert.equal(await volumes.remove(volume('a', 30)), true);
});

test('a disk without room is refused in one sentence, and leaves nothing', needsXfs, async (context) => {
  const { volumes, volume } = await scratch(context);
  const huge = volume('a', 1024 * 1024 * 64);
  await assert.rejects(volumes.use(huge, 'pod-1'), (error) => {
    assert.ok(error instanceof VolumeNotReadyError);
    assert.match(
      error.message,
      /^not enough disk space for volume "a": it needs \d+Mi below .*, \d+Mi are free/,
    );
    return true;
  });
  await assert.rejects(access(`${imageFile(huge, 'xfs')}.part`));
  const files = await volumes.use(volume('b', 20), 'pod-1');
  await assert.rejects(volumes.grow(volume('b', 20), huge.sizeBytes), /not enough disk space/);
  await writeFile(join(files, 'still'), 'works');
});

test(
  'clean-up refuses while something is in use, and then leaves no mount or device',
  needsXfs,
  async (context) => {
    const { directory, volumes, volume } = await scratch(context);
    const files = await volumes.use(volume('a', 20), 'pod-1');
    const held = createWriteStream(join(files, 'open'));
    await once(held, 'open');
    await assert.rejects(cleanUpAll(runCommand, [directory]), /busy/);
    held.end();
    await once(held, 'close');
    await cleanUpAll(runCommand, [directory, join(directory, 'not-there')]);
    await cleanUpAll(runCommand, [directory]);
    assert.equal(mountsBelow(await readMounts(), directory).length, 0);
    assert.deepEqual(await loopFiles(directory), []);
  },
);

test('only directories below the node’s own are ever touched', () => {
  const volumeAt = (path: string) => ({
    metadata: { name: 'pv', annotations: { 'pv.kubernetes.io/provisioned-by': LOCAL_PROVISIONER } },
    spec: { local: { path }, capacity: { storage: '1Gi' } },
  });
  assert.equal(localVolumeOf(volumeAt('/data/volumes/pv'), '/data/volumes')?.sizeBytes, 1024 * MIB);
  for (const path of [
    '/etc',
    '/data/volumes',
    '/data/volumes/',
    '/data/volumes/../x',
    '/data/volumes/a/b',
    '/data/volumesx/a',
  ]) {
    assert.throws(() => localVolumeOf(volumeAt(path), '/data/volumes'), /spec\.local\.path/);
  }
  const foreign = { metadata: { name: 'pv' }, spec: { local: { path: '/etc' } } };
  assert.equal(localVolumeOf(foreign, '/data/volumes'), undefined);
});

test('mount points and images move with their volume’s directory', needsXfs, async (context) => {
  const { volumes, volume } = await scratch(context);
  await volumes.use(volume('a', 20), 'pod-1');
  await writeFile(join(mountDirectory(volume('a', 20)), 'kept'), 'data');
  await volumes.release(volume('a', 20), 'pod-1');
  await rename(volume('a', 20).directory, volume('b', 20).directory);
  assert.equal(await readFile(join(await volumes.use(volume('b', 20), 'pod-1'), 'kept'), 'utf8'), 'data');
});
