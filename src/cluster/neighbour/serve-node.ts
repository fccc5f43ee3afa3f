// The node process's side: what it offers to the API process, over its socket. What is behind it is the machine role.
import { chmod, rm } from 'node:fs/promises';
import {
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream';
import type {
  ExecOptions,
  LogOptions,
  NodeStreams,
  PodTarget,
  Session,
} from '../../api/between/node-streams.ts';
import { notFound } from '../../api/errors.ts';
import {
  CHANNELS,
  FAILURE,
  failureOf,
  type NodeConnection,
  type NodeHello,
  SESSION,
  SETTINGS,
  WINDOW_BYTES,
} from './node-protocol.ts';

/** What a node process does when it is asked. */
export interface NodeSide {
  hello(): NodeHello;
  /** The API is here from now on. */
  connect(connection: NodeConnection): void;
  streams: NodeStreams;
  loadImage(file: string, signal: AbortSignal): Promise<string[]>;
  listImages(): Promise<Array<{ names: string[]; id: string; sizeBytes: number }>>;
  metrics(): Promise<string>;
  /** Stops every pod that is left, and what runs pods. */
  stop(): Promise<void>;
  /** Ends its part and leaves containers running. */
  close(): Promise<void>;
  /** It has been told to stop or to close, has done so and has said so: the process ends. */
  ended(): void;
}

/** Asks for a session: the first line of its stream. */
export type SessionRequest =
  | { type: 'exec'; target: PodTarget; options: ExecOptions }
  | { type: 'attach'; target: PodTarget; options: Omit<ExecOptions, 'command'> };
export interface LogRequest {
  target: PodTarget;
  options: LogOptions;
}
export interface PortRequest {
  target: Omit<PodTarget, 'container'>;
  port: number;
}

/** Listens, in place of a socket that a killed process has left. Gives what ends it. */
export async function serveNode(socketPath: string, side: NodeSide): Promise<() => Promise<void>> {
  await rm(socketPath, { force: true });
  const server = createServer(SETTINGS);
  const connections = new Set<ServerHttp2Session>();
  server.on('session', (connection) => {
    connection.setLocalWindowSize(WINDOW_BYTES);
    connections.add(connection);
    connection.once('close', () => connections.delete(connection));
    connection.on('error', () => {});
  });
  const sessions = new Sessions(side.streams);
  server.on('stream', (stream, headers) => {
    // Whoever has gone is told nothing.
    stream.on('error', () => {});
    serve(side, sessions, stream, headers).catch((error: unknown) => refuse(stream, error));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  await chmod(socketPath, 0o600);
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const connection of connections) connection.destroy();
    });
}

function refuse(stream: ServerHttp2Stream, error: unknown): void {
  if (stream.destroyed) return;
  if (stream.headersSent) return void stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  stream.respond({ ':status': 500 });
  stream.end(JSON.stringify(failureOf(error)));
}

async function serve(
  side: NodeSide,
  sessions: Sessions,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): Promise<void> {
  const { pathname, searchParams } = new URL(headers[':path'] ?? '/', 'http://node');
  const gone = goneSignal(stream);
  const answer = (value: unknown): void => {
    stream.respond({ ':status': 200 });
    stream.end(JSON.stringify(value));
  };
  switch (`${headers[':method']} ${pathname}`) {
    case 'GET /hello':
      return answer(side.hello());
    case 'PUT /connection':
      side.connect(await bodyOf<NodeConnection>(stream));
      return answer({});
    case 'GET /images':
      return answer(await side.listImages());
    case 'POST /images':
      return answer(await side.loadImage(searchParams.get('file') ?? '', gone));
    case 'GET /metrics':
      return answer(await side.metrics());
    case 'POST /stop':
      await side.stop();
      return farewell(side, stream);
    case 'POST /close':
      await side.close();
      return farewell(side, stream);
    case 'POST /logs': {
      const { target, options } = await bodyOf<LogRequest>(stream);
      return sendLog(side.streams.logs(target, options, gone), stream);
    }
    case 'POST /ports':
      return forward(await side.streams.portForward(...portOf(searchParams)), stream);
    case 'POST /sessions':
      return sessions.open(stream);
    default:
      return sessions.carry(headers[SESSION], pathname, stream);
  }
}

function farewell(side: NodeSide, stream: ServerHttp2Stream): void {
  stream.once('close', () => side.ended());
  // A stream whose end is not read never closes.
  stream.resume();
  stream.respond({ ':status': 200 });
  stream.end('{}');
}

function goneSignal(stream: ServerHttp2Stream): AbortSignal {
  const gone = new AbortController();
  stream.once('close', () => gone.abort());
  return gone.signal;
}

async function bodyOf<T>(stream: ServerHttp2Stream): Promise<T> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) chunks.push(chunk);
  // What the other side of this protocol sends.
  return JSON.parse(Buffer.concat(chunks).toString());
}

function portOf(query: URLSearchParams): [PortRequest['target'], number] {
  const { target, port }: PortRequest = JSON.parse(query.get('request') ?? '{}');
  return [target, port];
}

/** The first piece is read before the answer begins: until then an error can still be told as one. */
async function sendLog(log: AsyncIterable<Uint8Array>, stream: ServerHttp2Stream): Promise<void> {
  const chunks = log[Symbol.asyncIterator]();
  try {
    let next = await chunks.next();
    stream.respond({ ':status': 200 });
    for (; !next.done && !stream.destroyed; next = await chunks.next()) {
      if (!stream.write(next.value)) await drained(stream);
    }
    stream.end();
  } finally {
    await chunks.return?.();
  }
}

function drained(stream: ServerHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done);
      stream.off('close', done);
      resolve();
    };
    stream.once('drain', done);
    stream.once('close', done);
  });
}

/** Both ways until both have ended; why the pod's side broke goes in the trailer. */
function forward(connection: NodeJS.ReadWriteStream & { destroy(): void }, stream: ServerHttp2Stream): void {
  let failure = '';
  stream.respond({ ':status': 200 }, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers({ [FAILURE]: encodeURIComponent(failure) }));
  stream.once('close', () => connection.destroy());
  connection.on('error', (error) => {
    failure = error instanceof Error ? error.message : String(error);
    stream.end();
  });
  connection.pipe(stream);
  stream.pipe(connection);
}

/** Commands and attachments. Each has a stream for its beginning, its sizes and its end, and one for each channel. */
class Sessions {
  readonly #streams: NodeStreams;
  readonly #open = new Map<string, { session: Session; carried: Promise<void>[] }>();
  #count = 0;

  constructor(streams: NodeStreams) {
    this.#streams = streams;
  }

  async open(stream: ServerHttp2Stream): Promise<void> {
    const lines = createInterface({ input: stream })[Symbol.asyncIterator]();
    const first = await lines.next();
    const asked: SessionRequest = JSON.parse(first.value ?? '');
    const session = await (asked.type === 'exec'
      ? this.#streams.exec(asked.target, asked.options)
      : this.#streams.attach(asked.target, asked.options));
    // It may have been given up while it was opened.
    if (stream.destroyed) return session.close();
    const id = `${++this.#count}`;
    const carried: Promise<void>[] = [];
    this.#open.set(id, { session, carried });
    stream.once('close', () => {
      this.#open.delete(id);
      session.close();
    });
    const channels = (['stdin', 'stdout', 'stderr'] as const).filter((name) => session[name]);
    stream.respond({ ':status': 200, [SESSION]: id, [CHANNELS]: channels.join() });
    void followSizes(lines, session);
    const outcome = await session.exit.catch((error: unknown) => ({ failure: failureOf(error) }));
    await Promise.all(carried);
    stream.end(JSON.stringify(outcome));
  }

  /** One of a session's channels. */
  carry(id: string | string[] | undefined, path: string, stream: ServerHttp2Stream): void {
    const found = this.#open.get(String(id));
    if (!found) throw notFound({ group: '', plural: 'sessions', kind: 'Session' }, String(id));
    const { carried, session } = found;
    stream.respond({ ':status': 200 });
    if (path === '/stdin' && session.stdin) {
      pipeline(stream, session.stdin, () => stream.end());
      return;
    }
    const output = path === '/stdout' ? session.stdout : session.stderr;
    if (!output) return void stream.end();
    carried.push(new Promise((resolve) => pipeline(output, stream, () => resolve())));
  }
}

/** Each further line is a size. Ends with the stream. */
async function followSizes(lines: AsyncIterator<string>, session: Session): Promise<void> {
  try {
    for (let next = await lines.next(); !next.done; next = await lines.next()) {
      const { columns, rows }: { columns: number; rows: number } = JSON.parse(next.value);
      session.resize(columns, rows);
    }
  } catch {
    // The stream has broken: its end closes the session.
  }
}
