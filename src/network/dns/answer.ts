// Turns what a name means into an answer, within the size that the asker takes. How it is written is answer-writer.ts's
// business, what names mean is resolve.ts's.
import { AnswerWriter, MAX_MESSAGE_BYTES, type WireRecord } from './answer-writer.ts';
import { MAX_UDP_BYTES, OPT_BYTES, type Query, type Refusal } from './question.ts';
import { type DnsRecord, startOfAuthority } from './resolve.ts';

/** Seconds that a positive answer may be kept: short, since a pod's address changes when the pod does. */
const POSITIVE_TTL_SECONDS = 5;
export const FLAG = {
  ANSWER: 0x8000,
  AUTHORITATIVE: 0x0400,
  TRUNCATED: 0x0200,
  RECURSION_DESIRED: 0x0100,
  RECURSION_AVAILABLE: 0x0080,
  AUTHENTIC: 0x0020,
  CHECKING_DISABLED: 0x0010,
} as const;
export type Transport = 'udp' | 'tcp';

export interface Sections {
  rcode: number;
  /** Whether all of it is about names of the cluster. */
  authoritative: boolean;
  /** The resolver beyond had more to say than it could. */
  truncated?: boolean;
  answers: readonly WireRecord[];
  authorities: readonly WireRecord[];
  additionals: readonly WireRecord[];
}

/**
 * An answer. Over UDP it holds as many records as the asker takes, and says when there are more (TC), so that the asker
 * comes back over TCP; those that cannot have some at least. That addresses beside an answer are left out is not said:
 * the asker can do without.
 */
export function encodeAnswer(query: Query, sections: Sections, transport: Transport): Buffer {
  const limit = transport === 'udp' ? query.udpPayloadBytes : MAX_MESSAGE_BYTES;
  const writer = new AnswerWriter(query.question, query.labels, limit);
  const reserve = query.edns ? OPT_BYTES : 0;
  const answered = sections.answers.every((record) => writer.add('answers', record, reserve));
  const complete = answered && sections.authorities.every((each) => writer.add('authorities', each, reserve));
  if (complete) {
    for (const record of sections.additionals) if (!writer.add('additionals', record, reserve)) break;
  }
  if (query.edns) writer.add('additionals', optRecord(sections.rcode));
  const flags =
    FLAG.ANSWER |
    FLAG.RECURSION_AVAILABLE |
    (query.recursionDesired ? FLAG.RECURSION_DESIRED : 0) |
    (sections.authoritative ? FLAG.AUTHORITATIVE : 0) |
    (sections.truncated || !complete ? FLAG.TRUNCATED : 0) |
    sections.rcode;
  return writer.finish(query.id, flags);
}

/** Whether there was more than the asker takes. */
export function isTruncated(answer: Buffer): boolean {
  return (answer.readUInt16BE(2) & FLAG.TRUNCATED) !== 0;
}

/** An answer without records: that there can be none, and why. */
export function encodeFailure(query: Query, rcode: number): Buffer {
  return encodeAnswer(
    query,
    { rcode, authoritative: false, answers: [], authorities: [], additionals: [] },
    'udp',
  );
}

/** What is sent back for what is no question: never longer than what came. */
export function encodeRefusal({ id, opcode, rcode, edns, recursionDesired, question }: Refusal): Buffer {
  const writer = new AnswerWriter(question, [], MAX_UDP_BYTES);
  if (edns) writer.add('additionals', optRecord(rcode));
  const flags = FLAG.ANSWER | FLAG.RECURSION_AVAILABLE | (recursionDesired ? FLAG.RECURSION_DESIRED : 0);
  return writer.finish(id, flags | (opcode << 11) | (rcode & 0xf));
}

/** The record that goes with "there is no such name": for how many seconds that may be believed (RFC 2308). */
export function negativeAuthority(domain: string, seconds: number): WireRecord {
  return { name: domain, type: 'SOA', ttl: seconds, data: startOfAuthority(domain, seconds) };
}

export function withTtl(record: DnsRecord): WireRecord {
  return { ...record, ttl: POSITIVE_TTL_SECONDS, class: 'IN' };
}

/**
 * The addresses of an answer, beginning with another one each time, so that askers who take the first share the load and
 * those who are cut short do not all know the same ones; aliases stay in front, and ports in their order.
 * @param chance a number in [0, 1).
 */
export function rotated(records: readonly WireRecord[], chance: number): WireRecord[] {
  const isAddress = ({ type }: WireRecord): boolean => type === 'A' || type === 'AAAA';
  const addresses = records.filter(isAddress);
  const first = Math.floor(chance * addresses.length);
  return [
    ...records.filter((record) => !isAddress(record)),
    ...addresses.slice(first),
    ...addresses.slice(0, first),
  ];
}

function optRecord(rcode: number): WireRecord {
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize: MAX_UDP_BYTES,
    extendedRcode: rcode >> 4,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
}
