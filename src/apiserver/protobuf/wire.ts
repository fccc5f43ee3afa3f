// Protobuf's wire format: a message as its fields, without knowing what they mean.
import { badRequest } from '../../api/errors.ts';

/** The four bytes that every body begins with. */
export const MAGIC = Buffer.from('k8s\0');

/** A field as it came: a number (varint, fixed), or the bytes of a string, a message or packed numbers. */
export interface WireField {
  number: number;
  value: bigint | Buffer;
}

/** Reads a message. Throws BadRequest for bytes that are none. */
export function* readFields(message: Buffer): Generator<WireField> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) throw malformed();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw malformed();
  };
  const bytes = (length: number): Buffer => {
    if (at + length > message.length) throw malformed();
    const slice = message.subarray(at, at + length);
    at += length;
    return slice;
  };
  while (at < message.length) {
    const tag = Number(varint());
    const number = tag >>> 3;
    switch (tag & 7) {
      case 0:
        yield { number, value: varint() };
        break;
      case 1:
        yield { number, value: bytes(8) };
        break;
      case 2:
        yield { number, value: bytes(Number(varint())) };
        break;
      case 5:
        yield { number, value: bytes(4) };
        break;
      default:
        throw malformed();
    }
  }
}

export function malformed(): Error {
  return badRequest('the body of the request is not a protobuf message of Kubernetes');
}
