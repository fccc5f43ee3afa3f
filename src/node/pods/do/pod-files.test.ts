import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
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
  const lastWords = (await terminationLog('uid', 'web', 0)) ?? '';
  assert.equal(await modeOf(lastWords), 0o666);
  let above = lastWords;
  do {
    above = dirname(above);
    assert.equal((await modeOf(above)) & 0o077, 0, `${above} is not for other users of the machine`);
  } while (!above.endsWith('/pod-files'));
});

test('a run that is removed leaves neither last words nor logs, and takes none of another', async (context) => {
  const { terminationLog, removeRun } = await files(context);
  const logs = await mkdtemp(join(tmpdir(), 'stead-pod-logs-'));
  context.after(() => rm(logs, { recursive: true }));
  await mkdir(join(logs, 'web'));
  const names = ['1.log', '1.log.20260101-000000', '11.log', '2.log'];
  for (const name of names) await writeFile(join(logs, 'web', name), '');
  const paths = await Promise.all([1, 2].map((attempt) => terminationLog('uid', 'web', attempt)));
  await removeRun('uid', logs, 'web', 1);
  await removeRun('uid', logs, 'web', 1);
  assert.deepEqual((await readdir(join(logs, 'web'))).sort(), ['11.log', '2.log']);
  await assert.rejects(stat(paths[0] ?? ''), { code: 'ENOENT' });
  await stat(paths[1] ?? '');
});
