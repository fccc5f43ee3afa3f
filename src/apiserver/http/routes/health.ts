// /healthz, /livez and /readyz, with ?verbose, ?exclude= and a path for every check. Follows apiserver
// pkg/server/healthz/healthz.go, in its names and its text.
import { pathNotFound } from '../../../api/errors.ts';
import { errorText } from '../../../base/error-text.ts';
import type { Log } from '../../../base/log.ts';
import type { Exchange } from '../port/exchange.ts';

export interface HealthCheck {
  /** As upstream names it, where upstream has the thing. */
  name: string;
  /** Asked for readiness only: who fails it is alive, but not to be given work. */
  readinessOnly?: boolean;
  /** Why it fails; undefined when it does not. Whoever has no right to more is not told. */
  check(): Promise<string | undefined> | string | undefined;
}

const TEXT = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };
const PING: HealthCheck = { name: 'ping', check: () => undefined };

/** @param segments of the path: `readyz`, or `readyz/etcd` for one check. */
export async function sendHealth(
  exchange: Exchange,
  segments: readonly string[],
  query: URLSearchParams,
  health: readonly HealthCheck[],
  log: Log,
): Promise<void> {
  const [endpoint = '', ...rest] = segments;
  const checks = [PING, ...health.filter(({ readinessOnly }) => endpoint === 'readyz' || !readinessOnly)];
  const send = (code: number, text: string): void => exchange.respond(code, TEXT, Buffer.from(text));
  if (rest.length > 0) {
    const one = checks.find(({ name }) => name === rest.join('/'));
    if (!one) throw pathNotFound();
    const failure = await failureOf(one);
    return failure === undefined ? send(200, 'ok') : send(500, `internal server error: ${failure}\n`);
  }
  const excluded = new Set(query.getAll('exclude'));
  const lines: string[] = [];
  const failures: string[] = [];
  for (const check of checks) {
    const { name } = check;
    if (excluded.delete(name)) {
      lines.push(`[+]${name} excluded: ok\n`);
      continue;
    }
    const failure = await failureOf(check);
    if (failure === undefined) {
      lines.push(`[+]${name} ok\n`);
      continue;
    }
    lines.push(`[-]${name} failed: reason withheld\n`);
    failures.push(`${name}: ${failure}`);
  }
  if (excluded.size > 0) {
    const names = [...excluded].sort().map((name) => JSON.stringify(name));
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names.join(',')}\n`);
  }
  if (failures.length > 0) {
    log.warn(`${endpoint} check failed`, { failures: failures.join('; ') });
    return send(500, `${lines.join('')}${endpoint} check failed\n`);
  }
  return send(200, query.has('verbose') ? `${lines.join('')}${endpoint} check passed\n` : 'ok');
}

async function failureOf({ check }: HealthCheck): Promise<string | undefined> {
  try {
    return await check();
  } catch (error) {
    return errorText(error);
  }
}
