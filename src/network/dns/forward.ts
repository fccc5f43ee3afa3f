// Passes questions about the rest of the world on to the machine's own resolvers. Nothing is cached here: those
// resolvers do that.
import { createSocket, type Socket } from 'node:dgram';
import { connect } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import type { Transport } from './answer.ts';
import { MAX_MESSAGE_BYTES } from './answer-writer.ts';
import { HEADER_BYTES } from './question.ts';

/** How long one resolver may take before the next is asked, in milliseconds. */
const TIMEOUT_MS = 2_000;
/** Questions under way at once; beyond it new ones fail at once instead of piling up. */
const MAX_OUTSTANDING = 1_000;
const IS_ANSWER = 0x8000;

export interface Forwarder {
  /**
   * Resolves with a resolver's answer, or undefined when none answered. Never rejects.
   * @param message a whole question.
   * @param question the bytes of its question section: an answer to another one is not believed.
   */
  forward(message: Buffer, question: Buffer, transport: Transport): Promise<Buffer | undefined>;
  close(): void;
}

/** The nameservers of a resolv.conf, without those that would lead back here. */
export function nameserversOf(resolvConf: string, ownAddresses: readonly string[]): string[] {
  return resolvConf
    .split('\n')
    .map((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1])
    .filter((server) => server !== undefined && !ownAddresses.includes(server)) as string[];
}

/** @param port of the resolvers: 53 but in tests. */
export function createForwarder(servers: readonly string[], clock: Clock, port: number): Forwarder {
  let outstanding = 0;
  const abort = new AbortController();
  return {
    async forward(message, question, transport) {
      if (outstanding >= MAX_OUTSTANDING) return undefined;
      outstanding++;
      try {
        for (const server of servers) {
          const asked = { message, question, server, port, clock, signal: abort.signal };
          const answer = await (transport === 'udp' ? askUdp(asked) : askTcp(asked));
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

interface Asked {
  message: Buffer;
  question: Buffer;
  server: string;
  port: number;
  clock: Clock;
  signal: AbortSignal;
}

/** Whether these bytes answer what was asked: not only by their id, which has but 16 bits. */
function answers(received: Buffer, { message, question }: Asked): boolean {
  if (received.length < HEADER_BYTES || received.readUInt16BE(0) !== message.readUInt16BE(0)) return false;
  if ((received.readUInt16BE(2) & IS_ANSWER) === 0) return false;
  // A refusal may come without the question.
  if (received.readUInt16BE(4) === 0) return true;
  // Some resolvers answer in other letters than they were asked in.
  return sameName(received.subarray(HEADER_BYTES, HEADER_BYTES + question.length), question);
}

const sameName = (a: Buffer, b: Buffer): boolean =>
  a.equals(b) || a.toString('latin1').toLowerCase() === b.toString('latin1').toLowerCase();

function askUdp(asked: Asked): Promise<Buffer | undefined> {
  const { message, server, port, clock, signal } = asked;
  return new Promise((resolve) => {
    // A socket of its own for each question: a random source port, as RFC 5452 asks.
    const socket: Socket = createSocket(server.includes(':') ? 'udp6' : 'udp4');
    const finish = (answer: Buffer | undefined): void => {
      cancel();
      signal.removeEventListener('abort', giveUp);
      socket.removeAllListeners();
      // What comes in late is nobody's error.
      socket.on('error', () => {});
      socket.close();
      resolve(answer);
    };
    const giveUp = (): void => finish(undefined);
    const cancel = clock.after(TIMEOUT_MS, giveUp);
    signal.addEventListener('abort', giveUp, { once: true });
    socket.once('error', giveUp);
    socket.on('message', (answer) => {
      if (answers(answer, asked)) finish(answer);
    });
    socket.connect(port, server, () => socket.send(message));
  });
}

function askTcp(asked: Asked): Promise<Buffer | undefined> {
  const { message, server, port, clock, signal } = asked;
  return new Promise((resolve) => {
    const socket = connect(port, server);
    const chunks: Buffer[] = [];
    let length = 0;
    const finish = (answer: Buffer | undefined): void => {
      cancel();
      signal.removeEventListener('abort', giveUp);
      socket.destroy();
      resolve(answer);
    };
    const giveUp = (): void => finish(undefined);
    const cancel = clock.after(TIMEOUT_MS, giveUp);
    signal.addEventListener('abort', giveUp, { once: true });
    socket.on('error', giveUp);
    socket.once('connect', () => socket.write(framed(message)));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      length += chunk.length;
      const received =
        length >= 2 ? Buffer.concat(chunks, Math.min(length, 2 + MAX_MESSAGE_BYTES)) : undefined;
      const end = received && 2 + received.readUInt16BE(0);
      if (!received || !end || received.length < end) return;
      const answer = received.subarray(2, end);
      finish(answers(answer, asked) ? answer : undefined);
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
