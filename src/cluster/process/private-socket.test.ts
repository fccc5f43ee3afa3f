import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { listenPrivately } from './private-socket.ts';

test('a socket is its owner’s from its first moment on, whatever the umask and whatever was there', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'stead-socket-'));
  const path = join(directory, 'socket');
  writeFileSync(path, 'left by somebody');
  const server = createServer();
  const umask = process.umask(0);
  try {
    const listening = listenPrivately(server, path);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(process.umask(), 0);
    await listening;
    const other = createServer();
    await assert.rejects(listenPrivately(other, join(directory, 'none', 'socket')), { code: 'EACCES' });
    assert.equal(process.umask(), 0);
  } finally {
    process.umask(umask);
    server.close();
    rmSync(directory, { recursive: true });
  }
});
