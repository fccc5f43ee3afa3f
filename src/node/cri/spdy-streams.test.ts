// Sessions in front of a runtime that speaks SPDY as containerd does.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { SpdySession, type SpdyStream } from '../../wire/spdy/session.ts';
import { openSession } from './spdy-streams.ts';

const FAILURE = { status: 'Failure', details: { causes: [{ reason: 'ExitCode', message: '7' }] } };

test('a runtime that is stuck with input that nobody reads is freed until it tells the outcome', async (t) => {
  const streams = new Map<string, SpdyStream>();
  const runtime = createServer();
  runtime.on('upgrade', (_message, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n');
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
  runtime.listen(0, '127.0.0.1');
  await once(runtime, 'listening');
  t.after(() => runtime.close());
  let tries = 0;
  const session = await openSession(
    `http://127.0.0.1:${(runtime.address() as AddressInfo).port}/exec`,
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
