// Streams that one side does not read any more, because it has ended: the other side hears of the end, whatever it
// still has to say, over both protocols and in both directions.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Duplex, Readable, Writable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import type { NodeStreams, Session } from '../../api/between/node-streams.ts';
import type { Pod } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { silentLog } from '../../base/log.ts';
import { SpdySession, type SpdyStream } from '../../wire/spdy/session.ts';
import type { ConnectSubresource } from '../connect.ts';
import { createStreamHandler } from './handler.ts';

const pod: Stored<Pod> = {
  metadata: { name: 'web-0', namespace: 'default', uid: 'u', resourceVersion: '1', creationTimestamp: '' },
  spec: { nodeName: 'vm', containers: [{ name: 'main' }] },
};

const MEGABYTE = Buffer.alloc(1024 * 1024, 'x');
/** More than all buffers on the way hold. */
const MUCH = 24;

/** Says what is said to it only once somebody listens. */
class Bell {
  readonly rung: Promise<void>;
  ring: () => void = () => {};
  constructor() {
    this.rung = new Promise((resolve) => {
      this.ring = resolve;
    });
  }
}

describe('a stream that nobody reads any more', () => {
  let server: Server;
  let port: number;
  /** The command reads some of its input and ends when it is told to. */
  let mayEnd: Bell;
  let wasClosed: Bell;

  const reluctant = (): Session => {
    let read: () => void = () => {};
    const started = new Promise<void>((resolve) => {
      read = resolve;
    });
    // Takes one chunk and then no more: the callback is never called.
    const stdin = new Writable({ write: () => read() });
    const stdout = new Readable({ read() {} });
    return {
      stdin,
      stdout,
      resize() {},
      exit: Promise.all([started, mayEnd.rung]).then(() => {
        stdout.push(null);
        return { exitCode: 7 };
      }),
      close: () => wasClosed.ring(),
    };
  };
  const talkative = (): Session => ({
    stdout: new Readable({
      read() {
        this.push(MEGABYTE);
      },
    }),
    resize() {},
    exit: wasClosed.rung.then(() => ({ exitCode: 0 })),
    close: () => wasClosed.ring(),
  });
  /** Port 81 takes one chunk and ends then, port 82 never stops talking, port 80 says what it hears. */
  const connection = (asked: number): Duplex => {
    if (asked === 82) {
      return new Duplex({
        read() {
          this.push(MEGABYTE);
        },
        write: (_chunk, _encoding, done) => done(),
        destroy(_error, done) {
          wasClosed.ring();
          done(null);
        },
      });
    }
    const echo: Duplex = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        if (asked === 81) return void setImmediate(() => echo.destroy());
        echo.push(chunk);
        done();
      },
    });
    return echo;
  };

  before(async () => {
    const node: NodeStreams = {
      async *logs() {},
      exec: async (_target, { command }) => (command[0] === 'read' ? reluctant() : talkative()),
      attach: async () => reluctant(),
      portForward: async (_target, asked) => connection(asked),
    };
    const handler = createStreamHandler({
      streams: () => node,
      clock: { now: () => 0, after: () => () => {} },
      log: silentLog,
    });
    server = createServer();
    server.on('upgrade', (message, socket, head) => {
      const url = new URL(message.url ?? '/', 'http://test');
      const subresource = url.pathname.slice(1) as ConnectSubresource;
      const user = { name: 'test', groups: [] };
      const { signal } = new AbortController();
      const connect = { pod, subresource, query: url.searchParams, user, signal };
      void handler.upgrade(connect, message, socket, head);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const webSocket = async (path: string, protocol: string): Promise<WebSocket> => {
    mayEnd = new Bell();
    wasClosed = new Bell();
    const socket = new WebSocket(`ws://127.0.0.1:${port}/${path}`, protocol);
    await once(socket, 'open');
    return socket;
  };
  const spdy = async (path: string, protocol: string): Promise<SpdySession> => {
    mayEnd = new Bell();
    wasClosed = new Bell();
    const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': protocol };
    const outgoing = request({ host: '127.0.0.1', port, path: `/${path}`, method: 'POST', headers });
    outgoing.end();
    const [, socket] = await once(outgoing, 'upgrade');
    return new SpdySession(socket, 'client', { onStream() {}, onClose() {} });
  };
  const textOf = async (stream: SpdyStream): Promise<string> => {
    let text = '';
    for await (const chunk of stream) text += chunk;
    return text;
  };

  for (const subresource of ['exec', 'attach']) {
    const path = `${subresource}?command=read&stdin=true&stdout=true`;

    it(`${subresource} over WebSocket: the command ends with input unread`, async () => {
      const socket = await webSocket(path, 'v5.channel.k8s.io');
      let status = '';
      socket.on('message', (data: Buffer) => {
        if (data[0] === 3) status = data.subarray(1).toString();
      });
      for (let sent = 0; sent < MUCH; sent++) socket.send(Buffer.concat([Buffer.from([0]), MEGABYTE]));
      const connections = once(socket, 'close');
      mayEnd.ring();
      const [code] = await connections;
      assert.equal(JSON.parse(status).details.causes[0].message, '7');
      // The server has read up to the client's answer to its close: the connection ended in order.
      assert.equal(code, 1000);
    });

    it(`${subresource} over SPDY: the command ends with input unread`, async () => {
      const session = await spdy(path, 'v4.channel.k8s.io');
      const [error, stdin] = await Promise.all(
        ['error', 'stdin', 'stdout'].map((streamtype) => session.openStream({ streamtype })),
      );
      assert.ok(error && stdin);
      for (let sent = 0; sent < MUCH; sent++) stdin.write(MEGABYTE);
      mayEnd.ring();
      assert.equal(JSON.parse(await textOf(error)).details.causes[0].message, '7');
      session.close();
    });
  }

  it('exec: the client has gone while the command writes', async () => {
    const socket = await webSocket('exec?command=write&stdout=true', 'v5.channel.k8s.io');
    await once(socket, 'message');
    socket.terminate();
    await wasClosed.rung;
    const session = await spdy('exec?command=write&stdout=true', 'v4.channel.k8s.io');
    const [, stdout] = await Promise.all(
      ['error', 'stdout'].map((streamtype) => session.openStream({ streamtype })),
    );
    assert.ok(stdout);
    await once(stdout, 'readable');
    session.close();
    await wasClosed.rung;
  });

  it('port-forward over a plain WebSocket: a port that has ended holds up no other', async () => {
    const socket = await webSocket('portforward?ports=81,80', 'v4.channel.k8s.io');
    for (let sent = 0; sent < MUCH; sent++) socket.send(Buffer.concat([Buffer.from([0]), MEGABYTE]));
    socket.send(Buffer.concat([Buffer.from([2]), Buffer.from('still here')]));
    for (let heard = ''; !heard.includes('still here'); ) {
      const [data]: [Buffer] = (await once(socket, 'message')) as [Buffer];
      if (data[0] === 2) heard += data.subarray(1).toString();
    }
    socket.terminate();
  });

  it('port-forward over SPDY: a connection that has ended holds up no other', async () => {
    const session = await spdy('portforward', 'portforward.k8s.io');
    const open = async (requestid: string, asked: string): Promise<SpdyStream> => {
      await session.openStream({ requestid, port: asked, streamtype: 'error' });
      return session.openStream({ requestid, port: asked, streamtype: 'data' });
    };
    const ended = await open('1', '81');
    for (let sent = 0; sent < MUCH; sent++) ended.write(MEGABYTE);
    const other = await open('2', '80');
    other.write('still here');
    const [chunk] = await once(other, 'data');
    assert.equal(String(chunk), 'still here');
    session.close();
  });

  it('port-forward: the client has gone while the pod writes', async () => {
    const socket = await webSocket('portforward?ports=82', 'v4.channel.k8s.io');
    await once(socket, 'message');
    socket.terminate();
    await wasClosed.rung;
    const session = await spdy('portforward', 'portforward.k8s.io');
    await session.openStream({ requestid: '1', port: '82', streamtype: 'error' });
    const data = await session.openStream({ requestid: '1', port: '82', streamtype: 'data' });
    await once(data, 'readable');
    session.close();
    await wasClosed.rung;
  });
});
