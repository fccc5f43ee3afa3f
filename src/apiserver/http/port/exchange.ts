// One request and its answer, whichever version of HTTP they came by. http1-exchange.ts and http2-exchange.ts
// implement it over Node's two interfaces.
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { ClientCertificate } from '../../authn/authenticate.ts';

export type ResponseHeaders = Record<string, string | number | string[]>;

/** A request as it came, for who passes it on. */
export interface RawRequest {
  /** Names in lower case; of HTTP/2 also those that begin with a colon. */
  readonly headers: IncomingHttpHeaders;
  /** Read by nobody else. */
  readonly body: Readable;
  readonly hasBody: boolean;
  readonly remoteAddress: string;
}

export interface Exchange {
  readonly method: string;
  /** Path and query, as sent. */
  readonly target: string;
  /** The client certificate of the connection. */
  readonly certificate: ClientCertificate | undefined;
  /** Aborted when the client is gone or the server closes. */
  readonly signal: AbortSignal;
  /** Whether an answer has begun. */
  readonly answered: boolean;
  /** The code of the answer; 0 before it begins. */
  readonly code: number;
  /** The text of a header, by its name in lower case. */
  header(name: string): string | undefined;
  /** Names and values by turns, as they were sent, a character for each byte: a header that is there twice is two. */
  readonly rawHeaders: readonly string[];
  /** The whole body, read once. Throws RequestEntityTooLarge beyond `limit` bytes. */
  body(limit: number): Promise<Buffer>;
  /** Answers in one go; a HEAD request gets no body. */
  respond(code: number, headers: ResponseHeaders, body: Uint8Array): void;
  /** Begins an answer of unknown length. */
  start(code: number, headers: ResponseHeaders): void;
  /** Sends a part; resolves when the next one may be sent, also when the client is gone. */
  write(chunk: Uint8Array): Promise<void>;
  end(): void;
  /** The request itself, where it came over a network. */
  readonly raw?: RawRequest;
  /** Breaks off an answer that has begun, so that the client does not take it for whole. */
  abort?(): void;
}
