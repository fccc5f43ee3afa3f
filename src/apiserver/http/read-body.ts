// A request's body, up to a limit.
import type { Readable } from 'node:stream';
import { badRequest, requestEntityTooLarge } from '../../api/errors.ts';

/** Reads a stream to its end. Throws RequestEntityTooLarge beyond `limit` bytes, BadRequest when it breaks off. */
export function readBody(stream: Readable, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) {
        chunks.push(chunk);
        return;
      }
      // The rest is read and forgotten, so that the client gets to see the answer.
      stream.removeAllListeners('data');
      stream.resume();
      reject(requestEntityTooLarge(`Request entity too large: limit is ${limit}`));
    });
    let ended = false;
    stream.once('end', () => {
      ended = true;
      const [only] = chunks;
      resolve(only && chunks.length === 1 ? only : Buffer.concat(chunks));
    });
    const broken = (): void => {
      if (!ended) reject(badRequest('the connection broke off within the request body'));
    };
    stream.once('error', broken);
    stream.once('close', broken);
  });
}
