// The sockets that questions come in by: UDP, and TCP for those whose answer was too long. Nobody's questions take more
// than their share: what is held for a client is bounded, and a client that does not read or write is let go.
import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server, type Socket as TcpSocket } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import type { Transport } from './answer.ts';
import { framed } from './exchange.ts';
import { MAX_QUESTION_BYTES } from './question.ts';

/** TCP connections at once, of all clients and of one; and how long an idle one is kept, in milliseconds. */
const MAX_TCP_CONNECTIONS = 256;
const MAX_TCP_CONNECTIONS_OF_ONE = 32;
const TCP_IDLE_MS = 10_000;
/** However lively it is, a connection ends after so long: a client comes again. */
const TCP_MOST_MS = 120_000;

/** Answers a message; undefined: not at all. Never throws, never rejects. */
export type AnswerMessage = (
  message: Buffer,
  transport: Transport,
) => Buffer | undefined | Promise<Buffer | undefined>;

/** Whether an address may ask. Others are told nothing: not even that they are refused. */
export type MayAsk = (address: string) => boolean;

export interface Listener {
  port: number;
  close(): Promise<void>;
}

/** @throws Error with address and port if it cannot listen there. */
export function listenUdp(
  address: string,
  port: number,
  answer: AnswerMessage,
  mayAsk: MayAsk,
): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const isIPv6 = address.includes(':');
    const socket: Socket = createSocket({
      type: isIPv6 ? 'udp6' : 'udp4',
      // Whoever asked has an address already: nothing is to be looked up, which Node does at every answer otherwise.
      lookup: (host, _options, found) => found(null, host, isIPv6 ? 6 : 4),
    });
    socket.once('error', (error) => reject(bindError(address, port, error)));
    socket.bind(port, address, () => {
      socket.removeAllListeners('error');
      // A client that went away makes later sends fail; the server goes on.
      socket.on('error', () => {});
      let closed = false;
      socket.on('message', (message, { address: from, port: fromPort }) => {
        if (!mayAsk(from)) return;
        const send = (reply: Buffer | undefined): void => {
          // Nobody can answer from port 0.
          if (reply && !closed && fromPort > 0) socket.send(reply, fromPort, from);
        };
        const reply = answer(message, 'udp');
        // A question without an answer is a datagram that was lost: its client asks again.
        if (reply instanceof Promise) reply.then(send).catch(() => {});
        else send(reply);
      });
      resolve({
        port: socket.address().port,
        close: () =>
          new Promise((ended) => {
            closed = true;
            socket.close(() => ended());
          }),
      });
    });
  });
}

/** @throws Error with address and port if it cannot listen there. */
export function listenTcp(
  address: string,
  port: number,
  answer: AnswerMessage,
  mayAsk: MayAsk,
  clock: Clock,
): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const open = new Map<TcpSocket, string>();
    const server: Server = createServer((socket) => {
      const client = socket.remoteAddress ?? '';
      socket.on('error', () => socket.destroy());
      if (!mayAsk(client)) {
        socket.destroy();
        return;
      }
      if ([...open.values()].filter((other) => other === client).length >= MAX_TCP_CONNECTIONS_OF_ONE) {
        socket.destroy();
        return;
      }
      open.set(socket, client);
      const cancel = clock.after(TCP_MOST_MS, () => socket.destroy());
      socket.once('close', () => {
        cancel();
        open.delete(socket);
      });
      socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
      void converse(socket, answer);
    });
    server.maxConnections = MAX_TCP_CONNECTIONS;
    server.once('error', (error) => reject(bindError(address, port, error)));
    server.listen(port, address, () => {
      server.removeAllListeners('error');
      server.on('error', () => {});
      const bound = server.address();
      resolve({
        port: typeof bound === 'object' && bound ? bound.port : port,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            for (const socket of open.keys()) socket.destroy();
          }),
      });
    });
  });
}

/**
 * Answers a connection's questions one after the other: nothing more is read from it before its last answer has gone
 * out. Never rejects.
 */
async function converse(socket: TcpSocket, answer: AnswerMessage): Promise<void> {
  let pending = Buffer.alloc(0);
  try {
    // The client may end its side once it has asked: what it asked is answered all the same.
    for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 2) {
        const end = 2 + pending.readUInt16BE(0);
        if (end > 2 + MAX_QUESTION_BYTES) throw new Error('longer than any question');
        if (pending.length < end) break;
        const reply = await answer(pending.subarray(2, end), 'tcp');
        pending = pending.subarray(end);
        if (!reply) throw new Error('no question');
        if (!socket.write(framed(reply))) await drained(socket);
      }
    }
    socket.end();
  } catch {
    // It was reset, its client did not read, or what it sent is no DNS: nobody is left to be told.
    socket.destroy();
  }
}

/** Resolves when what was written has gone out, or the connection has ended. */
function drained(socket: TcpSocket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}

function bindError(address: string, port: number, cause: Error): Error {
  return new Error(`DNS cannot listen on ${address}:${port}: ${cause.message}`, { cause });
}
