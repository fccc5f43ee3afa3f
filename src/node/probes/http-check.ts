// An HTTP check from the node's own network, for probes and lifecycle hooks: redirects are followed as long as they
// stay on the host (upstream's pkg/probe/http). What a result means for the container is decided elsewhere.
import * as http from 'node:http';
import * as https from 'node:https';
import type { Clock } from '../../base/clock.ts';
import { bracketed, dialError } from '../../base/dial-error.ts';
import type { CheckResult, HttpCheck } from '../pods/do/node-services.ts';

/** What is said of an HTTPS check that a server without TLS answered, in Go's words. */
export const HTTP_TO_HTTPS_CLIENT = 'server gave HTTP response to HTTPS client';

const USER_AGENT = { probe: 'kube-probe/1.36', lifecycle: 'kube-lifecycle/1.36' } as const;
/** How much of an answer is read: what comes after it may be broken. */
const MAX_BODY_BYTES = 10 * 1024;
const MAX_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

interface Answer {
  code: number;
  location: string | undefined;
  /** The beginning of the body; rejects if it breaks off. */
  body: Promise<string>;
}

/** Sockets are not kept: each check opens its own, as upstream's do. Never rejects. */
export async function httpCheck(clock: Clock, check: HttpCheck, timeoutMs: number): Promise<CheckResult> {
  const first = firstUrl(check);
  if (first === undefined) {
    return { ok: false, message: `the host ${JSON.stringify(check.host)} is no host`, errored: 'unknown' };
  }
  const headers = headersOf(check);
  const ending = new AbortController();
  const cancel = clock.after(timeoutMs, () => ending.abort());
  let url = first;
  try {
    for (let followed = 0; ; followed++) {
      const answer = await get(url, headers, ending.signal);
      const { location } = answer;
      if (!REDIRECTS.has(answer.code) || !location) return await resultOf(check, answer, ending.signal);
      if (!URL.canParse(location, url.href)) {
        return failed(url, `failed to parse Location header ${JSON.stringify(location)}`);
      }
      const next = new URL(location, url);
      if (next.hostname !== first.hostname) return await resultOf(check, answer, ending.signal);
      if (followed + 1 >= MAX_REDIRECTS) return failed(next, `stopped after ${MAX_REDIRECTS} redirects`);
      // A name that was asked for by header holds for the same server, and not for one that is named in full.
      if (URL.canParse(location)) headers.delete('host');
      url = next;
    }
  } catch (error) {
    const late = 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)';
    return failed(url, ending.signal.aborted ? late : words(url, error));
  } finally {
    cancel();
    // Closes what is still open.
    ending.abort();
  }
}

const failed = (url: URL, why: string): CheckResult => ({ ok: false, message: `Get "${url.href}": ${why}` });

function words(url: URL, error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const plain = /wrong version number|http request|packet length too long/i.test(error.message);
  if (url.protocol === 'https:' && plain) return `http: ${HTTP_TO_HTTPS_CLIENT}`;
  return dialError(url.hostname.replace(/^\[|\]$/g, ''), portOf(url), error);
}

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

function firstUrl({ host, path, port, scheme }: HttpCheck): URL | undefined {
  const rooted = path.startsWith('/') ? path : `/${path}`;
  const url = `${scheme.toLowerCase()}://${bracketed(host)}:${port}${rooted}`;
  return URL.canParse(url) ? new URL(url) : undefined;
}

/** By lower-case name; one that is given several times is sent several times. */
function headersOf({ headers, purpose }: HttpCheck): Map<string, string[]> {
  const result = new Map<string, string[]>();
  for (const { name, value } of headers) {
    const key = name.toLowerCase();
    result.set(key, [...(result.get(key) ?? []), value]);
  }
  if (!result.has('user-agent')) result.set('user-agent', [USER_AGENT[purpose]]);
  if (!result.has('accept')) result.set('accept', ['*/*']);
  else if (result.get('accept')?.[0] === '') result.delete('accept');
  return result;
}

function get(url: URL, headers: ReadonlyMap<string, string[]>, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // As lenient as Go's parser: what a pod answers is read for its code, and by nobody else.
    const options = { method: 'GET', agent: false as const, signal, insecureHTTPParser: true };
    const request =
      url.protocol === 'https:'
        ? https.request(url, { ...options, rejectUnauthorized: false })
        : http.request(url, options);
    for (const [name, [value = '', ...more]] of headers) {
      request.setHeader(name, more.length === 0 ? value : [value, ...more]);
    }
    request.setHeader('connection', 'close');
    request.on('error', reject);
    request.on('response', (response) => {
      const { location } = response.headers;
      const body = readAtMost(MAX_BODY_BYTES, request, response);
      // Of a redirect that is followed, and for a hook, nobody reads it.
      body.catch(() => undefined);
      resolve({ code: response.statusCode ?? 0, location, body });
    });
    request.end();
  });
}

/** @throws Error if the body breaks off before its end or `limit`, in bytes; its rest is left alone. */
function readAtMost(
  limit: number,
  request: http.ClientRequest,
  response: http.IncomingMessage,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    const finish = (): void => resolve(Buffer.concat(parts).subarray(0, limit).toString('utf8'));
    response.on('data', (part: Buffer) => {
      parts.push(part);
      length += part.length;
      if (length < limit) return;
      response.pause();
      finish();
    });
    response.on('end', finish);
    response.on('error', reject);
    // What is malformed is told here.
    request.on('error', reject);
  });
}

/** A body that cannot be read makes the check one that errored, whatever the code (pkg/probe/http). */
async function resultOf({ purpose }: HttpCheck, answer: Answer, signal: AbortSignal): Promise<CheckResult> {
  if (purpose === 'lifecycle') return { ok: true, message: '' };
  try {
    return judged(answer.code, await answer.body);
  } catch (error) {
    const late = 'context deadline exceeded (Client.Timeout or context cancellation while reading body)';
    return { ok: false, message: signal.aborted ? late : bodyWords(error), errored: 'failure' };
  }
}

/** In Go's words. */
function bodyWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message === 'aborted') return 'unexpected EOF';
  return error.message.startsWith('Parse Error') ? 'malformed chunked encoding' : error.message;
}

function judged(code: number, body: string): CheckResult {
  if (code >= 300 && code < 400) {
    return { ok: true, message: '', warning: `Probe terminated redirects, Response body: ${body}` };
  }
  if (code >= 200 && code < 300) return { ok: true, message: '' };
  return { ok: false, message: `HTTP probe failed with statuscode: ${code}` };
}
