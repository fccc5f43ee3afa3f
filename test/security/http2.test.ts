// Floods of HTTP/2 frames, written by hand: rapid resets (CVE-2023-44487), endless CONTINUATION (CVE-2024-27316), pings
// and settings whose answers nobody reads. Each ends its own connection, and nobody else's.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { type Besieged, besieged } from './server.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const TYPE = { headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7, continuation: 9 } as const;
const END_STREAM = 1;
const END_HEADERS = 4;

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** `GET https://a/`, in HPACK's static table. */
const REQUEST = Buffer.from([0x82, 0x87, 0x84, 0x41, 0x01, 0x61]);

const drained = (socket: TLSSocket): Promise<void> => new Promise((resolve) => socket.once('drain', resolve));
const ended = (socket: TLSSocket): Promise<void> =>
  new Promise((resolve) => socket.once('close', () => resolve()));

describe('floods of HTTP/2 frames', () => {
  let server: Besieged;

  before(async () => {
    server = await besieged();
  });
  after(() => server.stop());

  const open = async (): Promise<TLSSocket> => {
    const socket = await server.connect('h2');
    socket.on('error', () => {});
    socket.write(Buffer.concat([PREFACE, frame(TYPE.settings, 0, 0, Buffer.alloc(0))]));
    return socket;
  };

  /** Resolves when the server says that it takes no more (GOAWAY), or closes. */
  const refused = (socket: TLSSocket): Promise<void> =>
    new Promise((resolve) => {
      let received = Buffer.alloc(0);
      socket.once('close', () => resolve());
      socket.on('data', (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        while (received.length >= 9) {
          const length = 9 + received.readUIntBE(0, 3);
          if (received.length < length) return;
          if (received[3] === TYPE.goAway) return resolve();
          received = received.subarray(length);
        }
      });
    });
  const requests = async (): Promise<number> => {
    const { text } = await server.ask('/metrics');
    const counts = [...text.matchAll(/^apiserver_request_total\{.*\} (\d+)$/gm)];
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  };
  const flood = async (socket: TLSSocket, times: number, next: (turn: number) => Buffer): Promise<void> => {
    const over = refused(socket);
    for (let turn = 0; turn < times && !socket.destroyed; turn++) {
      if (!socket.write(next(turn))) await Promise.race([drained(socket), over]);
    }
    await over;
    socket.destroy();
  };

  it('streams that are opened and reset are served no further', async () => {
    const before = await requests();
    const cancel = Buffer.from([0, 0, 0, 8]);
    await flood(await open(), 1_000, (turn) =>
      Buffer.concat(
        Array.from({ length: 50 }, (_, index) => {
          const stream = 2 * (turn * 50 + index) + 1;
          return Buffer.concat([
            frame(TYPE.headers, END_STREAM | END_HEADERS, stream, REQUEST),
            frame(TYPE.reset, 0, stream, cancel),
          ]);
        }),
      ),
    );
    const served = (await requests()) - before;
    assert.ok(served < 3_000, `${served} of 50,000 were served`);
  });

  it('headers that never end are not collected', async () => {
    const socket = await open();
    socket.write(frame(TYPE.headers, END_STREAM, 1, REQUEST));
    // One header in literal form, again and again.
    const header = Buffer.from([0x00, 0x01, 0x61, 0x01, 0x62]);
    const payload = Buffer.concat(Array.from({ length: 2_000 }, () => header));
    await flood(socket, 2_000, () => frame(TYPE.continuation, 0, 1, payload));
    assert.equal((await server.ask('/readyz')).code, 200);
  });

  for (const type of ['ping', 'settings'] as const) {
    it(`answers to ${type} frames that nobody reads are not kept`, async () => {
      const socket = await open();
      socket.pause();
      const one = frame(TYPE[type], 0, 0, Buffer.alloc(type === 'ping' ? 8 : 0));
      const many = Buffer.concat(Array.from({ length: 1_000 }, () => one));
      // Either the server closes, or it stops reading: then there is nothing more to write.
      const closed = ended(socket);
      let turn = 0;
      for (; turn < 2_000 && !socket.destroyed; turn++) {
        if (!socket.write(many)) await Promise.race([drained(socket), closed]);
      }
      assert.ok(turn < 2_000, 'the server took it all');
      assert.equal((await server.ask('/readyz')).code, 200);
      socket.destroy();
    });
  }
});
