// A request's body, up to a limit; and all bodies that are on their way, up to another.
import type { Readable } from 'node:stream';
import { badRequest, requestEntityTooLarge, tooManyRequests } from '../../../api/errors.ts';

/** What of a body is taken in any case: most have no more. */
const FREE_BYTES = 64 * 1024;
const MAX_BYTES_UNDER_WAY = 256 * 1024 * 1024;
const RETRY_AFTER_SECONDS = 1;

/** The memory that bodies may take together while they come, however slowly they do. */
export class BodyBudget {
  #left = MAX_BYTES_UNDER_WAY;

  /** @returns whether there were as many bytes left. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.#left += bytes;
  }
}

/**
 * Reads a stream to its end.
 * @throws RequestEntityTooLarge beyond `limit` bytes, TooManyRequests beyond the budget, BadRequest when it breaks off.
 */
export function readBody(stream: Readable, limit: number, budget: BodyBudget): Promise<Buffer> {
  let taken = 0;
  const reading = new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const refuse = (error: Error): void => {
      // The rest is read and forgotten, so that the client gets to see the answer.
      stream.removeAllListeners('data');
      stream.resume();
      reject(error);
    };
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) return refuse(requestEntityTooLarge(`Request entity too large: limit is ${limit}`));
      if (size > FREE_BYTES) {
        if (!budget.take(chunk.length)) {
          return refuse(
            tooManyRequests('Too many large requests, please try again later.', RETRY_AFTER_SECONDS),
          );
        }
        taken += chunk.length;
      }
      chunks.push(chunk);
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
  return reading.finally(() => budget.give(taken));
}
