// kubectl logs: reads the options, and sends what the node reads from the container's log as it comes.

import type { LogOptions, NodeStreams, PodTarget } from '../../api/between/node-streams.ts';
import { badRequest } from '../../api/errors.ts';
import { present } from '../../base/present.ts';
import type { ConnectRequest } from '../connect.ts';
import type { Exchange } from '../http/port/exchange.ts';

/** @throws StatusError before anything was answered. */
export async function sendLogs(
  node: NodeStreams,
  target: PodTarget,
  request: ConnectRequest,
  exchange: Exchange,
  nowMs: number,
): Promise<void> {
  const chunks = node.logs(target, logOptions(request.query, nowMs), request.signal)[Symbol.asyncIterator]();
  // The first chunk is read before the answer begins: until then an error can still be told as one.
  let next = await chunks.next();
  exchange.start(200, { 'content-type': 'text/plain' });
  try {
    for (; !next.done; next = await chunks.next()) await exchange.write(next.value);
  } finally {
    await chunks.return?.();
    exchange.end();
  }
}

/** `corev1.PodLogOptions` from a query. Throws BadRequest with the parameter that is wrong. */
function logOptions(query: URLSearchParams, nowMs: number): LogOptions {
  const flag = (name: string): boolean => ['true', '1'].includes(query.get(name) ?? '');
  const number = (name: string): number | undefined => {
    const text = query.get(name);
    if (text === null || text === '') return undefined;
    const value = Number(text);
    if (Number.isInteger(value) && value >= 0) return value;
    throw badRequest(`${name}: Invalid value: ${JSON.stringify(text)}: must be greater than or equal to 0`);
  };
  const sinceSeconds = number('sinceSeconds');
  const sinceTime = query.get('sinceTime');
  const sinceTimeMs = sinceTime ? Date.parse(sinceTime) : nowMs - (sinceSeconds ?? 0) * 1000;
  if (Number.isNaN(sinceTimeMs)) {
    throw badRequest(`sinceTime: Invalid value: ${JSON.stringify(sinceTime)}: must be an RFC 3339 time`);
  }
  return present({
    follow: flag('follow'),
    previous: flag('previous'),
    timestamps: flag('timestamps'),
    sinceTimeMs: sinceTime || sinceSeconds ? sinceTimeMs : undefined,
    tailLines: number('tailLines'),
    limitBytes: number('limitBytes'),
  });
}
