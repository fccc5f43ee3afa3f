// Answers: bytes with their headers, compressed when that pays; and errors, always as a Status.
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { internal, StatusError } from '../../../api/errors.ts';
import { baseSchema } from '../../../api/resources/schema.ts';
import { encodeProtobuf } from '../../protobuf/encode.ts';
import type { Exchange, ResponseHeaders } from '../port/exchange.ts';
import { negotiate, PROTOBUF_TYPE } from './accept.ts';
import { indented, wantsPretty } from './pretty.ts';

const compress = promisify(gzip);

/** Smaller answers go as they are (upstream's limit). */
const GZIP_THRESHOLD = 128 * 1024;

export const JSON_TYPE = 'application/json';

/** @param warnings for the client to show to its user. */
export async function send(
  exchange: Exchange,
  code: number,
  contentType: string,
  body: Uint8Array,
  warnings: readonly string[] = [],
  cacheControl = 'no-cache, private',
): Promise<void> {
  const headers: ResponseHeaders = { 'content-type': contentType, 'cache-control': cacheControl };
  // The request may have run out of time, and been told so.
  if (exchange.answered) return;
  if (warnings.length > 0) headers.warning = warningHeaders(warnings);
  const shown = contentType.startsWith(JSON_TYPE) && wantsPretty(exchange) ? indented(body) : body;
  if (shown.length < GZIP_THRESHOLD || !acceptsGzip(exchange)) {
    exchange.respond(code, headers, shown);
    return;
  }
  const compressed = await compress(shown, { level: 1 });
  if (exchange.answered) return;
  exchange.respond(code, { ...headers, 'content-encoding': 'gzip', vary: 'Accept-Encoding' }, compressed);
}

/** Whether a long answer is to be sent as it is: not compressed. It is never indented. */
export function wantsPlain(exchange: Exchange): boolean {
  return !acceptsGzip(exchange);
}

const acceptsGzip = (exchange: Exchange): boolean =>
  /\bgzip\b/.test(exchange.header('accept-encoding') ?? '');

/** Parts are sent together up to about this size. */
const SLAB_BYTES = 256 * 1024;

/**
 * Sends a large JSON answer piece by piece, as fast as the client takes it: put together as a whole it would stand in
 * memory once more, and everybody else would wait meanwhile.
 */
export async function sendInParts(exchange: Exchange, parts: Iterable<Buffer>): Promise<void> {
  if (exchange.answered) return;
  exchange.start(200, { 'content-type': JSON_TYPE, 'cache-control': 'no-cache, private' });
  let slab: Buffer[] = [];
  let size = 0;
  for (const part of exchange.method === 'HEAD' ? [] : parts) {
    slab.push(part);
    size += part.length;
    if (size < SLAB_BYTES) continue;
    await exchange.write(Buffer.concat(slab));
    if (exchange.signal.aborted) break;
    slab = [];
    size = 0;
  }
  if (size > 0) await exchange.write(Buffer.concat(slab));
  exchange.end();
}

/** All warnings of an answer together, and each of them where that is not enough, in characters. */
const MAX_WARNINGS = 4096;
const MAX_WARNING = 256;

/** Warnings as headers: what clients take is bounded, so that many are cut short, and then left out. */
function warningHeaders(warnings: readonly string[]): string[] {
  const texts = [...new Set(warnings)];
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  if (length <= MAX_WARNINGS) return texts.map(warningHeader);
  return texts.slice(0, MAX_WARNINGS / MAX_WARNING).map((text) => warningHeader(text.slice(0, MAX_WARNING)));
}

/** `299 - "text"`; the text without line breaks, as a quoted string. */
function warningHeader(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]+/g, ' ').replace(/["\\]/g, '\\$&');
  return `299 - "${plain}"`;
}

/** Answers with the Status of an error, in protobuf for who prefers that; does nothing when an answer has begun. */
export async function sendError(exchange: Exchange, error: unknown): Promise<void> {
  if (exchange.answered) return;
  const { status, warnings } = error instanceof StatusError ? error : internal(String(error));
  const wantsProtobuf = prefersProtobuf(exchange.header('accept'));
  const contentType = wantsProtobuf ? PROTOBUF_TYPE : JSON_TYPE;
  const headers: ResponseHeaders = { 'content-type': contentType, 'cache-control': 'no-cache, private' };
  if (warnings.length > 0) headers.warning = warningHeaders(warnings);
  if (status.details?.retryAfterSeconds) headers['retry-after'] = status.details.retryAfterSeconds;
  const body = wantsProtobuf ? encodeProtobuf(baseSchema().type('Status'), status) : jsonOf(exchange, status);
  exchange.respond(status.code ?? 500, headers, body);
}

function jsonOf(exchange: Exchange, value: object): Buffer {
  return Buffer.from(wantsPretty(exchange) ? JSON.stringify(value, null, 2) : `${JSON.stringify(value)}\n`);
}

function prefersProtobuf(accept: string | undefined): boolean {
  if (!accept?.includes(PROTOBUF_TYPE)) return false;
  try {
    return negotiate(accept, true).format === 'protobuf';
  } catch {
    // Nothing that is asked for is served: then it is JSON.
    return false;
  }
}
