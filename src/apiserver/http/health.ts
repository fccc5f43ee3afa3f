// /healthz, /livez and /readyz, with ?verbose and a path for every check.
import type { Exchange } from './exchange.ts';
import { pathNotFound } from './route.ts';

export interface HealthCheck {
  name: string;
  ok: boolean;
  /** Why it is not ok. */
  message?: string;
}

const TEXT = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };

/** @param segments of the path: `readyz`, or `readyz/etcd` for one check. */
export async function sendHealth(
  exchange: Exchange,
  segments: readonly string[],
  query: URLSearchParams,
  ready: () => Promise<readonly HealthCheck[]>,
): Promise<void> {
  const [endpoint = '', one, ...more] = segments;
  const all = [{ name: 'ping', ok: true }, ...(endpoint === 'readyz' ? await ready() : [])];
  const checks: readonly HealthCheck[] = one === undefined ? all : all.filter(({ name }) => name === one);
  if (more.length > 0 || checks.length === 0) throw pathNotFound();
  const ok = checks.every((check) => check.ok);
  const verbose = query.has('verbose') || !ok;
  const text = verbose ? `${checks.map(line).join('')}${endpoint} check ${ok ? 'passed' : 'failed'}\n` : 'ok';
  exchange.respond(ok ? 200 : 500, TEXT, Buffer.from(text));
}

function line({ name, ok, message }: HealthCheck): string {
  return ok ? `[+]${name} ok\n` : `[-]${name} failed: ${message ?? 'no reason given'}\n`;
}
