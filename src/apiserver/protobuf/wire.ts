// Protobuf's wire format: a message as its fields, without knowing what they mean.
import { badRequest, requestEntityTooLarge } from '../../api/errors.ts';

/** The four bytes that every body begins with. */
export const MAGIC = Buffer.from('k8s\0');

/** A field as it came: a number (varint, fixed), or the bytes of a string, a message or packed numbers. */
export interface WireField {
  number: number;
  value: bigint | Buffer;
}

/**
 * Fields that all messages of a body may have together: for each value that an object may have (object-size.ts) three,
 * as an entry of a map has them: itself, its key and its value.
 * Bytes say nothing of how many there are: two make a field, and something is made of each.
 */
export const MAX_FIELDS = 45_000;

/** Reads messages, and counts what it reads of them: no more of a body is ever looked at than it may have. */
export class FieldReader {
  #left = MAX_FIELDS;

  /** Counts values of other forms that stand within the body. Throws RequestEntityTooLarge. */
  take(count: number): void {
    this.#left -= count;
    if (this.#left < 0)
      throw requestEntityTooLarge(`Request entity too large: limit is ${MAX_FIELDS} fields`);
  }

  /** Reads a message, field by field. Throws BadRequest for bytes that are none, RequestEntityTooLarge. */
  *read(message: Buffer): Generator<WireField> {
    const bytes = new Bytes(message);
    while (!bytes.ended) {
      this.take(1);
      const tag = bytes.smallVarint();
      const number = tag >>> 3;
      switch (tag & 7) {
        case 0:
          yield { number, value: bytes.varint() };
          break;
        case 1:
          yield { number, value: bytes.slice(8) };
          break;
        case 2:
          yield { number, value: bytes.slice(bytes.smallVarint()) };
          break;
        case 5:
          yield { number, value: bytes.slice(4) };
          break;
        default:
          throw malformed();
      }
    }
  }
}

/** Where in a message the reader stands. */
class Bytes {
  readonly #message: Buffer;
  #at = 0;

  constructor(message: Buffer) {
    this.#message = message;
  }

  get ended(): boolean {
    return this.#at >= this.#message.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#next();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw malformed();
  }

  /** A tag or a length: most are one byte. */
  smallVarint(): number {
    const byte = this.#message[this.#at] ?? 0x80;
    if (byte >= 0x80) return Number(this.varint());
    this.#at++;
    return byte;
  }

  slice(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#message.length) throw malformed();
    const slice = this.#message.subarray(this.#at, end);
    this.#at = end;
    return slice;
  }

  #next(): number {
    const byte = this.#message[this.#at++];
    if (byte === undefined) throw malformed();
    return byte;
  }
}

export function malformed(): Error {
  return badRequest('the body of the request is not a protobuf message of Kubernetes');
}
