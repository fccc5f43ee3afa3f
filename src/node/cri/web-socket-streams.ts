// Exec, attach and port-forward over containerd's streaming server: WebSocket, v4.channel.k8s.io. This protocol
// cannot half-close stdin; a client that can takes the place of `openSession`.
import { Duplex, PassThrough, Writable } from 'node:stream';
import { type RawData, WebSocket } from 'ws';
import type { ExecOptions, Session } from '../../api/node-streams.ts';

const PROTOCOL = 'v4.channel.k8s.io';
const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const RESIZE = 4;

/** Opens a session at the URL that the runtime gave. */
export type OpenSession = (url: string, options: Omit<ExecOptions, 'command'>) => Promise<Session>;

async function connect(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), PROTOCOL);
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return socket;
}

function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

function send(socket: WebSocket, channel: number, chunk: Buffer, done: (error?: Error | null) => void): void {
  if (socket.readyState !== WebSocket.OPEN) {
    done();
    return;
  }
  socket.send(Buffer.concat([Buffer.from([channel]), chunk]), (error) => done(error));
}

export const openWebSocketSession: OpenSession = async (url, options) => {
  const socket = await connect(url);
  const stdout = options.stdout ? new PassThrough() : undefined;
  const stderr = options.stderr && !options.tty ? new PassThrough() : undefined;
  let outcome: { exitCode: number; error?: string } | undefined;
  const receive = (data: RawData): void => {
    const bytes = bytesOf(data);
    const target = bytes[0] === STDOUT ? stdout : bytes[0] === STDERR ? stderr : undefined;
    const content = bytes.subarray(1);
    if (bytes[0] === ERROR && content.length > 0) outcome = outcomeOf(content.toString('utf8'));
    if (target === undefined || content.length === 0 || target.write(content)) return;
    // A slow reader holds up the container, not this process's memory.
    socket.pause();
    target.once('drain', () => socket.resume());
  };
  socket.on('message', receive);
  const exit = new Promise<{ exitCode: number; error?: string }>((resolve) => {
    let failure: string | undefined;
    socket.on('error', (error) => {
      failure = error.message;
    });
    socket.once('close', () => {
      stdout?.end();
      stderr?.end();
      resolve(outcome ?? { exitCode: failure ? 1 : 0, ...(failure ? { error: failure } : {}) });
    });
  });
  const stdin = options.stdin
    ? new Writable({ write: (chunk: Buffer, _encoding, done) => send(socket, STDIN, chunk, done) })
    : undefined;
  return {
    ...(stdin ? { stdin } : {}),
    ...(stdout ? { stdout } : {}),
    ...(stderr ? { stderr } : {}),
    resize(columns, rows) {
      send(socket, RESIZE, Buffer.from(JSON.stringify({ Width: columns, Height: rows })), () => {});
    },
    exit,
    close: () => socket.close(),
  };
};

/** Reads the metav1.Status on the error channel. */
function outcomeOf(text: string): { exitCode: number; error?: string } {
  try {
    const status: unknown = JSON.parse(text);
    if (!isRecord(status)) return { exitCode: 1, error: text };
    if (status.status === 'Success') return { exitCode: 0 };
    const causes =
      isRecord(status.details) && Array.isArray(status.details.causes) ? status.details.causes : [];
    for (const cause of causes) {
      if (isRecord(cause) && cause.reason === 'ExitCode') return { exitCode: Number(cause.message) };
    }
    return { exitCode: 1, error: typeof status.message === 'string' ? status.message : text };
  } catch {
    return { exitCode: 1, error: text };
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** One connection: channel 0 is data, channel 1 is errors, and each begins with the port in two bytes. */
export async function openPortForward(url: string): Promise<Duplex> {
  const socket = await connect(url);
  const begun = new Set<number>();
  const stream = new Duplex({
    read() {
      socket.resume();
    },
    write: (chunk: Buffer, _encoding, done) => send(socket, 0, chunk, done),
    final(done) {
      socket.close();
      done();
    },
    destroy(error, done) {
      socket.terminate();
      done(error);
    },
  });
  socket.on('message', (data: RawData) => {
    const bytes = bytesOf(data);
    const channel = bytes[0] ?? 0;
    const content = bytes.subarray(1);
    if (!begun.has(channel)) {
      begun.add(channel);
      if (content.length <= 2) return;
    }
    if (channel === 1) stream.destroy(new Error(content.toString('utf8')));
    else if (content.length > 0 && !stream.push(content)) socket.pause();
  });
  socket.on('error', (error) => stream.destroy(error));
  socket.once('close', () => stream.push(null));
  return stream;
}
