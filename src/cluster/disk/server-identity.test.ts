import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { seededRandom } from '../../testing/seeded-random.ts';
import { pathsOf } from './paths.ts';
import { serverIdentity } from './server-identity.ts';

test('is chosen once for a data directory, and another for the next', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'stead-identity-'));
  t.after(() => rm(directory, { recursive: true }));
  const random = seededRandom(1);
  const first = await serverIdentity(pathsOf(directory), random);
  assert.match(first, /_[0-9a-f-]{36}$/);
  assert.equal(await serverIdentity(pathsOf(directory), random), first);
  // Where nothing can be written it is this process's alone.
  const nowhere = pathsOf(join(directory, 'nowhere'));
  const second = await serverIdentity(nowhere, random);
  assert.notEqual(second, first);
  assert.notEqual(await serverIdentity(nowhere, random), second);
});
