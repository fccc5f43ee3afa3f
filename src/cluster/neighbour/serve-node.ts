// The node process's side: what it offers to the API process, over its socket. What is behind it is the machine role.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createInterface } from 'node:readline';
import { type Duplex, finished, PassThrough, pipeline, type Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import type {
  ExecOptions,
  LogOptions,
  NodeStreams,
  PodTarget,
  Session,
} from '../../api/between/node-streams.ts';
import { notFound } from '../../api/errors.ts';
import { listenPrivately } from '../process/private-socket.ts';
import { CHANNELS, failureOf, type NodeConnection, type NodeHello, SESSION } from './node-protocol.ts';

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

/** Asks for a session: the first line of its request. */
export type SessionRequest =
  | { type: 'exec'; target: PodTarget; options: ExecOptions }
  | { type: 'attach'; target: PodTarget; options: Omit<ExecOptions, 'command'> }
  | { type: 'port'; target: Omit<PodTarget, 'container'>; port: number };
export interface LogRequest {
  target: PodTarget;
  options: LogOptions;
}

/** Listens, for its owner alone. Gives what ends it. */
export async function serveNode(socketPath: string, side: NodeSide): Promise<() => Promise<void>> {
  const sessions = new Sessions(side.streams);
  const server = createServer((request, response) => {
    // Whoever has gone is told nothing.
    request.on('error', () => {});
    response.on('error', () => {});
    serve(side, sessions, request, response).catch((error: unknown) => refuse(response, error));
  });
  // What is typed into a command may go on for days.
  server.requestTimeout = 0;
  await listenPrivately(server, socketPath);
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
}

function refuse(response: ServerResponse, error: unknown): void {
  // A log that has begun is broken off: nobody is to take it for whole.
  if (response.headersSent) response.destroy();
  else response.writeHead(500).end(JSON.stringify(failureOf(error)));
}

async function serve(
  side: NodeSide,
  sessions: Sessions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://node');
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const answer = (value: unknown): void => void response.end(JSON.stringify(value));
  switch (`${request.method} ${pathname}`) {
    case 'GET /hello':
      return answer(side.hello());
    case 'GET /alive':
      return response.flushHeaders();
    case 'PUT /connection':
      side.connect((await json(request)) as NodeConnection);
      return answer({});
    case 'GET /images':
      return answer(await side.listImages());
    case 'POST /images':
      return answer(await side.loadImage(searchParams.get('file') ?? '', gone.signal));
    case 'GET /metrics':
      return answer(await side.metrics());
    case 'POST /stop':
    case 'POST /close':
      await (pathname === '/stop' ? side.stop() : side.close());
      response.once('close', () => side.ended());
      return answer({});
    case 'POST /logs': {
      const { target, options } = (await json(request)) as LogRequest;
      return sendLog(side.streams.logs(target, options, gone.signal), response);
    }
    case 'POST /sessions':
      return sessions.open(request, response);
    default:
      return sessions.carry(request, pathname, response);
  }
}

/** The first piece is read before the answer begins: until then an error can still be told as one. */
async function sendLog(log: AsyncIterable<Uint8Array>, response: ServerResponse): Promise<void> {
  const chunks = log[Symbol.asyncIterator]();
  try {
    let next = await chunks.next();
    response.flushHeaders();
    for (; !next.done && !response.destroyed; next = await chunks.next()) {
      if (!response.write(next.value)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
    }
    response.end();
  } finally {
    await chunks.return?.();
  }
}

/**
 * Commands, attachments and forwarded ports. Each has a request for its beginning, its sizes and its end, and one for each
 * of its channels.
 */
class Sessions {
  readonly #streams: NodeStreams;
  readonly #open = new Map<string, OpenSession>();
  #count = 0;

  constructor(streams: NodeStreams) {
    this.#streams = streams;
  }

  async open(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const lines = createInterface({ input: request })[Symbol.asyncIterator]();
    const first = await lines.next();
    const session = await this.#begin(JSON.parse(first.value ?? ''));
    // Nobody may be left to hear of it.
    session.exit.catch(() => {});
    // It may have been given up while it was opened.
    if (response.destroyed) return session.close();
    const id = `${++this.#count}`;
    const open = new OpenSession(session);
    this.#open.set(id, open);
    response.once('close', () => {
      this.#open.delete(id);
      open.close();
    });
    const channels = (['stdin', 'stdout', 'stderr'] as const).filter((name) => session[name]);
    response.writeHead(200, { [SESSION]: id, [CHANNELS]: channels.join() }).flushHeaders();
    void followSizes(lines, session);
    response.end(JSON.stringify(await open.outcome()));
  }

  async #begin(asked: SessionRequest): Promise<Session> {
    if (asked.type === 'exec') return this.#streams.exec(asked.target, asked.options);
    if (asked.type === 'attach') return this.#streams.attach(asked.target, asked.options);
    return sessionOf(await this.#streams.portForward(asked.target, asked.port));
  }

  /** One of a session's channels. */
  carry(request: IncomingMessage, path: string, response: ServerResponse): void {
    const id = String(request.headers[SESSION]);
    const open = this.#open.get(id);
    if (!open) throw notFound({ group: '', plural: 'sessions', kind: 'Session' }, id);
    if (path === '/stdin') open.takeInput(request, response);
    else open.sendOutput(path.slice(1), response);
  }
}

/** A session and its channels, which come one by one. */
class OpenSession {
  readonly #session: Session;
  readonly #outputs = new Map<string, Readable>();
  /** Outputs that nobody has asked for yet. */
  readonly #unasked: Set<string>;
  readonly #sent: Promise<void>[] = [];
  #allAsked: () => void = () => {};
  readonly #asked: Promise<void>;

  constructor(session: Session) {
    this.#session = session;
    for (const name of ['stdout', 'stderr'] as const) {
      const output = session[name];
      if (!output) continue;
      // Read from the beginning: what ends before anybody reads it may be thrown away.
      const held = new PassThrough();
      pipeline(output, held, () => {});
      this.#outputs.set(name, held);
    }
    this.#unasked = new Set(this.#outputs.keys());
    this.#asked = new Promise((resolve) => {
      this.#allAsked = resolve;
      if (this.#unasked.size === 0) resolve();
    });
  }

  /**
   * How it ended. A command may have ended before its output is asked for: that is waited for, and then for all of it to
   * have been sent.
   */
  async outcome(): Promise<object> {
    try {
      const outcome = await this.#session.exit;
      await this.#asked;
      await Promise.all(this.#sent);
      return outcome;
    } catch (error) {
      await this.#asked;
      return { failure: failureOf(error) };
    }
  }

  close(): void {
    this.#allAsked();
    this.#session.close();
  }

  takeInput(request: IncomingMessage, response: ServerResponse): void {
    const { stdin } = this.#session;
    if (!stdin) return void response.end();
    request.pipe(stdin);
    // A command may end before its input does.
    for (const event of ['close', 'error', 'finish']) stdin.once(event, () => response.end());
  }

  sendOutput(name: string, response: ServerResponse): void {
    const output = this.#outputs.get(name);
    if (!output) return void response.end();
    response.flushHeaders();
    this.#sent.push(new Promise((resolve) => pipeline(output, response, () => resolve())));
    this.#unasked.delete(name);
    if (this.#unasked.size === 0) this.#allAsked();
  }
}

/** A connection to a port, which ends when both of its ways have, or breaks. */
function sessionOf(connection: Duplex): Session {
  const exit = new Promise<{ exitCode: number; error?: string }>((resolve) => {
    finished(connection, (problem) =>
      resolve(problem ? { exitCode: 1, error: problem.message } : { exitCode: 0 }),
    );
  });
  return { stdin: connection, stdout: connection, resize() {}, exit, close: () => void connection.destroy() };
}

/** Each further line is a size. Ends with the request. */
async function followSizes(lines: AsyncIterator<string>, session: Session): Promise<void> {
  try {
    for (let next = await lines.next(); !next.done; next = await lines.next()) {
      const { columns, rows }: { columns: number; rows: number } = JSON.parse(next.value);
      session.resize(columns, rows);
    }
  } catch {
    // The connection has broken: its end closes the session.
  }
}
