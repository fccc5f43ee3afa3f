import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { open } from 'lmdb';
import type { StoreEvent } from '../store.ts';
import { CompactedError, StoreFormatError } from '../store.ts';
import { type Backend, embeddedStoreContract, storeContract } from '../test-contract.ts';
import { openLmdbStore } from './lmdb.ts';

const newDirectory = (): string => mkdtempSync(join(tmpdir(), 'stead-store-'));
const removeDirectory = (directory: string): void => rmSync(directory, { recursive: true, force: true });

const onDisk = async (): Promise<Backend> => {
  const directory = newDirectory();
  return { open: () => openLmdbStore(directory), remove: async () => removeDirectory(directory) };
};

storeContract('lmdb', onDisk);
embeddedStoreContract('lmdb', onDisk);

/** Opens the store of its argument with 8 writers, and prints each key and revision once it is acknowledged. */
const WRITER = `
const { openLmdbStore } = await import(${JSON.stringify(new URL('./lmdb.js', import.meta.url).href)});
const store = await openLmdbStore(process.argv[1]);
const base = await store.revision();
await Promise.all(Array.from({ length: 8 }, async (_, writer) => {
  for (let i = 0; ; i++) {
    const key = '/' + base + '/' + writer + '/' + i;
    const result = await store.put(key, Buffer.alloc(2000, key), 0);
    process.stdout.write(key + ' ' + result.revision + '\\n');
  }
}));`;

/** Writes until its disk of 6 MB is full, reads, frees a megabyte beside the store, and goes on. */
const FILLER = `
const { openLmdbStore } = await import(${JSON.stringify(new URL('./lmdb.js', import.meta.url).href)});
const { StoreFullError } = await import(${JSON.stringify(new URL('../store.js', import.meta.url).href)});
const { rmSync, writeFileSync } = await import('node:fs');
const { join } = await import('node:path');
const beside = join(process.argv[1], 'beside');
writeFileSync(beside, Buffer.alloc(1 << 20));
const store = await openLmdbStore(process.argv[1]);
let told = 0;
store.watch({ prefix: '/', afterRevision: 0, onEvents: (events) => { told += events.length; }, onEnd: () => {} });
let done = 0;
let failure;
while (!failure) {
  const results = await Promise.allSettled(
    Array.from({ length: 10 }, (_, i) => store.put('/' + (done + i), Buffer.alloc(3000, 1), 0)));
  const failed = results.filter((result) => result.status === 'rejected');
  if (failed.length === 0) done += 10;
  else if (failed.length !== 10) throw new Error('half of a transaction failed');
  else failure = failed[0].reason;
}
const full = { count: await store.count('/'), revision: await store.revision(), told };
const entry = await store.get('/0');
rmSync(beside);
const deleted = await store.delete('/0', entry.revision);
await store.compact(await store.revision());
const again = await store.put('/again', Buffer.alloc(1000), 0);
await store.close();
const reopened = await openLmdbStore(process.argv[1]);
console.log(JSON.stringify({
  isFull: failure instanceof StoreFullError, message: failure.message, done, full,
  deleted: deleted.ok, again: again.ok, afterwards: await reopened.count('/'),
}));
await reopened.close();`;

const canMount = ((): boolean => {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe('lmdb store', () => {
  let directory: string;
  beforeEach(() => {
    directory = newDirectory();
  });
  afterEach(() => removeDirectory(directory));

  it('finds everything again after a restart', async () => {
    let store = await openLmdbStore(directory);
    const keys = Array.from({ length: 50 }, (_, i) => `/k/${String(i).padStart(2, '0')}`);
    await Promise.all(keys.map((key) => store.put(key, Buffer.from(key), 0)));
    const before = await store.list('/');
    await store.delete('/k/00', before.entries[0]?.revision ?? 0);
    await store.put('/k/01', Buffer.from('changed'), before.entries[1]?.revision ?? 0);
    await store.close();

    store = await openLmdbStore(directory);
    assert.equal(await store.revision(), 52);
    assert.deepEqual(await store.list('/', { revision: 50 }), before);
    assert.equal(await store.count('/k/'), 49);
    const events: StoreEvent[] = [];
    const onEvents = (batch: readonly StoreEvent[]): void => void events.push(...batch);
    const stop = store.watch({ prefix: '/', afterRevision: 49, onEvents, onEnd: assert.fail });
    assert.deepEqual(
      events.map((event) => event.type),
      ['put', 'delete', 'put'],
    );
    const [, deleted] = events;
    assert.equal(deleted?.type === 'delete' && Buffer.from(deleted.previous.value).toString(), '/k/00');
    stop();
    // After this, not one record of the newest revisions is left to tell how far the store had come.
    await store.delete('/k/01', 52);
    await store.compact(53);
    await store.close();

    store = await openLmdbStore(directory);
    assert.equal(await store.revision(), 53);
    const reason = await new Promise<Error>((onEnd) =>
      store.watch({ prefix: '/', afterRevision: 52, onEvents, onEnd }),
    );
    assert.ok(reason instanceof CompactedError);
    await assert.rejects(store.list('/', { revision: 52 }), CompactedError);
    assert.equal((await store.list('/')).entries.length, 48);
    const next = await store.put('/k/00', Buffer.from('again'), 0);
    assert.deepEqual(next, { ok: true, revision: 54 });
    await store.close();
  });

  it('goes on with a compaction that a crash interrupted', async () => {
    let store = await openLmdbStore(directory);
    let revision = 0;
    for (let i = 0; i < 300; i++) {
      const result = await store.put('/a', Buffer.from(`${i}`), revision);
      if (result.ok) revision = result.revision;
    }
    await store.close();
    // As it is left when the first step came to revision 100 and the rest did not happen.
    const root = open({ path: directory, noSubdir: false, encoding: 'binary', overlappingSync: false });
    const meta = root.openDB({ name: 'meta', encoding: 'json' });
    await meta.put('compactRevision', 250);
    await meta.put('compactedThrough', 100);
    await root.close();
    store = await openLmdbStore(directory);
    await assert.rejects(store.list('/', { revision: 200 }), CompactedError);
    await store.compact(260);
    assert.equal(Buffer.from((await store.get('/a'))?.value ?? []).toString(), '299');
    await store.close();
    const check = open({ path: directory, noSubdir: false, encoding: 'binary', overlappingSync: false });
    const log = check.openDB({ name: 'log', encoding: 'binary' });
    const left = [...log.getKeys()];
    await check.close();
    assert.ok(
      !left.some((at) => typeof at === 'number' && at > 100 && at < 260),
      'superseded records are gone',
    );
  });

  it('loses no acknowledged write when its process is killed', { timeout: 60_000 }, async () => {
    const acknowledged = new Map<string, number>();
    for (let round = 0; round < 4; round++) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, directory], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = once(child, 'exit');
      let lines = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        const [key, revision] = line.split(' ');
        // A last line that was cut off has no whole revision.
        if (key && revision && lines < 2000) acknowledged.set(key, Number(revision));
        if (++lines === 300 + round * 200) child.kill('SIGKILL');
      }
      await ended;
    }
    const store = await openLmdbStore(directory);
    assert.ok(acknowledged.size > 1000);
    for (const [key, revision] of acknowledged) {
      const entry = await store.get(key);
      assert.equal(entry?.revision, revision, `${key} was acknowledged at ${revision}`);
      assert.deepEqual(Buffer.from(entry.value), Buffer.alloc(2000, key));
    }
    const { entries } = await store.list('/');
    assert.equal(Math.max(...entries.map((entry) => entry.revision)), await store.revision());
    await store.close();
  });

  it('says that the disk is full, writes nothing, and goes on', { skip: !canMount, timeout: 60_000 }, () => {
    const output = execFileSync(
      'unshare',
      [
        '-m',
        'sh',
        '-c',
        'mount -t tmpfs -o size=6m none "$1" && exec "$0" --input-type=module -e "$2" "$1"',
        process.execPath,
        directory,
        FILLER,
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const result = JSON.parse(output);
    assert.equal(result.isFull, true, result.message);
    assert.match(result.message, /no space left .* nothing was written; free space/);
    assert.deepEqual(result.full, { count: result.done, revision: result.done, told: result.done });
    assert.deepEqual([result.deleted, result.again, result.afterwards], [true, true, result.done]);
  });

  it('refuses the data of a newer version, and says what to do', async () => {
    await (await openLmdbStore(directory)).close();
    const root = open({ path: directory, noSubdir: false, encoding: 'binary', overlappingSync: false });
    await root.openDB({ name: 'meta', encoding: 'json' }).put('format', 7);
    await root.close();
    await assert.rejects(openLmdbStore(directory), (error: Error) => {
      assert.ok(error instanceof StoreFormatError);
      assert.match(error.message, /written by a newer version of stead \(format 7; .* start that version/);
      return true;
    });
  });

  it('refuses what is not a store, and says what to do', async () => {
    writeFileSync(join(directory, 'data.mdb'), Buffer.alloc(16384, 'no store'));
    await assert.rejects(openLmdbStore(directory), (error: Error) => {
      assert.ok(error instanceof StoreFormatError, String(error));
      assert.match(error.message, /data\.mdb is not a store of stead/);
      return true;
    });
  });

  it('refuses a key that it cannot hold without spoiling the writes beside it', async () => {
    const store = await openLmdbStore(directory);
    const [good, long, empty] = await Promise.allSettled([
      store.put('/good', Buffer.from('1'), 0),
      store.put('/'.repeat(3000), Buffer.from('1'), 0),
      store.put('', Buffer.from('1'), 0),
    ]);
    assert.equal(good.status, 'fulfilled');
    assert.equal(long.status === 'rejected' && long.reason instanceof RangeError, true);
    assert.equal(empty.status === 'rejected' && empty.reason instanceof RangeError, true);
    assert.equal(await store.revision(), 1);
    await store.close();
  });
});
