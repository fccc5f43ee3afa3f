import assert from 'node:assert/strict';
import { chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { openLmdbStore } from '../../store/lmdb/lmdb.ts';
import { refuseOtherUsers } from '../process/other-users.ts';
import { UserError } from '../process/user-error.ts';
import { checkDataDirectory, makeDataDirectory, prepareDataDirectory } from './data-directory.ts';
import { pathsOf } from './paths.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'stead-data-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const says =
  (message: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, message);
    return true;
  };

describe('the data directory', () => {
  it('is the same by whichever link it is named, also before it is there', () => {
    mkdirSync(join(directory, 'real'));
    symlinkSync('real', join(directory, 'link'));
    assert.deepEqual(pathsOf(join(directory, 'link')), pathsOf(join(directory, 'real')));
    assert.deepEqual(pathsOf(join(directory, 'link', 'a', 'b')), pathsOf(join(directory, 'real', 'a', 'b')));
  });

  it('has the run directory that it always had', () => {
    // What runs on it would not be found any more.
    assert.match(pathsOf('/nowhere/data').run, /(\/|-)377b4004$/);
  });

  it('is refused where something lies in stead’s own places, which a purge could not tell apart', async () => {
    const paths = pathsOf(directory);
    mkdirSync(paths.store);
    writeFileSync(join(paths.store, 'mine'), 'x');
    await assert.rejects(checkDataDirectory(paths), says(/has "store" where stead would keep its own/));
    rmSync(paths.store, { recursive: true });
    writeFileSync(join(directory, 'notes.txt'), 'x');
    await checkDataDirectory(paths);
    await prepareDataDirectory(paths);
    mkdirSync(paths.store);
    await checkDataDirectory(paths);
    rmSync(paths.run, { recursive: true, force: true });
  });

  it('cannot be a link that leads nowhere', async () => {
    const link = join(directory, 'link');
    symlinkSync('nowhere', link);
    await assert.rejects(makeDataDirectory(pathsOf(link)), says(/a link to nowhere, which is not there/));
  });

  it('keeps its store to its owner', async () => {
    const { store } = pathsOf(directory);
    mkdirSync(store, { mode: 0o755 });
    await (await openLmdbStore(store)).close();
    const modes = [store, join(store, 'data.mdb')].map((path) => statSync(path).mode & 0o777);
    assert.deepEqual(modes, [0o700, 0o600]);
  });

  it('of another user is none that no stead runs on', { skip: process.getuid?.() !== 0 }, async () => {
    const paths = pathsOf(directory);
    await refuseOtherUsers(paths);
    writeFileSync(paths.layout, '{}');
    await refuseOtherUsers(paths);
    chownSync(paths.layout, 65_534, 65_534);
    await assert.rejects(refuseOtherUsers(paths), says(/another user \(uid 65534\): become that user/));
  });
});
