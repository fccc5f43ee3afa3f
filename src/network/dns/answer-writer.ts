// Writes the records of one answer, names compressed (RFC 1035, 4.1.4), until it is as long as the asker takes it. What
// is in a record's data is dns-packet's business.
import * as dnsPacket from 'dns-packet';

const HEADER_BYTES = 12;
/** Pointers have 14 bits. */
const MAX_POINTED = 0x3fff;
const POINTER = 0xc000;
const MAX_LABEL_BYTES = 63;
/** The most that a message over TCP can be long. */
export const MAX_MESSAGE_BYTES = 0xffff;
const FIRST_BYTES = 2048;

export type WireRecord = dnsPacket.Answer;

export class AnswerWriter {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #length = HEADER_BYTES;
  readonly #limit: number;
  /** Where a name, or the end of one, was written in full: `svc.cluster.local` → offset. */
  readonly #names = new Map<string, number>();
  /** How many records of each section were written. */
  readonly #counts = { answers: 0, authorities: 0, additionals: 0 };
  readonly #questions: number;

  /**
   * @param question its bytes; empty where it could not be read.
   * @param labels of the question's name, which nearly every answer begins with.
   * @param limit the most bytes that the answer may have.
   */
  constructor(question: Buffer, labels: readonly string[], limit: number) {
    this.#limit = limit;
    this.#questions = question.length > 0 ? 1 : 0;
    question.copy(this.#bytes, HEADER_BYTES);
    this.#length += question.length;
    let at = HEADER_BYTES;
    for (const index of labels.keys()) {
      this.#names.set(labels.slice(index).join('.'), at);
      at += 1 + (this.#bytes[at] ?? 0);
    }
  }

  /**
   * Adds a record.
   * @param reserve bytes to be left free for what must come after it.
   * @returns whether there was room for it.
   * @throws Error for a name that cannot be written.
   */
  add(section: 'answers' | 'authorities' | 'additionals', record: WireRecord, reserve = 0): boolean {
    const start = this.#length;
    this.#name(record.name);
    // The root's name is one byte: behind it is the record as it is without its name.
    const rest = dnsPacket.encode({ answers: [{ ...record, name: '.' }] }).subarray(HEADER_BYTES + 1);
    if (record.type === 'CNAME' || record.type === 'PTR') {
      const fixed = rest.subarray(0, 10);
      this.#append(fixed);
      const data = this.#length;
      this.#name(record.data);
      this.#bytes.writeUInt16BE(this.#length - data, data - 2);
    } else this.#append(rest);
    if (this.#length + reserve <= this.#limit) {
      this.#counts[section]++;
      return true;
    }
    this.#length = start;
    for (const [name, at] of this.#names) if (at >= start) this.#names.delete(name);
    return false;
  }

  /** The answer. @param flags the header's second word. */
  finish(id: number, flags: number): Buffer {
    const { answers, authorities, additionals } = this.#counts;
    for (const [index, word] of [id, flags, this.#questions, answers, authorities, additionals].entries())
      this.#bytes.writeUInt16BE(word, 2 * index);
    return this.#bytes.subarray(0, this.#length);
  }

  #name(name: string): void {
    let rest = name === '.' ? '' : name;
    while (rest !== '') {
      const known = this.#names.get(rest.toLowerCase());
      if (known !== undefined) {
        this.#append(word(POINTER | known));
        return;
      }
      if (this.#length <= MAX_POINTED) this.#names.set(rest.toLowerCase(), this.#length);
      const label = Buffer.from(rest.split('.', 1)[0] ?? '');
      if (label.length === 0 || label.length > MAX_LABEL_BYTES) throw new Error(`no name to write: ${name}`);
      this.#append(Buffer.of(label.length));
      this.#append(label);
      rest = parent(rest);
    }
    this.#append(Buffer.of(0));
  }

  #append(piece: Uint8Array): void {
    const end = this.#length + piece.length;
    if (end > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(2 * end);
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = end;
  }
}

/** `a.b.c` → `b.c`; nothing above the last label. */
function parent(name: string): string {
  const dot = name.indexOf('.');
  return dot < 0 ? '' : name.slice(dot + 1);
}

function word(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
