// The connection to the runtime's streaming server. A runtime that has said all that it had to say closes it, whether
// or not it has read its input: every write then fails, while its last words still wait here to be read.
import { Socket } from 'node:net';

type Written = (error?: Error | null) => void;

/**
 * A socket that is read to its end even when it can no longer be written to: Node.js' own is destroyed by a write that
 * fails, with all that has come and has not been read. What cannot be written is dropped; that the connection is over
 * is told by its reading side.
 */
export class LastingSocket extends Socket {
  #writable = true;

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: Written): void {
    this.#unlessBroken(done, (written) => super._write(chunk, encoding, written));
  }

  override _writev(chunks: Array<{ chunk: Buffer | string; encoding: BufferEncoding }>, done: Written): void {
    this.#unlessBroken(done, (written) => super._writev?.(chunks, written));
  }

  #unlessBroken(done: Written, write: (written: Written) => void): void {
    if (this.#writable) {
      write((error) => {
        if (error) this.#writable = false;
        done();
      });
    } else done();
  }
}
