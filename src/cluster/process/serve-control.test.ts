import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  type ControlHandlers,
  call,
  HungError,
  NotRunningError,
  type ProcessInfo,
  processInfo,
  serveControl,
} from './control-socket.ts';

const INFO: ProcessInfo = {
  pid: process.pid,
  version: '1',
  server: 'https://127.0.0.1:6443',
  kubeconfig: '/k',
  runtime: 'simulated',
  dns: '',
  podCidr: '',
  services: '',
  policies: '',
  store: '',
  volumes: '',
  certificates: [],
};

const handlers: ControlHandlers = {
  info: async () => INFO,
  down: async (say) => {
    say('stopped web-1');
    throw new Error('web-0 does not stop');
  },
  loadImage: () => new Promise(() => {}),
  listImages: async () => [],
};

/** Serves until it is killed. */
const SERVER = `
const { serveControl } = await import(${JSON.stringify(new URL('./control-socket.js', import.meta.url).href)});
await serveControl(process.argv[1], { info: () => new Promise(() => {}) });
console.log('serving');
setInterval(() => {}, 1000);`;

describe('the control socket', () => {
  let directory: string;
  let socket: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'stead-control-'));
    socket = join(directory, 'control.sock');
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const startServer = async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', SERVER, socket], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    return child;
  };

  it('is served by one, which the other names; and leaves nothing', async () => {
    assert.equal(await processInfo(socket), undefined);
    const close = await serveControl(socket, handlers);
    assert.deepEqual(await processInfo(socket), INFO);
    await assert.rejects(serveControl(socket, handlers), {
      name: 'UserError',
      message: `stead already runs on this data directory (pid ${process.pid}, https://127.0.0.1:6443).`,
    });
    await close();
    assert.ok(!existsSync(socket) && !existsSync(`${socket}.lock`));
    await assert.rejects(call(socket, 'GET', '/'), NotRunningError);
  });

  it('takes the place of one whose process was killed', async () => {
    const child = await startServer();
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.ok(existsSync(socket));
    await (await serveControl(socket, handlers))();
  });

  it('says why a command failed that had begun to answer', async () => {
    const close = await serveControl(socket, handlers);
    let told = '';
    const failing = call(socket, 'POST', '/down', (text) => {
      told += text;
    });
    await assert.rejects(failing, { name: 'UserError', message: 'web-0 does not stop' });
    assert.equal(told, 'stopped web-1\n');
    await close();
  });

  it('waits as long as the process is alive, and no longer', async () => {
    const child = await startServer();
    const patience = { askMs: 10, hungMs: 200 };
    let settled = false;
    const waiting = call(socket, 'GET', '/', () => {}, patience).finally(() => {
      settled = true;
    });
    const failed = assert.rejects(waiting, HungError);
    for (let round = 0; round < 20; round++) await call(socket, 'GET', '/alive');
    assert.equal(settled, false);
    child.kill('SIGSTOP');
    await failed;
    const cutOff = assert.rejects(call(socket, 'GET', '/'), { message: /ended before it had answered/ });
    child.kill('SIGKILL');
    await once(child, 'exit');
    await cutOff;
  });
});
