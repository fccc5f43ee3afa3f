// Exec and attach over SPDY/3.1, as kubectl before 1.31 speaks them: the client opens one stream for each of stdin,
// stdout, stderr, error and resize, told apart by their `streamType` header.
import type { Duplex } from 'node:stream';
import { badRequest } from '../../api/errors.ts';
import type { Clock } from '../../base/clock.ts';
import type { SpdyStream } from '../../wire/spdy/session.ts';
import { SpdySession } from '../../wire/spdy/session.ts';
import { type Channels, readTerminalSize, type Wanted } from './channels.ts';

/** What a server here speaks; earlier versions report no exit code. */
export const SPDY_COMMAND_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

/** How long a client may take to open its streams (kubelet's streamCreationTimeout). */
const STREAM_CREATION_MS = 30_000;

/** Resolves when the client has opened all streams that it asked for; rejects if it goes away before, or takes too long. */
export function spdyChannels(socket: Duplex, wanted: Wanted, clock: Clock): Promise<Channels> {
  const expected = ['error'];
  if (wanted.stdin) expected.push('stdin');
  if (wanted.stdout) expected.push('stdout');
  if (wanted.stderr && !wanted.tty) expected.push('stderr');
  if (wanted.tty) expected.push('resize');
  return new Promise((resolve, reject) => {
    const streams = new Map<string, SpdyStream>();
    const gone = new AbortController();
    const cancel = clock.after(STREAM_CREATION_MS, () => socket.destroy());
    const session = new SpdySession(socket, 'server', {
      onStream(stream) {
        streams.set(stream.headers.streamtype ?? '', stream);
        if (!expected.every((type) => streams.has(type))) return;
        cancel();
        resolve(channelsOf(session, streams, gone.signal));
      },
      onClose() {
        cancel();
        reject(badRequest('the client went away before it had opened its streams'));
        gone.abort();
      },
    });
  });
}

function channelsOf(session: SpdySession, streams: Map<string, SpdyStream>, gone: AbortSignal): Channels {
  const stdout = streams.get('stdout');
  const stderr = streams.get('stderr');
  const error = streams.get('error');
  return {
    stdin: streams.get('stdin'),
    stdout,
    stderr,
    onResize(listener) {
      streams.get('resize')?.on('data', (chunk: Buffer) => {
        const size = readTerminalSize(chunk.toString());
        if (size) listener(size);
      });
    },
    onGone(listener) {
      // It may have gone while the session was being opened.
      if (gone.aborted) listener();
      else gone.addEventListener('abort', listener, { once: true });
    },
    async finish(status) {
      await Promise.all([ended(stdout), ended(stderr), ended(error, JSON.stringify(status))]);
      session.close();
    },
  };
}

function ended(stream: SpdyStream | undefined, last = ''): Promise<void> {
  return new Promise((resolve) => {
    if (!stream || stream.destroyed) return resolve();
    stream.once('close', resolve);
    stream.end(last, resolve);
  });
}
