import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { type PodFiles, podFiles } from './pod-files.ts';

async function files(context: TestContext): Promise<PodFiles> {
  const directory = await mkdtemp(join(tmpdir(), 'stead-pod-files-'));
  context.after(() => rm(directory, { recursive: true }));
  const umask = process.umask(0o077);
  context.after(() => process.umask(umask));
  return podFiles(directory);
}

test('of a termination message the end is read, however long the file is', async (context) => {
  const { terminationLog, readTerminationLog } = await files(context);
  assert.equal(await readTerminationLog('uid', 'web', 0), '');
  const path = await terminationLog('uid', 'web', 0);
  assert.ok(path);
  assert.equal(await readTerminationLog('uid', 'web', 0), '');
  await writeFile(path, `${'x'.repeat(5000)} the end`);
  const message = await readTerminationLog('uid', 'web', 0);
  assert.equal(message.length, 4096);
  assert.ok(message.endsWith('x the end'));
  await truncate(path, 2e12);
  assert.equal(await readTerminationLog('uid', 'web', 0), '\0'.repeat(4096));
});

test('every user of a container may read its hosts and write its last words, whatever the umask', async (context) => {
  const { hosts, terminationLog } = await files(context);
  const modeOf = async (path: string | undefined): Promise<number> => (await stat(path ?? '')).mode & 0o777;
  assert.equal(await modeOf(await hosts('uid', '127.0.0.1 localhost')), 0o644);
  assert.equal(await modeOf(await terminationLog('uid', 'web', 0)), 0o666);
});
