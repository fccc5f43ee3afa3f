// Reads the end of a file that others write, however large they make it.
import { open } from 'node:fs/promises';

/**
 * The last bytes of a regular file, or all of it if it has no more.
 * @throws Error if there is no such file.
 */
export async function readTail(path: string, maxBytes: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const wanted = Math.min(size, maxBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(wanted), 0, wanted, size - wanted);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
