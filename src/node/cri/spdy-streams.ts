// Exec, attach and port-forward over the runtime's streaming server, in SPDY/3.1: the one protocol that every CRI
// runtime speaks and that can half-close stdin (kubelet's and crictl's own choice for long).
import { request } from 'node:http';
import { Duplex, PassThrough } from 'node:stream';
import type { ExecOptions, Session } from '../../api/between/node-streams.ts';
import type { Clock } from '../../base/clock.ts';
import { isStruct } from '../../base/struct.ts';
import { SpdySession, type SpdyStream } from '../../wire/spdy/session.ts';
import { LastingSocket } from './lasting-socket.ts';

const COMMAND_PROTOCOL = 'v4.channel.k8s.io';
const PORT_FORWARD_PROTOCOL = 'portforward.k8s.io';

/** Opens a SPDY connection at the URL that the runtime gave. Rejects with what it answered instead. */
function connect(url: string, protocol: string, onClose: (error?: Error) => void): Promise<SpdySession> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, {
      method: 'POST',
      headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': protocol },
      createConnection: ({ host, port }) =>
        new LastingSocket().connect({ host: host ?? '127.0.0.1', port: Number(port) }),
    });
    outgoing.once('upgrade', (_response, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      const refuse = (stream: SpdyStream): void => void stream.destroy();
      resolve(new SpdySession(socket, 'client', { onStream: refuse, onClose }));
    });
    outgoing.once('response', (response) => {
      response.resume();
      reject(
        new Error(
          `the container runtime refused the stream: ${response.statusCode} ${response.statusMessage}`,
        ),
      );
    });
    outgoing.once('error', reject);
    outgoing.end();
  });
}

/** What frees a runtime that does not get rid of input that nobody reads. */
export interface Unblocking {
  unblock(): Promise<void>;
  clock: Clock;
}

/** How long a runtime may take to tell of a command's end after its output has ended; doubled from try to try. */
const FIRST_UNBLOCK_MS = 100;
const MAX_UNBLOCK_MS = 3_200;

/** Opens an exec or attach session. @param unblocking of a command that has input. */
export async function openSession(
  url: string,
  options: Omit<ExecOptions, 'command'>,
  unblocking?: Unblocking,
): Promise<Session> {
  let broken: { error: Error | undefined } | undefined;
  const session = await connect(url, COMMAND_PROTOCOL, (error) => {
    broken = { error };
  });
  const open = (streamType: string): Promise<SpdyStream> => session.openStream({ streamtype: streamType });
  const error = await open('error');
  const stdin = options.stdin ? await open('stdin') : undefined;
  const stdout = options.stdout ? await open('stdout') : undefined;
  const stderr = options.stderr && !options.tty ? await open('stderr') : undefined;
  const resize = options.tty ? await open('resize') : undefined;
  // The runtime reads these to their end, which is now: nothing is sent on them.
  for (const readOnly of [error, stdout, stderr]) readOnly?.end();

  const run = async (): Promise<{ exitCode: number; error?: string }> => {
    // The streams end with their connection, after what came on them: the outcome may come right before that.
    const outcome = textOf(error);
    const output = Promise.all([endOf(stdout), endOf(stderr)]);
    if (unblocking) void output.then(() => unblockUntil(outcome, unblocking));
    const [status] = await Promise.all([outcome, output]);
    const brokenOff = status === '' ? broken : undefined;
    session.close();
    if (!brokenOff) return outcomeOf(status);
    return {
      exitCode: 1,
      error: brokenOff.error?.message ?? 'the connection to the container runtime broke off',
    };
  };
  return {
    stdin,
    stdout,
    stderr,
    resize(columns, rows) {
      resize?.write(JSON.stringify({ Width: columns, Height: rows }));
    },
    exit: run(),
    close: () => session.close(),
  };
}

/** Opens a connection to a port of the pod; it fails with the runtime's words if nothing listens there. */
export async function openPortForward(url: string, port: number): Promise<Duplex> {
  const session = await connect(url, PORT_FORWARD_PROTOCOL, () => {});
  const headers = { port: `${port}`, requestid: '0' };
  const error = await session.openStream({ ...headers, streamtype: 'error' });
  const data = await session.openStream({ ...headers, streamtype: 'data' });
  error.end();
  const complaint = textOf(error);
  // The runtime ends the data before it has said what went wrong: the end is held back until it has.
  const incoming = new PassThrough();
  data.pipe(incoming, { end: false });
  data.once('end', () => {
    void complaint.then((message) => {
      if (message) incoming.destroy(new Error(message));
      else incoming.end();
    });
  });
  data.once('close', () => {
    if (data.readableEnded) void complaint.then(() => session.close());
    else session.close();
  });
  return Duplex.from({ readable: incoming, writable: data });
}

/** Frees the runtime again and again until it has told the outcome; what it kept for others is freed with it. */
async function unblockUntil(outcome: Promise<string>, { unblock, clock }: Unblocking): Promise<void> {
  let waits = true;
  void outcome.then(() => {
    waits = false;
  });
  for (let delayMs = FIRST_UNBLOCK_MS; waits; delayMs = Math.min(delayMs * 2, MAX_UNBLOCK_MS)) {
    await new Promise<void>((resolve) => {
      const cancel = clock.after(delayMs, resolve);
      void outcome.then(() => {
        cancel();
        resolve();
      });
    });
    await unblock();
  }
}

/** All that comes on a stream. */
function textOf(stream: SpdyStream): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    const end = (): void => resolve(Buffer.concat(chunks).toString());
    stream.once('end', end);
    stream.once('close', end);
  });
}

function endOf(stream: SpdyStream | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (!stream || stream.readableEnded || stream.destroyed) return resolve();
    stream.once('end', resolve);
    stream.once('close', resolve);
  });
}

/** Reads the metav1.Status of the error stream; nothing means success. */
function outcomeOf(text: string): { exitCode: number; error?: string } {
  if (text === '') return { exitCode: 0 };
  try {
    const status: unknown = JSON.parse(text);
    if (!isStruct(status)) return { exitCode: 1, error: text };
    if (status.status === 'Success') return { exitCode: 0 };
    const causes =
      isStruct(status.details) && Array.isArray(status.details.causes) ? status.details.causes : [];
    for (const cause of causes) {
      if (isStruct(cause) && cause.reason === 'ExitCode') return { exitCode: Number(cause.message) };
    }
    return { exitCode: 1, error: typeof status.message === 'string' ? withoutPrefix(status.message) : text };
  } catch {
    return { exitCode: 1, error: text };
  }
}

/** The API server says that it is an internal error; the runtime has said so too. */
const withoutPrefix = (message: string): string => message.replace(/^Internal error occurred: /, '');
