// How several channels share one WebSocket: a message is the number of its channel and its bytes, or, in the protocols
// that are text, a digit and the bytes in base64 (apimachinery pkg/util/httpstream/wsstream).
import { Writable } from 'node:stream';
import type { RawData, WebSocket } from 'ws';

/** The protocols that are text. */
const BASE64 = /(?:^|\.)base64\.channel\.k8s\.io$/;

export interface Framing {
  /** Resolves when it is on its way, or the client has gone. */
  send(channel: number, bytes: Buffer): Promise<void>;
  /** A channel to write on; it breaks when the client has gone, so that nobody goes on writing. */
  channel(number: number): Writable;
  /** Undefined for a message that is not in the protocol's form. */
  read(data: RawData, isBinary: boolean): { channel: number; bytes: Buffer } | undefined;
}

/** The framing of the protocol that was agreed upon. */
export function framingOf(socket: WebSocket): Framing {
  const isText = BASE64.test(socket.protocol);
  const send = (message: Buffer | string): Promise<void> =>
    new Promise((resolve) => {
      // A client that has gone takes nothing more; 'close' tells.
      socket.send(message, () => resolve());
    });
  const sendOn = (channel: number, bytes: Buffer): Promise<void> =>
    send(
      isText
        ? String.fromCharCode(48 + channel) + bytes.toString('base64')
        : Buffer.concat([Buffer.from([channel]), bytes]),
    );
  return {
    send: sendOn,
    channel: (number) =>
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          if (socket.readyState !== socket.OPEN) done(new Error('the client has gone'));
          else void sendOn(number, chunk).then(() => done());
        },
      }),
    read(data) {
      // ws hands over one Buffer a message: its default binaryType.
      if (!Buffer.isBuffer(data) || data.length === 0) return undefined;
      const [first = 0] = data;
      if (!isText) return { channel: first, bytes: data.subarray(1) };
      return { channel: first - 48, bytes: Buffer.from(data.subarray(1).toString('latin1'), 'base64') };
    },
  };
}
