// The store on a disk of 100 MiB that others fill: what it says, what it takes, and what it loses, which is nothing.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { warnBelow } from './store-disk.ts';

const MIB = 1024 * 1024;

it('warns at a fiftieth of the disk, within bounds', () => {
  assert.equal(warnBelow(100 * MIB), 64 * MIB);
  assert.equal(warnBelow(5_000 * MIB), 100 * MIB);
  assert.equal(warnBelow(500_000 * MIB), 256 * MIB);
});

const module = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
/** Fills the disk of its argument by a file beside the store, then by the store, and empties it again. */
const STORY = `
const { openLmdbStore } = await import(${module('../../store/lmdb/lmdb.js')});
const { StoreFullError } = await import(${module('../../store/store.js')});
const { StoreDisk } = await import(${module('./store-disk.js')});
const { systemClock } = await import(${module('../process/system-clock.js')});
const { silentLog } = await import(${module('../../base/log.js')});
const { runCommand } = await import(${module('../../node/machine/command.js')});
const { execFileSync } = await import('node:child_process');
const { rmSync, statfsSync } = await import('node:fs');
const [directory] = process.argv.slice(1);
const ballast = directory + '/ballast';
const open = async () => {
  const store = await openLmdbStore(directory);
  const disk = new StoreDisk(directory, store, runCommand, systemClock, silentLog);
  await disk.measure();
  return { store, disk, guarded: disk.guarded() };
};
let { store, disk, guarded } = await open();
const said = { roomy: disk.complaint() };
const big = Buffer.alloc(900_000, 1);
let written = 0;
const writeOne = async () => {
  await guarded.put('/registry/core/configmaps/default/big' + written, big, 0);
  written++;
};
while (written < 10) await writeOne();
await disk.measure();
const own = disk.room.own;
// Others take all that is left.
const { bavail, bsize } = statfsSync(directory);
try { execFileSync('fallocate', ['--length', String(bavail * bsize - 65536), ballast]); } catch {}
await disk.measure();
said.full = disk.complaint();
let refusal;
while (refusal === undefined) await writeOne().catch((error) => { refusal = error; });
await disk.measure();
said.refusing = disk.complaint();
const attempt = (put) => put.then((result) => result.ok, (error) => error.message);
const first = await guarded.get('/registry/core/configmaps/default/big0');
const when = {
  isFull: refusal instanceof StoreFullError,
  message: refusal.message,
  created: await attempt(guarded.put('/registry/core/pods/default/p', Buffer.alloc(10), 0)),
  exists: await attempt(guarded.put('/registry/core/configmaps/default/big0', big, 0)),
  grown: await attempt(guarded.put(first.key, Buffer.alloc(950_000), first.revision)),
  event: await attempt(guarded.put('/registry/core/events/default/e', Buffer.alloc(300), 0)),
  lease: await attempt(guarded.put('/registry/coordination.k8s.io/leases/kube-node-lease/n', Buffer.alloc(300), 0)),
};
// As after a crash: the store opens on the full disk.
await store.close();
({ store, disk, guarded } = await open());
const kept = await guarded.count('/registry/core/configmaps/');
const again = await guarded.get('/registry/core/configmaps/default/big0');
when.changed = await attempt(guarded.put(again.key, Buffer.alloc(again.value.byteLength + 100), again.revision));
let deleted = 0;
for (const { key, revision } of (await guarded.list('/registry/core/configmaps/')).entries.slice(0, written - 2)) {
  if ((await guarded.delete(key, revision)).ok) deleted++;
}
await guarded.compact(store.revision());
await guarded.put('/registry/coordination.k8s.io/leases/kube-node-lease/m', Buffer.alloc(300), 0);
const after = await attempt(guarded.put('/registry/core/pods/default/p', Buffer.alloc(10), 0));
rmSync(ballast);
await disk.measure();
said.empty = disk.complaint();
await store.close();
console.log(JSON.stringify({ own, said, written, when, kept, deleted, after }));
`;

const canMount = ((): boolean => {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

it('keeps room for deletions on a disk that is full', { skip: !canMount, timeout: 60_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'stead-store-disk-'));
  const shell = 'mount -t tmpfs -o size=100m none "$1" && exec "$0" --input-type=module -e "$2" "$1"';
  try {
    const output = execFileSync('unshare', ['-m', 'sh', '-c', shell, process.execPath, directory, STORY], {
      encoding: 'utf8',
    });
    const { after, deleted, kept, own, said, when, written } = JSON.parse(output);
    assert.ok(own >= 15 * MIB, `held in advance: ${own}`);
    assert.equal(said.roomy, undefined);
    assert.match(said.full, /is nearly full: 1\d MiB are left for the store; free space/);
    assert.match(said.refusing, /is nearly full: .* which takes nothing new; free space/);
    assert.equal(said.empty, undefined);
    assert.ok(when.isFull, when.message);
    assert.match(
      when.message,
      /no space left for the store .* kept for deletions and status; nothing was written;/,
    );
    assert.match(String(when.created), /no space left/);
    assert.match(String(when.grown), /no space left/);
    assert.deepEqual([when.exists, when.changed, when.lease, when.event], [false, true, true, true]);
    assert.equal(kept, written);
    assert.equal(deleted, written - 2);
    assert.equal(after, true);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
