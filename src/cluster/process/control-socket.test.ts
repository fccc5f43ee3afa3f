import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { call, serveControl } from './control-socket.ts';

test('who asked for an image to be loaded and has gone is not waited for', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'stead-control-'));
  context.after(() => rm(directory, { recursive: true }));
  const socketPath = join(directory, 'control.sock');
  const unused = (): never => assert.fail('not asked for');
  let begun: (signal: AbortSignal) => void = () => {};
  const loading = new Promise<AbortSignal>((resolve) => {
    begun = resolve;
  });
  const close = await serveControl(socketPath, {
    info: unused,
    down: unused,
    listImages: async () => [],
    loadImage: (_file, signal) => {
      begun(signal);
      return new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(new Error('given up'))),
      );
    },
  });
  context.after(close);
  const client = request({ socketPath, method: 'POST', path: '/images?file=/dev/zero', agent: false });
  client.on('error', () => {});
  client.end();
  const signal = await loading;
  assert.equal(signal.aborted, false);
  client.destroy();
  if (!signal.aborted) await once(signal, 'abort');
  assert.equal(await call(socketPath, 'GET', '/images'), '[]');
});
