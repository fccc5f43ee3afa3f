// How long a request may take: a minute, or less if its `timeout` says so. Watches and streams have no deadline.
// Follows apiserver pkg/endpoints/filters/request_deadline.go.
import type { Clock } from '../../api/clock.ts';
import { badRequest, timeout } from '../../api/errors.ts';

export const MAX_REQUEST_MS = 60_000;

const UNITS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  ns: 1e-6,
};

/** Reads the `timeout` parameter, a Go duration (`1m30s`). Throws BadRequest. */
export function deadlineOf(query: URLSearchParams): number {
  const text = query.get('timeout');
  if (text === null || text === '' || text === '0') return MAX_REQUEST_MS;
  if (!/^\+?(?:(?:\d+\.?\d*|\.\d+)(?:h|ms|m|s|us|µs|ns))+$/.test(text)) {
    throw badRequest(
      `invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(text)}`,
    );
  }
  let total = 0;
  for (const [, amount = '', unit = ''] of text.matchAll(/([\d.]+)(h|ms|m|s|us|µs|ns)/g)) {
    total += Number(amount) * (UNITS[unit] ?? 0);
  }
  return total === 0 ? MAX_REQUEST_MS : Math.min(total, MAX_REQUEST_MS);
}

/** Does the work; rejects with Timeout when it is not done in time. What it still does then, nobody waits for. */
export function withinDeadline<T>(clock: Clock, deadlineMs: number, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(deadlineMs, () =>
      reject(timeout('request did not complete within the allotted timeout')),
    );
    work().then(resolve, reject).finally(cancel);
  });
}
