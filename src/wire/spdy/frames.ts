// SPDY/3 frames (SPDY Protocol Draft 3.1, section 2): taken apart and put together, as bytes. What they mean for a
// connection is session.ts's business.

export const FRAME = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

export const FLAG_FIN = 1;
const VERSION = 3;
const HEADER_BYTES = 8;
/** The most that one frame may carry: what the peers of this protocol send is far smaller. */
const MAX_PAYLOAD_BYTES = 1024 * 1024;

export type Frame =
  | { kind: 'data'; streamId: number; flags: number; payload: Buffer }
  | { kind: 'control'; type: number; flags: number; payload: Buffer };

/** Takes frames out of a byte stream as they become whole. */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
  }

  /** The next whole frame, or undefined until more bytes have come. Throws on what is no SPDY/3. */
  next(): Frame | undefined {
    const bytes = this.#pending;
    if (bytes.length < HEADER_BYTES) return undefined;
    const first = bytes.readUInt32BE(0);
    const flags = bytes.readUInt8(4);
    const length = bytes.readUIntBE(5, 3);
    if (length > MAX_PAYLOAD_BYTES) throw new Error(`a SPDY frame of ${length} bytes is too long`);
    if (bytes.length < HEADER_BYTES + length) return undefined;
    const payload = bytes.subarray(HEADER_BYTES, HEADER_BYTES + length);
    this.#pending = bytes.subarray(HEADER_BYTES + length);
    if (first >>> 31 === 0) return { kind: 'data', streamId: first, flags, payload };
    const version = (first >>> 16) & 0x7fff;
    if (version !== VERSION) throw new Error(`SPDY version ${version} is not spoken here`);
    return { kind: 'control', type: first & 0xffff, flags, payload };
  }
}

export function dataFrame(streamId: number, payload: Buffer, fin: boolean): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  frame.writeUInt32BE(streamId, 0);
  frame.writeUInt8(fin ? FLAG_FIN : 0, 4);
  frame.writeUIntBE(payload.length, 5, 3);
  payload.copy(frame, HEADER_BYTES);
  return frame;
}

export function controlFrame(type: number, flags: number, ...parts: Array<number | Buffer>): Buffer {
  const payload = Buffer.concat(
    parts.map((part) => {
      if (typeof part !== 'number') return part;
      const word = Buffer.alloc(4);
      word.writeUInt32BE(part);
      return word;
    }),
  );
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  frame.writeUInt32BE((0x80000000 | (VERSION << 16) | type) >>> 0, 0);
  frame.writeUInt8(flags, 4);
  frame.writeUIntBE(payload.length, 5, 3);
  payload.copy(frame, HEADER_BYTES);
  return frame;
}
