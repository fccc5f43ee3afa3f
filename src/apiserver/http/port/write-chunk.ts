// Writing to whom reads slowly: the next chunk waits until there is room for it.
import type { Writable } from 'node:stream';

/** Writes a chunk; resolves when the stream takes more, or is closed. */
export async function writeChunk(stream: Writable, chunk: Uint8Array): Promise<void> {
  if (stream.write(chunk)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      stream.off('drain', done);
      stream.off('close', done);
      resolve();
    };
    stream.once('drain', done);
    stream.once('close', done);
  });
}
