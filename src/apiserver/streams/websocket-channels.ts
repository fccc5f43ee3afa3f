// Exec and attach over WebSocket: `v5.channel.k8s.io`, which can half-close stdin, and `v4.channel.k8s.io`, which
// cannot. Each message is a channel's number and its bytes (apimachinery pkg/util/remotecommand).
import { PassThrough, Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import { type Channels, readTerminalSize, type Wanted } from './channels.ts';

const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** What a server here speaks, the best first. */
export const REMOTE_COMMAND_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

export function websocketChannels(socket: WebSocket, wanted: Wanted): Channels {
  const stdin = wanted.stdin ? new PassThrough() : undefined;
  const resizes: Array<(size: { Width: number; Height: number }) => void> = [];
  socket.on('message', (data) => {
    // ws hands over one Buffer a message: its default binaryType.
    if (!Buffer.isBuffer(data) || data.length === 0) return;
    const rest = data.subarray(1);
    switch (data[0]) {
      case CHANNEL.stdin:
        // A client that types faster than the container reads is held up.
        if (stdin && !stdin.write(rest)) {
          socket.pause();
          stdin.once('drain', () => socket.resume());
        }
        return;
      case CHANNEL.resize: {
        const size = readTerminalSize(rest.toString());
        if (size) for (const listener of resizes) listener(size);
        return;
      }
      case CHANNEL.close:
        if (rest[0] === CHANNEL.stdin) stdin?.end();
        return;
    }
  });
  socket.on('error', () => socket.terminate());
  const send = (channel: number, chunk: Buffer): Promise<void> =>
    new Promise((resolve) => {
      // A client that has gone takes nothing more; onGone tells the session.
      socket.send(Buffer.concat([Buffer.from([channel]), chunk]), () => resolve());
    });
  const output = (channel: number): Writable =>
    new Writable({ write: (chunk: Buffer, _encoding, done) => void send(channel, chunk).then(() => done()) });
  return {
    ...(stdin ? { stdin } : {}),
    ...(wanted.stdout ? { stdout: output(CHANNEL.stdout) } : {}),
    ...(wanted.stderr && !wanted.tty ? { stderr: output(CHANNEL.stderr) } : {}),
    onResize: (listener) => void resizes.push(listener),
    onGone: (listener) => void socket.once('close', listener),
    async finish(status) {
      await send(CHANNEL.error, Buffer.from(JSON.stringify(status)));
      socket.close(1000);
    },
  };
}
