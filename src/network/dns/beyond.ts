// What is behind an alias that leads out of the cluster: asked of the resolvers beyond, in a question of our own.
import * as dnsPacket from 'dns-packet';
import type { WireRecord } from './answer-writer.ts';
import type { Forwarder } from './forward.ts';
import { type Query, questionSection, RCODE } from './question.ts';

/** What the resolvers beyond say about a name. */
export interface Beyond {
  rcode: number;
  /** They had more than they could say. */
  truncated: boolean;
  answers: readonly WireRecord[];
}

const NO_ANSWER: Beyond = { rcode: RCODE.SERVFAIL, truncated: false, answers: [] };

/**
 * Asks for the records of a name outside the cluster, of the type that the query asks for.
 * @returns a failure (SERVFAIL) when nobody answers, or answers something that cannot be read.
 */
export async function askBeyond(forwarder: Forwarder, name: string, query: Query): Promise<Beyond> {
  const { checkingDisabled, dnssecOk, typeCode } = query;
  const question = questionSection(name, typeCode);
  const said = await forwarder.forward({ question, dnssecOk, checkingDisabled });
  if (!said) return NO_ANSWER;
  const { message, ageSeconds } = said;
  try {
    const { answers = [] } = dnsPacket.decode(message.bytes);
    const aged = answers.map((record) =>
      'ttl' in record && record.ttl !== undefined
        ? { ...record, ttl: Math.max(0, record.ttl - ageSeconds) }
        : record,
    );
    return { rcode: message.rcode, truncated: message.truncated, answers: aged };
  } catch {
    // A resolver's packet that cannot be read is no answer, whatever is wrong with it.
    return NO_ANSWER;
  }
}
