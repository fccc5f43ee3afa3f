// The server's front door without a network, for tests: requests as HTTP would hand them to the dispatcher, from
// whoever the test says. Watches are read line by line until the test has seen enough.
import { silentLog } from '../../base/log.ts';
import { Metrics } from '../../base/metrics.ts';
import type { CertificateSubject } from '../authn/authenticate.ts';
import { startTestServer, type TestServer } from '../test-server.ts';
import { YamlThread } from './forms/yaml-thread.ts';
import type { Exchange, ResponseHeaders } from './port/exchange.ts';
import { type DispatcherParts, dispatch } from './routes/dispatcher.ts';
import { Limits } from './traffic/limits.ts';
import { requestMetrics } from './traffic/request-metrics.ts';

export interface Ask {
  headers?: Record<string, string | string[]>;
  /** Sent as JSON, unless it is text or bytes already. */
  body?: unknown;
  /** Subject of the client's certificate; the administrator by default. */
  as?: CertificateSubject;
}

export interface Answered {
  code: number;
  headers: ResponseHeaders;
  text: string;
  bytes: Buffer;
  /** Of the Warning header, as their texts. */
  warnings: string[];
  json<T = { message?: string; kind?: string }>(): T;
}

export interface FrontDoor {
  server: TestServer;
  ask(method: string, target: string, ask?: Ask): Promise<Answered>;
  /** The first events of a watch, as many as asked for; then the watch is ended. */
  watch(target: string, events: number, ask?: Ask): Promise<Answered>;
}

const ADMIN: CertificateSubject = { CN: 'admin', O: 'system:masters' };

/** What the dispatcher needs, of a test server; nothing of it leads into pods. */
export function dispatcherParts({ api, clock }: TestServer): DispatcherParts {
  const limits = new Limits(clock);
  const metrics = api.metrics ?? new Metrics();
  return {
    api,
    authenticateToken: api.identity.authenticateToken,
    authorize: api.identity.authorize,
    connect: undefined,
    documents: api.identity.documents,
    health: [],
    clock,
    limits,
    yaml: new YamlThread(clock),
    metrics,
    requests: requestMetrics(metrics, limits),
    log: silentLog,
  };
}

/** A server behind its dispatcher. @param overrides parts of the dispatcher to replace. */
export async function openFrontDoor(overrides: Partial<DispatcherParts> = {}): Promise<FrontDoor> {
  const server = await startTestServer();
  const parts: DispatcherParts = { ...dispatcherParts(server), ...overrides };
  const run = async (exchange: TestExchange): Promise<Answered> => {
    await dispatch(parts, exchange);
    const bytes = Buffer.concat(exchange.chunks);
    const text = bytes.toString();
    const warning = exchange.headers.warning ?? [];
    return {
      code: exchange.code,
      headers: exchange.headers,
      text,
      bytes,
      warnings: (Array.isArray(warning) ? warning : [String(warning)]).map((each) =>
        JSON.parse(each.slice('299 - '.length)),
      ),
      json: () => JSON.parse(text),
    };
  };
  return {
    server,
    ask: (method, target, ask = {}) => run(new TestExchange(method, target, ask)),
    watch: (target, events, ask = {}) => run(new TestExchange('GET', target, ask, events)),
  };
}

class TestExchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly certificate: CertificateSubject;
  readonly chunks: Buffer[] = [];
  readonly #ask: Ask;
  readonly #gone = new AbortController();
  #events: number;
  headers: ResponseHeaders = {};
  code = 0;

  constructor(method: string, target: string, ask: Ask, events = Number.POSITIVE_INFINITY) {
    this.method = method;
    this.target = target;
    this.certificate = ask.as ?? ADMIN;
    this.#ask = ask;
    this.#events = events;
  }

  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  get answered(): boolean {
    return this.code !== 0;
  }

  header(name: string): string | undefined {
    const value = this.#ask.headers?.[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  get rawHeaders(): readonly string[] {
    const headers = Object.entries(this.#ask.headers ?? {});
    return headers.flatMap(([name, value]) => [value].flat().flatMap((each) => [name, each]));
  }

  async body(): Promise<Buffer> {
    const { body } = this.#ask;
    if (body instanceof Uint8Array) return Buffer.from(body);
    return Buffer.from(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body));
  }

  respond(code: number, headers: ResponseHeaders, body: Uint8Array): void {
    this.start(code, headers);
    this.chunks.push(Buffer.from(body));
  }

  start(code: number, headers: ResponseHeaders): void {
    this.code = code;
    this.headers = headers;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.chunks.push(Buffer.from(chunk));
    this.#events -= Buffer.from(chunk).toString().split('\n').length - 1;
    if (this.#events <= 0) this.#gone.abort();
  }

  end(): void {}
}
