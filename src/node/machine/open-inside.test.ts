import assert from 'node:assert/strict';
import {
  chmod,
  type FileHandle,
  mkdir,
  mkdtemp,
  readdir,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { NotInsideError, openInside, pathOf } from './open-inside.ts';
import { startSwapper } from './test-swapper.ts';

/** A volume beside something that must not be reached from it. */
async function places(context: TestContext): Promise<{ volume: string; outside: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'stead-open-inside-'));
  context.after(() => rm(directory, { recursive: true }));
  const volume = join(directory, 'volume');
  const outside = join(directory, 'outside');
  await mkdir(join(volume, 'a', 'b'), { recursive: true });
  await mkdir(outside);
  await writeFile(join(outside, 'secret'), '');
  return { volume, outside };
}

/** What is opened at a path, by its inode. */
async function inodeAt(volume: string, path: string, make = false): Promise<number> {
  const handle = await openInside(volume, path, { make });
  const { ino } = await handle.stat().finally(() => handle.close());
  return ino;
}

async function openDescriptors(): Promise<number> {
  return (await readdir('/proc/self/fd')).length;
}

test('directories, files and links that stay inside are opened', async (context) => {
  const { volume } = await places(context);
  await writeFile(join(volume, 'a', 'file'), '');
  await symlink('../a/./b/..', join(volume, 'a', 'back'));
  await symlink(join(volume, 'a'), join(volume, 'absolute'));
  await symlink('/', join(volume, 'a', 'unused'));
  const before = await openDescriptors();
  const inode = async (path: string): Promise<number> => (await stat(join(volume, path))).ino;
  assert.equal(await inodeAt(volume, 'a/b'), await inode('a/b'));
  assert.equal(await inodeAt(volume, './a//b/'), await inode('a/b'));
  assert.equal(await inodeAt(volume, '.'), await inode('.'));
  assert.equal(await inodeAt(volume, 'a/file'), await inode('a/file'));
  assert.equal(await inodeAt(volume, 'a/back/b'), await inode('a/b'));
  assert.equal(await inodeAt(volume, 'absolute/b'), await inode('a/b'));
  assert.equal(await openDescriptors(), before);
});

test('what leads out, round in circles or to nothing is refused, and nothing stays open', async (context) => {
  const { volume, outside } = await places(context);
  await symlink(outside, join(volume, 'absolute'));
  await symlink('../../outside', join(volume, 'a', 'relative'));
  await symlink('loop', join(volume, 'loop'));
  await symlink(`${volume}-not`, join(volume, 'like'));
  const before = await openDescriptors();
  for (const path of [
    '..',
    'a/../..',
    'absolute',
    'absolute/secret',
    'a/relative',
    'loop',
    'like',
    'like/x',
  ]) {
    await assert.rejects(inodeAt(volume, path, true), NotInsideError, path);
  }
  await assert.rejects(inodeAt(volume, 'a/none'), { code: 'ENOENT' });
  await writeFile(join(volume, 'file'), '');
  await assert.rejects(inodeAt(volume, 'file/x', true), { code: 'ENOTDIR' });
  assert.deepEqual(await readdir(outside), ['secret']);
  assert.equal(await openDescriptors(), before);
});

test('directories that are made are like the root, whatever the umask', async (context) => {
  const { volume } = await places(context);
  await chmod(volume, 0o2775);
  const umask = process.umask(0o077);
  context.after(() => process.umask(umask));
  await inodeAt(volume, 'x/y/z', true);
  const { gid } = await stat(volume);
  for (const path of ['x', 'x/y', 'x/y/z']) {
    const made = await stat(join(volume, path));
    assert.equal((made.mode & 0o7777).toString(8), '2775', path);
    assert.equal(made.gid, gid);
  }
  assert.notEqual((await stat(join(volume, 'a'))).mode & 0o7777, 0o2775, 'what was there stays as it is');
});

for (const make of [false, true]) {
  test(`a directory that is swapped for a link all the time never leads out${make ? ', nor do new ones' : ''}`, async (context) => {
    const { volume, outside } = await places(context);
    await mkdir(join(volume, 'real'));
    await symlink(outside, join(volume, 'link'));
    const stop = await startSwapper(volume);
    const before = await openDescriptors();
    let opened = 0;
    for (let round = 0; round < 500; round++) {
      let handle: FileHandle | undefined;
      try {
        handle = await openInside(volume, make ? 'x/made' : 'x', { make });
      } catch (error) {
        if (!(error instanceof NotInsideError))
          assert.ok(error instanceof Error && 'code' in error, String(error));
        continue;
      }
      opened++;
      assert.ok(!(await readdir(pathOf(handle))).includes('secret'), `round ${round} opened what is outside`);
      await handle.close();
    }
    assert.equal(await openDescriptors(), before);
    await stop();
    assert.ok(opened > 0);
    assert.deepEqual(await readdir(outside), ['secret']);
  });
}
