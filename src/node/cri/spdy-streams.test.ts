// Sessions in front of a runtime that speaks SPDY as containerd does.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { SpdySession, type SpdyStream } from '../../wire/spdy/session.ts';
import { openSession } from './spdy-streams.ts';

const FAILURE = { status: 'Failure', details: { causes: [{ reason: 'ExitCode', message: '7' }] } };
const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n';

/** Where the runtime listens, until the test ends. */
async function urlOf(runtime: Server, t: TestContext): Promise<string> {
  runtime.listen(0, '127.0.0.1');
  await once(runtime, 'listening');
  t.after(() => runtime.close());
  return `http://127.0.0.1:${(runtime.address() as AddressInfo).port}/exec`;
}

/** More than Node.js reads ahead of a reader that pauses, less than the kernel holds. */
const UNREAD_BYTES = 200_000;

test('the outcome is told though the runtime resets the connection, with input that it has not read', async (t) => {
  const streams = new Map<string, SpdyStream>();
  const runtime = createServer();
  const deaf = new Promise<Duplex>((resolve) => {
    runtime.on('upgrade', (_message, socket) => {
      socket.write(SWITCHING);
      new SpdySession(socket, 'server', {
        onStream(stream) {
          streams.set(stream.headers.streamtype ?? '', stream);
          if (streams.size < 3) return;
          setImmediate(() => {
            socket.pause();
            resolve(socket);
          });
        },
        onClose() {},
      });
    });
  });
  const session = await openSession(await urlOf(runtime, t), {
    stdin: true,
    stdout: true,
    stderr: false,
    tty: false,
  });
  session.stdout?.resume();
  const socket = await deaf;
  await new Promise((resolve) => session.stdin?.write(Buffer.alloc(UNREAD_BYTES), resolve));
  streams.get('error')?.end(JSON.stringify(FAILURE), () => {
    socket.destroy();
    // Before what the runtime has said is read.
    session.stdin?.write('more');
  });
  assert.deepEqual(await session.exit, { exitCode: 7 });
});

test('a runtime that is stuck with input that nobody reads is freed until it tells the outcome', async (t) => {
  const streams = new Map<string, SpdyStream>();
  const runtime = createServer();
  runtime.on('upgrade', (_message, socket) => {
    socket.write(SWITCHING);
    new SpdySession(socket, 'server', {
      onStream(stream) {
        const { streamtype = '' } = stream.headers;
        streams.set(streamtype, stream);
        // The command has ended: its output ends, and nothing is said of it.
        if (streamtype === 'stdout') stream.end();
      },
      onClose() {},
    });
  });
  let tries = 0;
  const session = await openSession(
    await urlOf(runtime, t),
    { stdin: true, stdout: true, stderr: false, tty: false },
    {
      clock: {
        now: () => 0,
        after(_delayMs, action) {
          const turn = setImmediate(action);
          return () => clearImmediate(turn);
        },
      },
      async unblock() {
        if (++tries === 3) streams.get('error')?.end(JSON.stringify(FAILURE));
      },
    },
  );
  session.stdout?.resume();
  assert.deepEqual(await session.exit, { exitCode: 7 });
  assert.ok(tries >= 3);
});
