import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { runCommand } from '../machine/command.ts';
import { mountsBelow, readMounts, removeUnmounted } from '../machine/mounts.ts';
import { startSwapper } from '../machine/test-swapper.ts';
import { bindSubPath } from './sub-paths.ts';

const needsRoot = process.getuid?.() === 0 ? {} : { skip: 'mounting needs root' };

async function places(context: TestContext): Promise<{ directory: string; volume: string; target: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'stead-sub-paths-'));
  context.after(() => removeUnmounted(runCommand, directory));
  const volume = join(directory, 'volume');
  await mkdir(join(volume, 'a'), { recursive: true });
  return { directory, volume, target: join(directory, 'targets', 'web', '0') };
}

test('a path inside a volume is mounted, and another one in its place', needsRoot, async (context) => {
  const { directory, volume, target } = await places(context);
  const ready = { hostPath: volume, readOnly: false };
  await writeFile(join(volume, 'a', 'one'), '1');
  await bindSubPath(runCommand, ready, 'a', target);
  assert.deepEqual(await readdir(target), ['one']);
  await bindSubPath(runCommand, ready, 'a', target);
  assert.equal(mountsBelow(await readMounts(), directory).length, 1, 'the same is not mounted twice');
  await rename(join(volume, 'a'), join(volume, 'old'));
  await bindSubPath(runCommand, ready, 'a', target);
  assert.deepEqual(await readdir(target), []);
  await bindSubPath(runCommand, ready, 'old/one', target);
  assert.equal(await readFile(target, 'utf8'), '1');
  assert.equal(mountsBelow(await readMounts(), directory).length, 1);
});

test('nothing is made in a read-only volume', needsRoot, async (context) => {
  const { volume, target } = await places(context);
  await assert.rejects(bindSubPath(runCommand, { hostPath: volume, readOnly: true }, 'new', target), {
    code: 'ENOENT',
  });
  assert.deepEqual(await readdir(volume), ['a']);
});

test('what is mounted is inside, however fast it is swapped for a link', needsRoot, async (context) => {
  const { directory, volume, target } = await places(context);
  const outside = join(directory, 'outside');
  await mkdir(outside);
  await writeFile(join(outside, 'secret'), '');
  await mkdir(join(volume, 'real'));
  await symlink(outside, join(volume, 'link'));
  const stop = await startSwapper(volume);
  let mounted = 0;
  for (let round = 0; round < 60; round++) {
    try {
      await bindSubPath(runCommand, { hostPath: volume, readOnly: false }, 'x', target);
    } catch {
      continue;
    }
    mounted++;
    assert.ok(!(await readdir(target)).includes('secret'), `round ${round} shows what is outside`);
  }
  await stop();
  assert.ok(mounted > 0);
  await rm(outside, { recursive: true });
});
