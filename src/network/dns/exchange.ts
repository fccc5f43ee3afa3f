// One question to one resolver, over UDP and, where the answer does not fit, over TCP. Answers that are not to the
// question are passed over: not only the id, which has but 16 bits, is looked at. Which resolver is asked is not decided
// here.
import { createSocket, type Socket } from 'node:dgram';
import { connect } from 'node:net';
import type { Clock, Random } from '../../base/clock.ts';
import { MAX_MESSAGE_BYTES } from './answer-writer.ts';
import { encodeQuestion, HEADER_BYTES, type QuestionFlags, RCODE } from './question.ts';
import type { ResolverAddress } from './resolver-address.ts';
import { type ResolverMessage, readResolverMessage } from './resolver-message.ts';

/** How long one resolver may take, in milliseconds. */
const TIMEOUT_MS = 2_000;

/** What is asked: the bytes of a question section, in lower case, and how. */
export interface ResolverQuestion extends QuestionFlags {
  question: Buffer;
}

export interface ExchangeContext {
  clock: Clock;
  random: Random;
}

/** Resolves with the answer; undefined when there was none in time, or `signal` has ended it. Never rejects. */
export async function exchange(
  { address, port }: ResolverAddress,
  asked: ResolverQuestion,
  { clock, random }: ExchangeContext,
  signal: AbortSignal,
): Promise<ResolverMessage | undefined> {
  const once = async (ask: typeof askUdp, edns: boolean): Promise<ResolverMessage | undefined> => {
    // Of a UUID the first digits are dice that nobody can foresee.
    const id = Number.parseInt(random.uuid().slice(0, 4), 16);
    const message = encodeQuestion(id, asked, edns);
    const read = (bytes: Buffer): ResolverMessage | undefined =>
      bytes.length >= HEADER_BYTES && bytes.readUInt16BE(0) === id
        ? readResolverMessage(bytes, asked.question)
        : undefined;
    return ask({ address, port, message, read, clock, signal });
  };
  let answer = await once(askUdp, true);
  const knowsEdns = answer?.edns || (answer?.rcode !== RCODE.FORMERR && answer?.rcode !== RCODE.NOTIMP);
  if (!knowsEdns) answer = await once(askUdp, false);
  if (!answer?.truncated) return answer;
  return (await once(askTcp, knowsEdns)) ?? answer;
}

interface Asked extends ResolverAddress {
  message: Buffer;
  /** The answer, if the bytes are one. */
  read(bytes: Buffer): ResolverMessage | undefined;
  clock: Clock;
  signal: AbortSignal;
}

/** Calls `begin` with what ends it; it is ended without an answer after a time, or by the signal. */
function bounded(
  { clock, signal }: Asked,
  begin: (finish: (answer: ResolverMessage | undefined) => void) => () => void,
): Promise<ResolverMessage | undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(undefined);
    let isOver = false;
    const finish = (answer: ResolverMessage | undefined): void => {
      // What comes in late is nobody's answer, and nobody's error.
      if (isOver) return;
      isOver = true;
      cancel();
      signal.removeEventListener('abort', giveUp);
      close();
      resolve(answer);
    };
    const giveUp = (): void => finish(undefined);
    const cancel = clock.after(TIMEOUT_MS, giveUp);
    signal.addEventListener('abort', giveUp, { once: true });
    const close = begin(finish);
  });
}

function askUdp(asked: Asked): Promise<ResolverMessage | undefined> {
  const { address, message, port, read } = asked;
  return bounded(asked, (finish) => {
    // A socket of its own for each question: a random source port, as RFC 5452 asks; and connected, so that the kernel
    // passes over what others send.
    const socket: Socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.on('error', () => finish(undefined));
    socket.on('message', (bytes) => {
      const answer = read(bytes);
      if (answer) finish(answer);
    });
    // What it is handed itself is called for a failure, too, which is then no event.
    socket.once('connect', () => socket.send(message));
    socket.connect(port, address);
    // Its listeners stay: one that has not connected yet closes by means of some that Node has put there.
    return () => socket.close();
  });
}

function askTcp(asked: Asked): Promise<ResolverMessage | undefined> {
  const { address, message, port, read } = asked;
  return bounded(asked, (finish) => {
    const socket = connect(port, address);
    const chunks: Buffer[] = [];
    let length = 0;
    const giveUp = (): void => finish(undefined);
    socket.on('error', giveUp);
    socket.once('connect', () => socket.write(framed(message)));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length < 2) return;
      const received = Buffer.concat(chunks, Math.min(length, 2 + MAX_MESSAGE_BYTES));
      const end = 2 + received.readUInt16BE(0);
      if (received.length >= end) finish(read(received.subarray(2, end)));
    });
    socket.once('end', giveUp);
    return () => socket.destroy();
  });
}

/** A message as DNS over TCP carries it: behind its length in two bytes. */
export function framed(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(2 + message.length);
  frame.writeUInt16BE(message.length, 0);
  message.copy(frame, 2);
  return frame;
}
