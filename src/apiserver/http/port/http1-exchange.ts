// An exchange over HTTP/1.1.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ClientCertificate } from '../../authn/authenticate.ts';
import { headerText } from '../../header-text.ts';
import type { Exchange, RawRequest, ResponseHeaders } from './exchange.ts';
import { GoneSignal } from './gone-signal.ts';
import { type BodyBudget, readBody } from './read-body.ts';
import { writeChunk } from './write-chunk.ts';

export class Http1Exchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly certificate: ClientCertificate | undefined;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #gone: GoneSignal;
  readonly #budget: BodyBudget;
  #body: Promise<Buffer> | undefined;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    certificate: ClientCertificate | undefined,
    closing: AbortSignal,
    budget: BodyBudget,
  ) {
    this.#budget = budget;
    this.method = request.method ?? 'GET';
    this.target = request.url ?? '/';
    this.certificate = certificate;
    this.#request = request;
    this.#response = response;
    this.#gone = new GoneSignal(response, closing);
  }

  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  get answered(): boolean {
    return this.#response.headersSent;
  }

  get code(): number {
    return this.answered ? this.#response.statusCode : 0;
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return value && headerText(Array.isArray(value) ? value.join(', ') : value);
  }

  get rawHeaders(): readonly string[] {
    return this.#request.rawHeaders;
  }

  body(limit: number): Promise<Buffer> {
    this.#body ??= readBody(this.#request, limit, this.#budget);
    return this.#body;
  }

  get raw(): RawRequest {
    const { headers, socket } = this.#request;
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
    return { headers, body: this.#request, hasBody, remoteAddress: socket.remoteAddress ?? '' };
  }

  respond(code: number, headers: ResponseHeaders, body: Uint8Array): void {
    this.#response.writeHead(code, { ...headers, 'content-length': body.length });
    this.#response.end(this.method === 'HEAD' ? undefined : body);
  }

  start(code: number, headers: ResponseHeaders): void {
    this.#response.writeHead(code, headers);
    this.#response.flushHeaders();
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (!this.signal.aborted) await writeChunk(this.#response, chunk);
  }

  end(): void {
    this.#response.end();
  }

  abort(): void {
    this.#response.destroy();
  }
}
