// Passes questions about the rest of the world on to the machine's own resolvers and hands their answers back,
// byte for byte. Nothing is cached here: those resolvers do that.
import { createSocket, type Socket } from 'node:dgram';
import { connect } from 'node:net';
import type { Clock } from '../../api/clock.ts';

/** How long one resolver may take before the next is asked, in milliseconds. */
const TIMEOUT_MS = 2_000;
/** Questions under way at once; beyond it new ones fail at once instead of piling up. */
const MAX_OUTSTANDING = 1_000;

export interface Forwarder {
  /** Resolves with a resolver's answer, or undefined when none answered. Never rejects. */
  forward(message: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined>;
  close(): void;
}

/** The nameservers of a resolv.conf, without those that would lead back here. */
export function nameserversOf(resolvConf: string, ownAddresses: readonly string[]): string[] {
  return resolvConf
    .split('\n')
    .map((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1])
    .filter((server) => server !== undefined && !ownAddresses.includes(server)) as string[];
}

export function createForwarder(servers: readonly string[], clock: Clock): Forwarder {
  let outstanding = 0;
  const abort = new AbortController();
  return {
    async forward(message, transport) {
      if (outstanding >= MAX_OUTSTANDING) return undefined;
      outstanding++;
      try {
        for (const server of servers) {
          const ask = transport === 'udp' ? askUdp : askTcp;
          const answer = await ask(message, server, clock, abort.signal);
          if (answer) return answer;
        }
        return undefined;
      } finally {
        outstanding--;
      }
    },
    close: () => abort.abort(),
  };
}

function askUdp(
  message: Buffer,
  server: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    // A socket of its own for each question: a random source port, as RFC 5452 asks.
    const socket: Socket = createSocket(server.includes(':') ? 'udp6' : 'udp4');
    const finish = (answer: Buffer | undefined): void => {
      cancel();
      signal.removeEventListener('abort', giveUp);
      socket.close();
      resolve(answer);
    };
    const giveUp = (): void => finish(undefined);
    const cancel = clock.after(TIMEOUT_MS, giveUp);
    signal.addEventListener('abort', giveUp, { once: true });
    socket.once('error', giveUp);
    socket.on('message', (answer) => {
      if (answer.length > 2 && answer.readUInt16BE(0) === message.readUInt16BE(0)) finish(answer);
    });
    socket.connect(53, server, () => socket.send(message));
  });
}

function askTcp(
  message: Buffer,
  server: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect(53, server);
    const chunks: Buffer[] = [];
    const finish = (answer: Buffer | undefined): void => {
      cancel();
      signal.removeEventListener('abort', giveUp);
      socket.destroy();
      resolve(answer);
    };
    const giveUp = (): void => finish(undefined);
    const cancel = clock.after(TIMEOUT_MS, giveUp);
    signal.addEventListener('abort', giveUp, { once: true });
    socket.once('error', giveUp);
    socket.once('connect', () => socket.write(framed(message)));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      const received = Buffer.concat(chunks);
      if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        finish(received.subarray(2, 2 + received.readUInt16BE(0)));
      }
    });
    socket.once('end', giveUp);
  });
}

/** A message as DNS over TCP carries it: behind its length in two bytes. */
export function framed(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(2 + message.length);
  frame.writeUInt16BE(message.length, 0);
  message.copy(frame, 2);
  return frame;
}
