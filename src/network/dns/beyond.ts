// What is behind an alias that leads out of the cluster: asked of the resolvers beyond, in a question of our own.
import * as dnsPacket from 'dns-packet';
import type { WireRecord } from './answer-writer.ts';
import type { Forwarder } from './forward.ts';
import { encodeQuestion, HEADER_BYTES, RCODE } from './question.ts';

const RCODE_BITS = 0xf;

/** What the resolvers beyond say about a name. */
export interface Beyond {
  rcode: number;
  /** They had more than they could say. */
  truncated: boolean;
  answers: readonly WireRecord[];
}

const NO_ANSWER: Beyond = { rcode: RCODE.SERVFAIL, truncated: false, answers: [] };

/**
 * Asks for the records of a name outside the cluster; over TCP as well when they are many.
 * @param id of the question: not to be guessed.
 * @returns a failure (SERVFAIL) when nobody answers, or answers something that cannot be read.
 */
export async function askBeyond(
  forwarder: Forwarder,
  name: string,
  typeCode: number,
  id: number,
): Promise<Beyond> {
  const message = encodeQuestion(id, name, typeCode);
  const question = message.subarray(HEADER_BYTES);
  const short = read(await forwarder.forward(message, question, 'udp'));
  if (!short.truncated) return short;
  const whole = read(await forwarder.forward(message, question, 'tcp'));
  return whole.rcode === RCODE.SERVFAIL ? short : whole;
}

function read(message: Buffer | undefined): Beyond {
  if (!message) return NO_ANSWER;
  try {
    const { flags = 0, flag_tc, answers = [] } = dnsPacket.decode(message);
    return { rcode: flags & RCODE_BITS, truncated: flag_tc, answers };
  } catch {
    // A resolver's packet that cannot be read is no answer, whatever is wrong with it.
    return NO_ANSWER;
  }
}
