// Answers about the cluster as they were written, for those who ask the same in the same words: programs ask for few names,
// over and over. Holds for one state of the zone and no longer; addresses are turned each time all the same.
import type { Transport } from './answer.ts';
import { HEADER_BYTES, MAX_UDP_BYTES, type Query } from './question.ts';
import type { DnsRecord } from './resolve.ts';

/** More different questions than this within one state of the zone begin anew. */
const MOST_ANSWERS = 4_096;
/** A record whose name is a pointer, without its data. */
const POINTED_RECORD_BYTES = 12;
const ADDRESS_BYTES = { A: 4, AAAA: 16 } as const;

/** Where the addresses stand that are turned: so many records, each of so many bytes. */
interface Turned {
  start: number;
  recordBytes: number;
  count: number;
}

interface Written {
  bytes: Buffer;
  turned: Turned | undefined;
}

export class AnswerCache {
  readonly #answers = new Map<string, Written>();
  #version = Number.NaN;

  /**
   * The answer to a message that was answered before.
   * @param version of the zone.
   * @param chance a number in [0, 1): which address comes first.
   */
  get(message: Buffer, transport: Transport, version: number, chance: () => number): Buffer | undefined {
    if (version !== this.#version) {
      this.#answers.clear();
      this.#version = version;
      return undefined;
    }
    const written = this.#answers.get(keyOf(message, transport));
    if (!written) return undefined;
    const { bytes, turned } = written;
    const answer = Buffer.allocUnsafe(bytes.length);
    bytes.copy(answer);
    answer[0] = message[0] ?? 0;
    answer[1] = message[1] ?? 0;
    if (turned) {
      const { count, recordBytes, start } = turned;
      const first = start + Math.floor(chance() * count) * recordBytes;
      const end = start + count * recordBytes;
      const copied = bytes.copy(answer, start, first, end);
      bytes.copy(answer, start + copied, start, first);
    }
    return answer;
  }

  /**
   * Keeps an answer, if it can be given again and is no longer than most are.
   * @param records its answers, all of which it holds.
   */
  put(
    message: Buffer,
    transport: Transport,
    query: Query,
    records: readonly DnsRecord[],
    bytes: Buffer,
  ): void {
    if (bytes.length > MAX_UDP_BYTES) return;
    const turned = turnedOf(query, records);
    if (turned === 'cannot be turned') return;
    if (this.#answers.size >= MOST_ANSWERS) this.#answers.clear();
    this.#answers.set(keyOf(message, transport), { bytes: Buffer.from(bytes), turned });
  }
}

/** Everything but the id decides about the answer. */
const keyOf = (message: Buffer, transport: Transport): string =>
  transport === 'udp' ? message.toString('latin1', 2) : `tcp${message.toString('latin1', 2)}`;

function turnedOf(query: Query, records: readonly DnsRecord[]): Turned | undefined | 'cannot be turned' {
  const [first] = records;
  const addresses = records.filter(({ type }) => type === 'A' || type === 'AAAA');
  if (addresses.length < 2) return undefined;
  const isOneKind = records.every(({ type }) => type === first?.type);
  if (!isOneKind || (first?.type !== 'A' && first?.type !== 'AAAA')) return 'cannot be turned';
  // Their name is the question's, and so two bytes.
  const recordBytes = POINTED_RECORD_BYTES + ADDRESS_BYTES[first.type];
  return { start: HEADER_BYTES + query.question.length, recordBytes, count: records.length };
}
