// Lifecycle hooks: postStart and preStop as exec, httpGet, sleep or tcpSocket (kubelet lifecycle/handlers.go).
import { sleep } from '../../api/clock.ts';
import type { Container, LifecycleHandler } from '../../api/generated/types.ts';
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

/**
 * Runs a hook.
 * @returns why it failed, or undefined.
 */
export async function runHook(
  services: NodeServices,
  container: Container,
  containerId: string,
  podIp: string,
  handler: LifecycleHandler,
  timeoutMs: number = NO_LIMIT_MS,
): Promise<string | undefined> {
  if (handler.exec) {
    const command = handler.exec.command ?? [];
    const { exitCode, output, timedOut } = await services.runtime.execSync(containerId, command, timeoutMs);
    if (timedOut) return `command ${JSON.stringify(command)} timed out`;
    if (exitCode === 0) return undefined;
    return `command '${command.join(' ')}' exited with ${exitCode}: ${output}`;
  }
  if (handler.httpGet) {
    const { host, httpHeaders, path = '/', port, scheme } = handler.httpGet;
    const number = resolvePort(container, port);
    if (number === undefined) return `container ${container.name} has no port named ${port}`;
    const result = await services.checks.http(
      {
        scheme: scheme === 'HTTPS' ? 'HTTPS' : 'HTTP',
        host: host || podIp,
        port: number,
        path,
        headers: (httpHeaders ?? []).map(({ name, value }) => ({ name, value })),
      },
      timeoutMs,
    );
    return result.ok ? undefined : result.message;
  }
  if (handler.sleep) {
    await sleep(services.clock, Math.min(handler.sleep.seconds * 1000, timeoutMs));
  }
  return undefined;
}
