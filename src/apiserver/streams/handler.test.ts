// The protocols in front of a node that echoes: what kubectl of different ages sends, and what it gets back.
import assert from 'node:assert/strict';
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import type { ExecOptions, NodeStreams, Session } from '../../api/between/node-streams.ts';
import { StatusError } from '../../api/errors.ts';
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

/**
 * Runs `cat`: what comes in goes out; the first argument is the exit code, the window's width goes to stderr. A second
 * argument is how many bytes go out before.
 */
function cat({ command, stdin, stderr }: ExecOptions): Session {
  const input = new PassThrough();
  const output = new PassThrough();
  const errors = new PassThrough();
  for (let left = Number(command[1] ?? 0); left > 0; left -= 65_536) {
    output.write(Buffer.alloc(Math.min(left, 65_536), 'x'));
  }
  input.pipe(output);
  if (!stdin) input.end();
  return {
    ...(stdin ? { stdin: input } : {}),
    stdout: output,
    ...(stderr ? { stderr: errors } : {}),
    resize: (columns) => void output.write(`[${columns}]`),
    exit: new Promise((resolve) =>
      input.once('end', () => {
        errors.end('done');
        output.once('end', () => resolve({ exitCode: Number(command[0]) }));
      }),
    ),
    close: () => input.end(),
  };
}

describe('streams into pods', () => {
  let server: Server;
  let backend: ReturnType<typeof createTcpServer>;
  let port: number;
  /** Holds up a session that is being opened. */
  let opening: Promise<void> | undefined;
  let opened: () => void = () => {};
  const sessions: Session[] = [];

  before(async () => {
    backend = createTcpServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
    await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
    const backendPort = (backend.address() as AddressInfo).port;
    const node: NodeStreams = {
      async *logs() {},
      exec: async (_target, options) => {
        await opening;
        if (options.command[0] === 'refuse') throw new Error('no such command');
        const session = cat(options);
        sessions.push(session);
        return session;
      },
      attach: async (_target, options) => cat({ ...options, command: ['0'] }),
      portForward: async (_target, asked) => {
        if (asked === 82) {
          const late = new PassThrough();
          setImmediate(() => late.destroy(new Error('connection refused')));
          return late;
        }
        if (asked !== 80) throw new Error(`nothing listens on ${asked}`);
        return connectTcp({ port: backendPort, host: '127.0.0.1', allowHalfOpen: true });
      },
    };
    const handler = createStreamHandler({
      streams: (name) => (name === 'vm' ? node : undefined),
      clock: { now: () => 0, after: () => () => {} },
      log: silentLog,
    });
    server = createServer();
    server.on('upgrade', (message, socket, head) => {
      const url = new URL(message.url ?? '/', 'http://test');
      const subresource = url.pathname.slice(1) as ConnectSubresource;
      const signal = new AbortController().signal;
      const user = { name: 'test', groups: [] };
      handler
        .upgrade({ pod, subresource, query: url.searchParams, user, signal }, message, socket, head)
        .catch((error: unknown) => {
          const code = error instanceof StatusError ? error.code : 500;
          socket.end(`HTTP/1.1 ${code} ${(error as Error).message}\r\n\r\n`);
        });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  after(() => {
    server.close();
    backend.close();
  });

  /** Channel → all that came on it. */
  async function overWebsocket(
    path: string,
    protocol: string,
    messages: Buffer[],
  ): Promise<Map<number, string>> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/${path}`, protocol);
    const received = new Map<number, string>();
    socket.on('message', (data) => {
      assert.ok(Buffer.isBuffer(data));
      const channel = data[0] ?? 0;
      received.set(channel, (received.get(channel) ?? '') + data.subarray(1).toString());
    });
    socket.once('open', () => {
      for (const message of messages) socket.send(message);
    });
    await new Promise((resolve, reject) => {
      socket.once('close', resolve);
      socket.once('error', reject);
    });
    return received;
  }
  const frame = (channel: number, text: string): Buffer =>
    Buffer.concat([Buffer.from([channel]), Buffer.from(text)]);
  const CLOSE_STDIN = Buffer.from([255, 0]);

  it('carries exec over WebSocket v5, with half-close and exit code', async () => {
    const query = 'exec?command=3&stdin=true&stdout=true&stderr=true';
    const received = await overWebsocket(query, 'v5.channel.k8s.io', [frame(0, 'hello'), CLOSE_STDIN]);
    assert.equal(received.get(1), 'hello');
    assert.equal(received.get(2), 'done');
    const status = JSON.parse(received.get(3) ?? '{}');
    assert.deepEqual([status.reason, status.details.causes[0].message], ['NonZeroExitCode', '3']);
  });

  it('sends all output before the outcome, however much it is', async () => {
    for (const protocol of ['v5.channel.k8s.io', 'v4.channel.k8s.io']) {
      const received = await overWebsocket('exec?command=0&command=3000001&stdout=true', protocol, []);
      assert.equal(received.get(1)?.length, 3_000_001);
      assert.equal(JSON.parse(received.get(3) ?? '{}').status, 'Success');
    }
  });

  it('passes on the size of the terminal, and reports success', async () => {
    const query = 'exec?command=0&stdin=true&stdout=true&tty=true';
    const size = frame(4, '{"Width":120,"Height":40}');
    const received = await overWebsocket(query, 'v5.channel.k8s.io', [size, CLOSE_STDIN]);
    assert.equal(received.get(1), '[120]');
    assert.equal(JSON.parse(received.get(3) ?? '{}').status, 'Success');
  });

  it('keeps the first size of the terminal until there is a session to tell', async () => {
    const query = 'exec?command=0&stdin=true&stdout=true&tty=true';
    opening = new Promise((resolve) => {
      opened = resolve;
    });
    const socket = new WebSocket(`ws://127.0.0.1:${port}/${query}`, 'v4.channel.k8s.io');
    let received = '';
    socket.on('message', (data) => {
      received += data.toString().slice(1);
      // The server's first word says that it has the connection; what was sent before is on its way.
      if (received === '[120]') socket.close();
    });
    socket.once('open', () => {
      socket.send(frame(4, '{"Width":120,"Height":40}'));
      socket.ping();
    });
    socket.once('pong', () => opened());
    await new Promise((resolve) => socket.once('close', resolve));
    opening = undefined;
    assert.equal(received, '[120]');
  });

  it('carries exec as text in base64, for browsers', async () => {
    const query = 'exec?command=0&stdout=true';
    const socket = new WebSocket(`ws://127.0.0.1:${port}/${query}`, 'v4.base64.channel.k8s.io');
    const messages: string[] = [];
    socket.on('message', (data, isBinary) => {
      assert.equal(isBinary, false);
      messages.push(data.toString());
    });
    await new Promise((resolve) => socket.once('close', resolve));
    assert.equal(messages[0], '1', 'the connection stands');
    const last = messages.at(-1) ?? '';
    assert.equal(last[0], '3');
    assert.equal(JSON.parse(Buffer.from(last.slice(1), 'base64').toString()).status, 'Success');
  });

  it('ends a session whose client went away while it was being opened', async () => {
    opening = new Promise((resolve) => {
      opened = resolve;
    });
    const before = sessions.length;
    const socket = new WebSocket(
      `ws://127.0.0.1:${port}/exec?command=0&stdin=true&stdout=true`,
      'v5.channel.k8s.io',
    );
    await new Promise((resolve) => socket.once('open', resolve));
    const closed = new Promise((resolve) =>
      server.once('connection', (other) => other.once('close', resolve)),
    );
    socket.close();
    await new Promise((resolve) => socket.once('close', resolve));
    // A connection that came later is through: the server has seen the end of the first.
    const probe = connectTcp(port, '127.0.0.1', () => probe.destroy());
    await closed;
    opened();
    opening = undefined;
    while (sessions.length === before) await new Promise((resolve) => setImmediate(resolve));
    await sessions.at(-1)?.exit;
  });

  it('prefers v5 of what is offered', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/exec?command=0&stdout=true`, [
      'v4.channel.k8s.io',
      'v5.channel.k8s.io',
    ]);
    await new Promise((resolve) => socket.once('open', resolve));
    assert.equal(socket.protocol, 'v5.channel.k8s.io');
    await new Promise((resolve) => socket.once('close', resolve));
  });

  it('forwards ports over a plain WebSocket, two channels for each', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/portforward?ports=80,81`, 'v4.channel.k8s.io');
    const received = new Map<number, Buffer>();
    const complete = new Promise<void>((resolve) => {
      socket.on('message', (data) => {
        assert.ok(Buffer.isBuffer(data));
        const channel = data[0] ?? 0;
        received.set(channel, Buffer.concat([received.get(channel) ?? Buffer.alloc(0), data.subarray(1)]));
        const isEchoed = received.get(0)?.subarray(2).toString() === 'ping';
        if (isEchoed && (received.get(3)?.length ?? 0) > 2) resolve();
      });
    });
    socket.once('open', () => socket.send(frame(0, 'ping')));
    await complete;
    for (const channel of [0, 1]) assert.equal(received.get(channel)?.readUInt16LE(0), 80);
    for (const channel of [2, 3]) assert.equal(received.get(channel)?.readUInt16LE(0), 81);
    assert.equal(received.get(1)?.length, 2, 'no error on port 80');
    assert.match(
      received.get(3)?.subarray(2).toString() ?? '',
      /error forwarding port 81 to the pod: nothing listens on 81/,
    );
    socket.close();
    await new Promise((resolve) => socket.once('close', resolve));
  });

  it('refuses to forward no port, or what is none', async () => {
    for (const query of ['', '?ports=', '?ports=http', '?ports=0', '?ports=65536']) {
      await assert.rejects(overWebsocket(`portforward${query}`, 'v4.channel.k8s.io', []), /400/, query);
    }
    await assert.rejects(overWebsocket('portforward?ports=80', 'v5.channel.k8s.io', []), /400/);
  });

  it('reports what kept a command from running', async () => {
    const received = await overWebsocket('exec?command=refuse&stdout=true', 'v4.channel.k8s.io', []);
    assert.match(JSON.parse(received.get(3) ?? '{}').message, /Internal error occurred: no such command/);
  });

  it('refuses what it does not speak, and a command that is missing', async () => {
    await assert.rejects(overWebsocket('exec?command=0&stdout=true', 'v1.channel.k8s.io', []), /400/);
    await assert.rejects(overWebsocket('exec?stdout=true', 'v5.channel.k8s.io', []), /400/);
    await assert.rejects(
      overWebsocket('exec?command=0&stdout=true&container=no', 'v5.channel.k8s.io', []),
      /400/,
    );
  });

  function spdy(path: string, protocol: string): Promise<SpdySession> {
    return new Promise((resolve, reject) => {
      const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': protocol };
      const outgoing = request({ host: '127.0.0.1', port, path: `/${path}`, method: 'POST', headers });
      outgoing.once('upgrade', (response, socket) => {
        assert.equal(response.headers['x-stream-protocol-version'], protocol);
        resolve(new SpdySession(socket, 'client', { onStream() {}, onClose() {} }));
      });
      outgoing.once('response', (response) => reject(new Error(`${response.statusCode}`)));
      outgoing.once('error', reject);
      outgoing.end();
    });
  }
  function all(stream: SpdyStream): Promise<string> {
    return new Promise((resolve) => {
      let text = '';
      stream.on('data', (chunk: Buffer) => {
        text += chunk;
      });
      stream.once('end', () => resolve(text));
    });
  }

  it('carries exec over SPDY, as older kubectl speak it', async () => {
    const session = await spdy('exec?command=7&stdin=true&stdout=true&stderr=true', 'v4.channel.k8s.io');
    const [error, stdin, stdout, stderr] = await Promise.all(
      ['error', 'stdin', 'stdout', 'stderr'].map((streamtype) => session.openStream({ streamtype })),
    );
    assert.ok(error && stdin && stdout && stderr);
    const read = Promise.all([all(error), all(stdout), all(stderr)]);
    stdin.end('through spdy');
    const [status, output, errors] = await read;
    assert.deepEqual(
      [output, errors, JSON.parse(status).details.causes[0].message],
      ['through spdy', 'done', '7'],
    );
    session.close();
  });

  it('forwards connections to a port, and says why it cannot', async () => {
    const session = await spdy('portforward', 'portforward.k8s.io');
    const open = async (
      requestid: string,
      asked: string,
    ): Promise<[Promise<string>, Promise<string>, SpdyStream]> => {
      const headers = { requestid, port: asked };
      const error = await session.openStream({ ...headers, streamtype: 'error' });
      const data = await session.openStream({ ...headers, streamtype: 'data' });
      return [all(error), all(data), data];
    };
    const [goodError, goodData, good] = await open('1', '80');
    good.end('ping');
    assert.deepEqual([await goodData, await goodError], ['ping', '']);
    const [badError] = await open('2', '81');
    assert.match(await badError, /error forwarding port 81 to the pod: nothing listens on 81/);
    const [lateError] = await open('3', '82');
    assert.match(await lateError, /error forwarding port 82 to the pod: connection refused/);
    session.close();
  });
});
