// What a resolver beyond the cluster has answered: read without being trusted, kept as its bytes, and given to whoever
// asks for it as that one takes it. The records themselves are nobody's business here.
import { FLAG, type Transport } from './answer.ts';
import { MAX_MESSAGE_BYTES } from './answer-writer.ts';
import {
  endOfName,
  HEADER_BYTES,
  OPT,
  OPT_BYTES,
  type Query,
  RCODE,
  RECORD_BYTES,
  writeOpt,
} from './question.ts';

const SOA = 6;

interface PlacedRecord {
  section: 'answers' | 'authorities' | 'additionals';
  end: number;
  ttlAt: number;
  ttl: number;
}

export interface ResolverMessage {
  bytes: Buffer;
  rcode: number;
  /** There was more than fitted. */
  truncated: boolean;
  edns: boolean;
  /** Up to the OPT record: what comes behind it can be done without. */
  records: readonly PlacedRecord[];
  /** For how many seconds it holds; 0 where it does not say. */
  ttlSeconds: number;
  isNegative: boolean;
}

const SECTIONS = ['answers', 'authorities', 'additionals'] as const;

/**
 * Reads an answer; undefined if it is none that can be read.
 * @param question the question section that it is to answer, in any letters.
 */
export function readResolverMessage(bytes: Buffer, question: Buffer): ResolverMessage | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const flags = bytes.readUInt16BE(2);
  if ((flags & FLAG.ANSWER) === 0 || bytes.readUInt16BE(4) !== 1) return undefined;
  const first = HEADER_BYTES + question.length;
  if (!isSameQuestion(bytes.subarray(HEADER_BYTES, first), question)) return undefined;
  const records: PlacedRecord[] = [];
  let rcode = flags & 0xf;
  let edns = false;
  let negativeTtl: number | undefined;
  let at = first;
  for (const [index, section] of SECTIONS.entries()) {
    for (let left = bytes.readUInt16BE(6 + 2 * index); left > 0; left--) {
      const end = endOfName(bytes, at);
      if (end === undefined || end + RECORD_BYTES > bytes.length) return undefined;
      const next = end + RECORD_BYTES + bytes.readUInt16BE(end + 8);
      if (next > bytes.length) return undefined;
      const type = bytes.readUInt16BE(end);
      if (type === OPT) {
        if (edns) return undefined;
        edns = true;
        rcode |= bytes.readUInt8(end + 4) << 4;
      } else if (!edns) {
        const ttlAt = end + 4;
        const ttl = Math.min(bytes.readUInt32BE(ttlAt), 0x7fff_ffff);
        records.push({ section, end: next, ttlAt, ttl });
        // RFC 2308: the shorter of the record's own time and its last field.
        if (type === SOA && section === 'authorities' && next - end >= RECORD_BYTES + 4)
          negativeTtl = Math.min(ttl, bytes.readUInt32BE(next - 4));
      }
      at = next;
    }
  }
  const isNegative = rcode === RCODE.NXDOMAIN || !records.some(({ section }) => section === 'answers');
  return {
    bytes,
    rcode,
    truncated: (flags & FLAG.TRUNCATED) !== 0,
    edns,
    records,
    ttlSeconds: timeToLive(rcode, isNegative, records, negativeTtl),
    isNegative,
  };
}

function timeToLive(
  rcode: number,
  isNegative: boolean,
  records: readonly PlacedRecord[],
  negativeTtl: number | undefined,
): number {
  if (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN) return 0;
  // Without a start of authority nobody says for how long something is not there.
  if (isNegative && negativeTtl === undefined) return 0;
  const limits = records.filter(({ section }) => section !== 'additionals').map(({ ttl }) => ttl);
  return Math.min(...limits, negativeTtl ?? Number.POSITIVE_INFINITY);
}

/** Some resolvers answer in other letters than they were asked in. */
function isSameQuestion(a: Buffer, b: Buffer): boolean {
  return a.equals(b) || a.toString('latin1').toLowerCase() === b.toString('latin1').toLowerCase();
}

/**
 * The message as an answer to this query: with its id, its letters and its own EDNS, cut where the asker takes no more.
 * @param ageSeconds how long ago it was said: its records hold for as much less.
 */
export function answerFrom(
  message: ResolverMessage,
  query: Query,
  ageSeconds: number,
  transport: Transport,
): Buffer {
  const { bytes, records } = message;
  const limit = transport === 'udp' ? query.udpPayloadBytes : MAX_MESSAGE_BYTES;
  const room = limit - (query.edns ? OPT_BYTES : 0);
  const counts = { answers: 0, authorities: 0, additionals: 0 };
  let end = HEADER_BYTES + query.question.length;
  let cut = message.truncated;
  for (const record of records) {
    if (record.end > room) {
      cut ||= record.section !== 'additionals';
      break;
    }
    end = record.end;
    counts[record.section]++;
  }
  const answer = Buffer.allocUnsafe(end + (query.edns ? OPT_BYTES : 0));
  bytes.copy(answer, 0, 0, end);
  query.question.copy(answer, HEADER_BYTES);
  for (const { end: recordEnd, ttl, ttlAt } of records) {
    if (recordEnd > end) break;
    answer.writeUInt32BE(Math.max(0, ttl - ageSeconds), ttlAt);
  }
  const flags =
    FLAG.ANSWER |
    FLAG.RECURSION_AVAILABLE |
    (bytes.readUInt16BE(2) & FLAG.AUTHENTIC) |
    (query.recursionDesired ? FLAG.RECURSION_DESIRED : 0) |
    (query.checkingDisabled ? FLAG.CHECKING_DISABLED : 0) |
    (cut ? FLAG.TRUNCATED : 0) |
    (message.rcode & 0xf);
  const additionals = counts.additionals + (query.edns ? 1 : 0);
  for (const [index, word] of [
    ...[query.id, flags, 1],
    ...[counts.answers, counts.authorities, additionals],
  ].entries())
    answer.writeUInt16BE(word, 2 * index);
  if (query.edns) writeOpt(answer, end, message.rcode);
  return answer;
}
