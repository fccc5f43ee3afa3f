// How long a request may take: a minute, or less if its `timeout` says so. Watches and streams have no deadline.
// Follows apiserver pkg/endpoints/filters/request_deadline.go.

import { badRequest, timeout } from '../../../api/errors.ts';
import type { Clock } from '../../../base/clock.ts';

const MAX_REQUEST_MS = 60_000;

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
  const total = durationOf(text);
  if (total === undefined) {
    throw badRequest(
      `invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(text)}`,
    );
  }
  return total === 0 ? MAX_REQUEST_MS : Math.min(total, MAX_REQUEST_MS);
}

/** A Go duration (`1m30s`) in milliseconds; undefined for any other text. Each term is read once, where it stands. */
function durationOf(text: string): number | undefined {
  const term = /(\d*)(?:\.(\d*))?(h|ms|m|s|us|µs|ns)/y;
  term.lastIndex = text.startsWith('+') ? 1 : 0;
  let total = 0;
  for (;;) {
    const [, whole = '', fraction = '', unit = ''] = term.exec(text) ?? [];
    if (whole === '' && fraction === '') return undefined;
    total += Number(`${whole}.${fraction}`) * (UNITS[unit] ?? 0);
    if (term.lastIndex === text.length) return total;
  }
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
