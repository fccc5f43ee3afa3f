// Lifecycle hooks: postStart and preStop as exec, httpGet or sleep (kubelet lifecycle/handlers.go).

import type { Container, HTTPGetAction, LifecycleHandler, Pod } from '../../../api/generated/types.ts';
import { aborted } from '../../../base/abort.ts';
import { sleep } from '../../../base/clock.ts';
import { errorText } from '../../../base/error-text.ts';
import { HTTP_TO_HTTPS_CLIENT } from '../../probes/http-check.ts';
import type { NodeServices } from './node-services.ts';

/** How long a hook may take when nothing else bounds it: as long as the container lives. */
const NO_LIMIT_MS = 24 * 3600 * 1000;

/** A port given by number, or by the name of one of the container's ports. */
export function resolvePort(container: Container, port: number | string): number | undefined {
  if (typeof port === 'number') return port;
  const named = container.ports?.find((candidate) => candidate.name === port);
  if (named) return named.containerPort;
  const parsed = Number(port);
  return Number.isInteger(parsed) && parsed > 0 ? parsed : undefined;
}

export interface HookOrder {
  pod: Pod;
  container: Container;
  containerId: string;
  podIp: string;
  handler: LifecycleHandler;
  timeoutMs?: number;
  /** Aborted when nobody waits for the hook any more; what runs in the container ends with the container. */
  signal: AbortSignal;
}

/**
 * Runs a hook. Never rejects.
 * @returns why it failed, or undefined. What the hook printed is not part of it: events are read by many.
 */
export async function runHook(services: NodeServices, order: HookOrder): Promise<string | undefined> {
  const work = handle(services, order).catch((error: unknown) => errorText(error));
  return Promise.race([work, aborted(order.signal)]);
}

async function handle(services: NodeServices, order: HookOrder): Promise<string | undefined> {
  const { containerId, handler, pod, signal, timeoutMs = NO_LIMIT_MS } = order;
  if (handler.exec) {
    const command = handler.exec.command ?? [];
    const { exitCode, output, timedOut } = await services.runtime.execSync(containerId, command, timeoutMs);
    if (timedOut) return `command ${JSON.stringify(command)} timed out`;
    if (exitCode === 0) return undefined;
    const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
    services.log.warn('a lifecycle hook failed', { pod: name, exitCode, output: output.slice(0, 1024) });
    return `command '${command.join(' ')}' exited with ${exitCode}`;
  }
  if (handler.httpGet) return httpHook(services, order, handler.httpGet, timeoutMs);
  if (handler.sleep) {
    await sleep(services.clock, Math.min(handler.sleep.seconds * 1000, timeoutMs), signal);
    return undefined;
  }
  const given = Object.keys(handler).join(', ') || 'nothing';
  return `a hook can be exec, httpGet or sleep, and not ${given}`;
}

/** Whatever the server answers, it has been told. One that speaks no TLS is asked again without. */
async function httpHook(
  services: NodeServices,
  { container, pod, podIp }: HookOrder,
  action: HTTPGetAction,
  timeoutMs: number,
): Promise<string | undefined> {
  const { httpHeaders = [], path = '/', scheme } = action;
  const host = action.host || podIp;
  const port = resolvePort(container, action.port);
  if (port === undefined) return `container ${container.name} has no port named ${action.port}`;
  const headers = httpHeaders.map(({ name, value }) => ({ name, value }));
  const order = { purpose: 'lifecycle', host, port, path } as const;
  const { http } = services.checks;
  const secure = scheme === 'HTTPS';
  const result = await http({ ...order, scheme: secure ? 'HTTPS' : 'HTTP', headers }, timeoutMs);
  if (result.ok) return undefined;
  if (!secure || !result.message.includes(HTTP_TO_HTTPS_CLIENT)) return result.message;
  // What proves who asks is not for everybody on the way to read.
  const open = headers.filter(({ name }) => name.toLowerCase() !== 'authorization');
  const again = await http({ ...order, scheme: 'HTTP', headers: open }, timeoutMs);
  if (!again.ok) return result.message;
  services.events.record(pod, {
    type: 'Warning',
    reason: 'LifecycleHTTPFallback',
    message: `request to HTTPS lifecycle hook ${host}:${port} got HTTP response, retry with HTTP succeeded`,
  });
  return undefined;
}
