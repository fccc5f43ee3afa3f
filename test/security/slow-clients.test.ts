// Clients that take their time: with headers, with bodies, with reading. They hold nothing that others need.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { Connections, HANDSHAKE_MS, MAX_CONNECTIONS } from '../../src/apiserver/http/port/connections.ts';
import { BodyBudget, readBody } from '../../src/apiserver/http/port/read-body.ts';
import { type Besieged, besieged } from './server.ts';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
/** More than there are seats for writes. */
const SLOW = 250;
const MEGABYTE = 1024 * 1024;

describe('slow clients', () => {
  let server: Besieged;
  const sockets: TLSSocket[] = [];

  before(async () => {
    server = await besieged();
  });
  after(async () => {
    for (const socket of sockets) socket.destroy();
    await server.stop();
  });

  const begin = async (text: string): Promise<TLSSocket> => {
    const socket = await server.connect('http/1.1');
    socket.on('error', () => {});
    sockets.push(socket);
    socket.write(text);
    return socket;
  };
  const post = (name: string): ReturnType<Besieged['ask']> =>
    server.ask(`${CONFIG_MAPS}?dryRun=All`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ metadata: { name } }),
    });

  it('who is slow to send a body holds no seat', async () => {
    const head = `POST ${CONFIG_MAPS} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n`;
    await Promise.all(Array.from({ length: SLOW }, () => begin(`${head}Content-Length: 100\r\n\r\n{`)));
    assert.equal((await post('quick')).code, 201);
  });

  it('who is slow to send headers, or sends none, holds nobody up', async () => {
    for (const text of ['', 'GET / HTTP/1.1\r\nHost: a\r\nX: ']) {
      await Promise.all(Array.from({ length: 50 }, () => begin(text)));
    }
    assert.equal((await post('quick')).code, 201);
    assert.ok(HANDSHAKE_MS <= 10_000, 'and is not waited for long');
  });

  it('who does not read a long answer holds nobody up', async () => {
    const data = { k: 'x'.repeat(900_000) };
    for (let index = 0; index < 8; index++) {
      await server.ask(CONFIG_MAPS, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ metadata: { name: `large-${index}` }, data }),
      });
    }
    for (let index = 0; index < 20; index++) {
      const socket = await begin(`GET ${CONFIG_MAPS} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await once(socket, 'readable');
    }
    assert.equal((await post('quick')).code, 201);
    assert.equal((await server.ask('/readyz')).code, 200);
  });

  it('bodies that are on their way have a limit together', async () => {
    const budget = new BodyBudget();
    const streams = Array.from({ length: 100 }, () => new PassThrough());
    const read = streams.map((stream) => readBody(stream, 3 * MEGABYTE, budget));
    const outcomes = Promise.allSettled(read);
    for (const stream of streams) stream.write(Buffer.alloc(3 * MEGABYTE - 1));
    await new Promise((resolve) => setImmediate(resolve));
    for (const stream of streams) stream.end();
    const refused = (await outcomes).filter(({ status }) => status === 'rejected');
    assert.ok(refused.length > 0 && refused.length < 50, `${refused.length} of 100 were refused`);
    // What is read, or refused, is given back.
    const after = new PassThrough();
    after.end(Buffer.alloc(3 * MEGABYTE - 1));
    assert.equal((await readBody(after, 3 * MEGABYTE, budget)).length, 3 * MEGABYTE - 1);
  });

  it('connections have a limit together, and those of one stranger another', () => {
    assert.ok(MAX_CONNECTIONS <= 10_000);
    const connections = new Connections();
    const from = (address: string): Socket => {
      const socket = new Socket();
      Object.defineProperty(socket, 'remoteAddress', { value: address });
      connections.admit(socket);
      return socket;
    };
    const ofStranger = Array.from({ length: 1_001 }, () => from('192.0.2.1'));
    assert.deepEqual(ofStranger.map(({ destroyed }) => destroyed).filter(Boolean), [true]);
    assert.equal(from('192.0.2.2').destroyed, false);
    assert.ok(Array.from({ length: 1_500 }, () => from('127.0.0.1')).every(({ destroyed }) => !destroyed));
  });
});
