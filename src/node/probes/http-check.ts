// An HTTP check from the node's own network, for probes and lifecycle hooks: redirects are followed as long as they
// stay on the host (upstream's pkg/probe/http). What a result means for the container is decided elsewhere.
import * as http from 'node:http';
import * as https from 'node:https';
import type { Clock } from '../../api/clock.ts';
import type { CheckResult, HttpCheck } from '../pods/node-services.ts';
import { bracketed, dialError } from './dial-error.ts';

/** What is said of an HTTPS check that a server without TLS answered, in Go's words. */
export const HTTP_TO_HTTPS_CLIENT = 'server gave HTTP response to HTTPS client';

const USER_AGENT = { probe: 'kube-probe/1.36', lifecycle: 'kube-lifecycle/1.36' } as const;
/** How much of an answer is read: what a warning quotes. */
const MAX_BODY_BYTES = 10 * 1024;
const MAX_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

interface Answer {
  code: number;
  location: string | undefined;
  /** The beginning of the body, of redirects only. */
  body: string;
}

/** Sockets are not kept: each check opens its own, as upstream's do. Never rejects. */
export async function httpCheck(clock: Clock, check: HttpCheck, timeoutMs: number): Promise<CheckResult> {
  const first = firstUrl(check);
  if (first === undefined) return { ok: false, message: `the host ${JSON.stringify(check.host)} is no host` };
  const headers = headersOf(check);
  const ending = new AbortController();
  const cancel = clock.after(timeoutMs, () => ending.abort());
  let url = first;
  try {
    for (let followed = 0; ; followed++) {
      const answer = await get(url, headers, ending.signal);
      const { location } = answer;
      if (!REDIRECTS.has(answer.code) || !location) return resultOf(check, answer);
      if (!URL.canParse(location, url.href)) {
        return failed(url, `failed to parse Location header ${JSON.stringify(location)}`);
      }
      const next = new URL(location, url);
      if (next.hostname !== first.hostname) return resultOf(check, answer);
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
      const code = response.statusCode ?? 0;
      const parts: Buffer[] = [];
      let length = 0;
      const finish = (): void => {
        const body = Buffer.concat(parts).subarray(0, MAX_BODY_BYTES).toString('utf8');
        resolve({ code, location, body });
        request.destroy();
      };
      // Only what a redirect says is ever quoted.
      if (code < 300 || code >= 400) return finish();
      response.on('data', (part: Buffer) => {
        parts.push(part);
        length += part.length;
        if (length >= MAX_BODY_BYTES) finish();
      });
      response.on('end', finish);
      response.on('error', reject);
    });
    request.end();
  });
}

function resultOf({ purpose }: HttpCheck, { body, code }: Answer): CheckResult {
  if (purpose === 'lifecycle') return { ok: true, message: '' };
  if (code >= 300 && code < 400) {
    return { ok: true, message: '', warning: `Probe terminated redirects, Response body: ${body}` };
  }
  if (code >= 200 && code < 300) return { ok: true, message: '' };
  return { ok: false, message: `HTTP probe failed with statuscode: ${code}` };
}
