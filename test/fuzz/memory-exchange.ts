// A request without a network: what HTTP would hand to the dispatcher, and what it is answered.
import { badRequest, requestEntityTooLarge } from '../../src/api/errors.ts';
import type { CertificateSubject } from '../../src/apiserver/authn/authenticate.ts';
import type { Exchange, ResponseHeaders } from '../../src/apiserver/http/port/exchange.ts';
import type { FuzzRequest } from './requests.ts';

export class MemoryExchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly certificate: CertificateSubject;
  readonly signal: AbortSignal;
  readonly #request: FuzzRequest;
  readonly #gone = new AbortController();
  headers: ResponseHeaders = {};
  answer: Uint8Array = Buffer.alloc(0);
  code = 0;

  /** @param certificate who asks. */
  constructor(request: FuzzRequest, certificate: CertificateSubject) {
    this.method = request.method;
    this.target = request.target;
    this.#request = request;
    this.certificate = certificate;
    this.signal = this.#gone.signal;
  }

  get answered(): boolean {
    return this.code !== 0;
  }

  header(name: string): string | undefined {
    return this.#request.headers[name];
  }

  get rawHeaders(): readonly string[] {
    return Object.entries(this.#request.headers).flat();
  }

  async body(limit: number): Promise<Buffer> {
    const { body } = this.#request;
    if (body.length > limit) throw requestEntityTooLarge(`Request entity too large: limit is ${limit}`);
    return body;
  }

  respond(code: number, headers: ResponseHeaders, body: Uint8Array): void {
    if (this.answered) throw badRequest('answered twice');
    this.code = code;
    this.headers = headers;
    this.answer = body;
  }

  /** A stream is given up as soon as it has begun. */
  start(code: number, headers: ResponseHeaders): void {
    this.respond(code, headers, Buffer.alloc(0));
    setImmediate(() => this.#gone.abort());
  }

  async write(): Promise<void> {}

  end(): void {}
}
