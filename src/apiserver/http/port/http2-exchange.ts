// An exchange over HTTP/2, by Node's core stream interface (the compatibility one is slower by a quarter).
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { ClientCertificate } from '../../authn/authenticate.ts';
import { headerText } from '../../header-text.ts';
import type { Exchange, RawRequest, ResponseHeaders } from './exchange.ts';
import { GoneSignal } from './gone-signal.ts';
import { type BodyBudget, readBody } from './read-body.ts';
import { writeChunk } from './write-chunk.ts';

export class Http2Exchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly certificate: ClientCertificate | undefined;
  readonly rawHeaders: readonly string[];
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #gone: GoneSignal;
  readonly #budget: BodyBudget;
  #body: Promise<Buffer> | undefined;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
    certificate: ClientCertificate | undefined,
    closing: AbortSignal,
    budget: BodyBudget,
  ) {
    this.#budget = budget;
    this.method = headers[':method'] ?? 'GET';
    this.target = headers[':path'] ?? '/';
    this.certificate = certificate;
    this.rawHeaders = rawHeaders;
    this.#stream = stream;
    this.#headers = headers;
    this.#gone = new GoneSignal(stream, closing);
    // A client that resets its stream is gone, and that is all there is to say of it: 'close' follows.
    stream.on('error', () => stream.destroy());
  }

  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  get answered(): boolean {
    return this.#stream.headersSent;
  }

  get code(): number {
    return Number(this.#stream.sentHeaders?.[':status'] ?? 0);
  }

  header(name: string): string | undefined {
    const value = this.#headers[name];
    return value && headerText(Array.isArray(value) ? value.join(', ') : value);
  }

  body(limit: number): Promise<Buffer> {
    this.#body ??= readBody(this.#stream, limit, this.#budget);
    return this.#body;
  }

  get raw(): RawRequest {
    const headers = { ...this.#headers, host: this.#headers.host ?? this.#headers[':authority'] };
    const remoteAddress = this.#stream.session?.socket.remoteAddress ?? '';
    return { headers, body: this.#stream, hasBody: !this.#stream.endAfterHeaders, remoteAddress };
  }

  respond(code: number, headers: ResponseHeaders, body: Uint8Array): void {
    if (this.#stream.destroyed) return;
    const all = { ':status': code, ...headers, 'content-length': body.length };
    if (this.method === 'HEAD') {
      this.#stream.respond(all, { endStream: true });
      return;
    }
    this.#stream.respond(all);
    this.#stream.end(body);
  }

  start(code: number, headers: ResponseHeaders): void {
    if (!this.#stream.destroyed) this.#stream.respond({ ':status': code, ...headers });
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (!this.#stream.destroyed) await writeChunk(this.#stream, chunk);
  }

  end(): void {
    this.#stream.end();
  }

  abort(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }
}
