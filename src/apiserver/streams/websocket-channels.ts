// Exec and attach over WebSocket: `v5.channel.k8s.io`, which can half-close stdin, and `v4.channel.k8s.io`, which
// cannot, the latter also as text (apimachinery pkg/util/remotecommand).
import { PassThrough } from 'node:stream';
import type { WebSocket } from 'ws';
import { type Channels, readTerminalSize, type TerminalSize, type Wanted } from './channels.ts';
import { framingOf } from './websocket-framing.ts';

const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** What a server here speaks, the best first. */
export const REMOTE_COMMAND_PROTOCOLS = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
];

export function websocketChannels(socket: WebSocket, wanted: Wanted): Channels {
  const stdin = wanted.stdin ? new PassThrough() : undefined;
  for (const event of ['drain', 'close']) stdin?.on(event, () => socket.resume());
  const resizes: Array<(size: TerminalSize) => void> = [];
  // The first size comes before anybody listens: the session is still being opened.
  let size: TerminalSize | undefined;
  const framing = framingOf(socket);
  socket.on('message', (data, isBinary) => {
    const message = framing.read(data, isBinary);
    if (!message) return;
    const { channel, bytes } = message;
    switch (channel) {
      case CHANNEL.stdin:
        // A client that types faster than the container reads is held up, unless nobody reads any more.
        if (stdin?.writable && !stdin.write(bytes)) socket.pause();
        return;
      case CHANNEL.resize:
        size = readTerminalSize(bytes.toString()) ?? size;
        if (size) for (const listener of resizes) listener(size);
        return;
      case CHANNEL.close:
        if (bytes[0] === CHANNEL.stdin) stdin?.end();
        return;
    }
  });
  socket.on('error', () => socket.terminate());
  // Tells the client that the connection stands, as upstream does.
  const first = wanted.stdout ? CHANNEL.stdout : wanted.stderr ? CHANNEL.stderr : CHANNEL.error;
  void framing.send(first, Buffer.alloc(0));
  return {
    stdin,
    stdout: wanted.stdout ? framing.channel(CHANNEL.stdout) : undefined,
    stderr: wanted.stderr && !wanted.tty ? framing.channel(CHANNEL.stderr) : undefined,
    onResize(listener) {
      resizes.push(listener);
      if (size) listener(size);
    },
    onGone(listener) {
      // It may have gone while the session was being opened.
      if (socket.readyState === socket.CLOSED) listener();
      else socket.once('close', listener);
    },
    async finish(status) {
      // What is still to come is read and forgotten: behind it is the client's word that it has seen the end.
      stdin?.destroy();
      await framing.send(CHANNEL.error, Buffer.from(JSON.stringify(status)));
      socket.close(1000);
    },
  };
}
