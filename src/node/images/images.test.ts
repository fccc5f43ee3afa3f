import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { runCommand } from '../machine/command.ts';
import { imageArchive, writeImageArchive } from './archive.ts';
import { fullName, loadImage } from './import.ts';
import { pauseImageArchive } from './pause-image.ts';
import { pauseProgram } from './pause-program.ts';
import { filesOfTar, TAR_END, tarHeader, tarOf } from './tar.ts';

async function* chunks(content: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

test('a tar archive is read back, however it is cut into chunks', async () => {
  const files = [0, 1, 511, 512, 513, 2000].map((size) => ({
    name: `file-${size}`,
    mode: 0o644,
    content: Buffer.alloc(size, size % 256),
  }));
  const archive = tarOf(files);
  for (const chunk of [1, 7, 512, 600, 1e6]) {
    const read = await filesOfTar(chunks(archive, chunk), (name) => name !== 'file-512', 4096);
    assert.deepEqual(
      [...read.keys()],
      files.map(({ name }) => name).filter((name) => name !== 'file-512'),
    );
    for (const { name, content } of files)
      if (name !== 'file-512') assert.ok(read.get(name)?.equals(content));
  }
  await assert.rejects(
    filesOfTar(chunks(archive, 100), () => true, 1000),
    /larger than 1000 bytes/,
  );
});

test('an archive written from a file equals one made in memory', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'stead-images-'));
  try {
    const image = { name: 'stead.dev/x:1', architecture: 'amd64', config: { Cmd: ['x'] } };
    const layer = tarOf([{ name: 'x', mode: 0o755, content: Buffer.from('x') }]);
    await writeFile(join(directory, 'layer.tar'), layer);
    await writeImageArchive(image, join(directory, 'layer.tar'), join(directory, 'image.tar'));
    assert.ok((await readFile(join(directory, 'image.tar'))).equals(imageArchive(image, layer)));
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('the pause image’s manifest names its configuration and layer', async () => {
  const files = await filesOfTar(chunks(pauseImageArchive('arm64'), 512), () => true, 1e6);
  const [manifest] = JSON.parse(String(files.get('manifest.json')));
  assert.deepEqual(manifest, {
    Config: 'config.json',
    RepoTags: ['stead.dev/pause:1'],
    Layers: ['layer.tar'],
  });
  const config = JSON.parse(String(files.get('config.json')));
  assert.equal(config.architecture, 'arm64');
  assert.deepEqual(config.config.Entrypoint, ['/pause']);
});

/** What the bytes must be; a change here is a new version of the image. */
test('the pause program for arm64, instruction by instruction', () => {
  const program = pauseProgram('arm64');
  const words = Array.from({ length: 6 }, (_, index) =>
    program.readUInt32LE(program.length - 24 + index * 4),
  );
  // mov x2, #0; mov x3, #0; mov x4, #0; mov x8, #73; svc #0; b to seven instructions before
  assert.deepEqual(words, [0xd2800002, 0xd2800003, 0xd2800004, 0xd2800928, 0xd4000001, 0x17fffff9]);
  assert.equal(program.readUInt16LE(18), 183);
});

test('the pause program runs and ends on TERM and INT', { skip: process.arch !== 'x64' }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'stead-pause-'));
  try {
    const file = join(directory, 'pause');
    await writeFile(file, pauseProgram('x64'), { mode: 0o755 });
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const child = spawn(file, { stdio: 'ignore' });
      await once(child, 'spawn');
      // The handlers are set some microseconds after the start.
      for (;;) {
        const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
        if (/SigCgt:\s*0000000000004002/.test(status)) break;
      }
      const ended = once(child, 'exit');
      child.kill(signal);
      assert.deepEqual(await ended, [0, null]);
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('short names of images are completed', () => {
  assert.equal(fullName('nginx'), 'docker.io/library/nginx:latest');
  assert.equal(fullName('me/app:2'), 'docker.io/me/app:2');
  assert.equal(fullName('k8s.gcr.io/nginx-slim:0.8'), 'k8s.gcr.io/nginx-slim:0.8');
  assert.equal(fullName('localhost:5000/x'), 'localhost:5000/x:latest');
});

test('an archive ends where it says so, whatever follows', async () => {
  const archive = Buffer.concat([tarOf([{ name: 'a', mode: 0o644, content: Buffer.from('1') }])]);
  async function* endless(): AsyncGenerator<Buffer> {
    yield archive;
    for (;;) yield TAR_END;
  }
  assert.deepEqual([...(await filesOfTar(endless(), () => true, 100)).keys()], ['a']);
});

test('what has no end is not loaded, and what nobody waits for is given up', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'stead-images-'));
  context.after(() => rm(directory, { recursive: true }));
  const { signal } = new AbortController();
  const fifo = join(directory, 'fifo');
  await runCommand('mkfifo', [fifo]);
  for (const file of ['/dev/zero', directory, fifo]) {
    await assert.rejects(loadImage('/none', file, signal), /it is not a regular file/, file);
  }
  // A file that takes longer to read than anybody will wait: its one entry is 60 GB of nothing.
  const long = join(directory, 'long.tar');
  const size = 60e9;
  await writeFile(long, tarHeader({ name: 'layer.tar', type: 'file', mode: 0o644, size }));
  await truncate(long, size);
  const client = new AbortController();
  setImmediate(() => client.abort());
  await assert.rejects(loadImage('/none', long, client.signal), /long\.tar: it was given up$/);
});
