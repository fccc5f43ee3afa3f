import assert from 'node:assert/strict';
import { chmod, lstat, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { MAX_DEPTH } from '../machine/open-inside.ts';
import { startSwapper } from '../machine/test-swapper.ts';
import { giveToGroup } from './ownership.ts';
import { VolumeNotReadyError } from './volumes.ts';

const needsRoot = process.getuid?.() === 0 ? {} : { skip: 'giving files to a group needs root' };
const GID = 4711;
const GROUP = { gid: GID, onlyOnMismatch: false };

async function temporary(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'stead-ownership-'));
  context.after(() => rm(directory, { recursive: true }));
  return directory;
}

test(
  'everything in a volume is the group’s, links themselves and not what they name',
  needsRoot,
  async (context) => {
    const directory = await temporary(context);
    const volume = join(directory, 'volume');
    await mkdir(join(volume, 'a'), { recursive: true, mode: 0o700 });
    await writeFile(join(volume, 'a', 'run'), '', { mode: 0o700 });
    await chmod(join(volume, 'a', 'run'), 0o4700);
    await writeFile(join(directory, 'outside'), '', { mode: 0o600 });
    await symlink('../outside', join(volume, 'link'));
    await giveToGroup(volume, GROUP);
    const modes = await Promise.all(
      ['.', 'a', 'a/run', 'link'].map(async (path) => {
        const { gid, mode } = await lstat(join(volume, path));
        return [path, gid, (mode & 0o7777).toString(8)];
      }),
    );
    assert.deepEqual(modes, [
      ['.', GID, '2770'],
      ['a', GID, '2770'],
      ['a/run', GID, '4760'],
      ['link', GID, '777'],
    ]);
    const { gid, mode } = await stat(join(directory, 'outside'));
    assert.deepEqual([gid, mode & 0o7777], [process.getgid?.(), 0o600]);
  },
);

test(
  'what is outside stays as it is while directories and files are swapped for links',
  needsRoot,
  async (context) => {
    const directory = await temporary(context);
    const [volume, outside] = [join(directory, 'volume'), join(directory, 'outside')];
    await mkdir(join(volume, 'real'), { recursive: true });
    await mkdir(join(volume, 'files'));
    await mkdir(join(outside, 'deep'), { recursive: true, mode: 0o700 });
    await writeFile(join(outside, 'deep', 'secret'), '', { mode: 0o600 });
    await symlink(outside, join(volume, 'link'));
    await writeFile(join(volume, 'files', 'real'), '');
    await symlink(join(outside, 'deep', 'secret'), join(volume, 'files', 'link'));
    const stops = [await startSwapper(volume), await startSwapper(join(volume, 'files'))];
    for (let round = 0; round < 200; round++) {
      await giveToGroup(volume, { ...GROUP, gid: GID + (round % 2) });
    }
    for (const stop of stops) await stop();
    for (const path of ['.', 'deep', 'deep/secret']) {
      assert.equal((await stat(join(outside, path))).gid, process.getgid?.(), path);
    }
    assert.equal((await stat(join(outside, 'deep', 'secret'))).mode & 0o7777, 0o600);
  },
);

test('a volume nested deeper than files can be held open is refused', needsRoot, async (context) => {
  const directory = await temporary(context);
  const volume = join(directory, 'volume');
  await mkdir(join(volume, ...Array.from({ length: MAX_DEPTH + 1 }, () => 'd')), { recursive: true });
  await assert.rejects(giveToGroup(volume, GROUP), VolumeNotReadyError);
});

test('a volume is given up as soon as nobody waits for it', needsRoot, async (context) => {
  const directory = await temporary(context);
  await writeFile(join(directory, 'file'), '');
  const before = (await stat(directory)).gid;
  await assert.rejects(giveToGroup(directory, GROUP, AbortSignal.abort()), /given up: the pod is to end/);
  assert.equal((await stat(directory)).gid, before, 'its root does not say that it is done');
});
