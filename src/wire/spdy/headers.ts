// SPDY/3 header blocks: names and values, compressed with a context that lasts as long as the connection, so blocks
// must be written and read in order, one at a time.
import { constants, createDeflate, createInflate } from 'node:zlib';
import { DICTIONARY } from './dictionary.ts';

/** Names are lower case. */
export type Headers = Record<string, string>;

/** The most that one block may hold, plain, in bytes. */
const MAX_BLOCK_BYTES = 256 * 1024;

/** One direction of a connection's header compression: takes a buffer, gives what the codec makes of it. */
type Codec = (input: Buffer) => Promise<Buffer>;

function codec(stream: ReturnType<typeof createDeflate> | ReturnType<typeof createInflate>): Codec {
  let previous: Promise<unknown> = Promise.resolve();
  const once = (input: Buffer): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const onData = (chunk: Buffer): void => {
        bytes += chunk.length;
        if (bytes > MAX_BLOCK_BYTES)
          stream.destroy(new Error(`a header block exceeds ${MAX_BLOCK_BYTES} bytes`));
        else chunks.push(chunk);
      };
      const end = (error?: Error | null): void => {
        stream.off('data', onData);
        stream.off('error', end);
        if (error) reject(error);
        else resolve(Buffer.concat(chunks));
      };
      stream.on('data', onData);
      stream.once('error', end);
      stream.write(input, (error) => {
        if (error) return end(error);
        stream.flush(constants.Z_SYNC_FLUSH, () => end());
      });
    });
  return (input) => {
    const result = previous.then(() => once(input));
    previous = result.catch(() => {});
    return result;
  };
}

/** Writes header blocks of one connection. */
export function headerWriter(): (headers: Headers) => Promise<Buffer> {
  const compress = codec(createDeflate({ dictionary: DICTIONARY }));
  return (headers) => {
    const parts: Buffer[] = [uint32(Object.keys(headers).length)];
    for (const [name, value] of Object.entries(headers)) {
      for (const text of [name.toLowerCase(), value]) {
        const bytes = Buffer.from(text, 'utf8');
        parts.push(uint32(bytes.length), bytes);
      }
    }
    return compress(Buffer.concat(parts));
  };
}

/** Reads header blocks of one connection; rejects when a block is malformed. */
export function headerReader(): (block: Buffer) => Promise<Headers> {
  const inflate = codec(createInflate({ dictionary: DICTIONARY, finishFlush: constants.Z_SYNC_FLUSH }));
  return async (block) => {
    const plain = await inflate(block);
    const headers: Headers = {};
    let at = 4;
    const text = (): string => {
      const length = plain.readUInt32BE(at);
      const end = at + 4 + length;
      if (end > plain.length) throw new Error('a header block ends too early');
      const value = plain.toString('utf8', at + 4, end);
      at = end;
      return value;
    };
    for (let left = plain.readUInt32BE(0); left > 0; left--) {
      const name = text();
      headers[name] = text();
    }
    return headers;
  };
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
