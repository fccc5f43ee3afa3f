// One check of one probe (kubelet prober/prober.go): exec in the container, or http, tcp, grpc from the node.
import type { Container, Probe } from '../../api/generated/types.ts';
import { errorText } from '../../base/error-text.ts';
import { resolvePort } from '../pods/do/hooks.ts';
import type { CheckResult, NetworkChecks } from '../pods/do/node-services.ts';
import { expand } from '../pods/spec/expansion.ts';
import type { Runtime } from '../runtime.ts';

/** So often a check that errors is made before it counts as errored. */
const MAX_ATTEMPTS = 3;

/**
 * Never rejects. What says nothing of the container is a check that errored: the runtime does not answer, or has no such
 * command to run (pkg/probe/exec: all but an exit code and a timeout).
 */
export async function runProbe(
  by: { checks: NetworkChecks; runtime: Runtime },
  container: Container,
  containerId: string,
  podIp: string,
  probe: Probe,
  timeoutMs: number,
): Promise<CheckResult> {
  for (let attempt = 1; ; attempt++) {
    const result = await check(by, container, containerId, podIp, probe, timeoutMs).catch(asErrored);
    if (result.errored === undefined || attempt === MAX_ATTEMPTS) return result;
  }
}

const asErrored = (error: unknown): CheckResult => errored(errorText(error));
const errored = (message: string): CheckResult => ({ ok: false, message, errored: 'unknown' });

async function check(
  by: { checks: NetworkChecks; runtime: Runtime },
  container: Container,
  containerId: string,
  podIp: string,
  probe: Probe,
  timeoutMs: number,
): Promise<CheckResult> {
  if (probe.exec) return execCheck(by.runtime, containerId, commandOf(container, probe), timeoutMs);
  const asked = probe.httpGet ?? probe.tcpSocket ?? probe.grpc;
  if (asked === undefined) return { ok: true, message: '' };
  const port = resolvePort(container, asked.port);
  if (port === undefined) {
    return errored(`couldn't find port: "${asked.port}" for container "${container.name}"`);
  }
  if (probe.httpGet) {
    const { host, httpHeaders, path = '/', scheme } = probe.httpGet;
    const headers = (httpHeaders ?? []).map(({ name, value }) => ({ name, value }));
    const check = {
      purpose: 'probe' as const,
      scheme: scheme === 'HTTPS' ? ('HTTPS' as const) : ('HTTP' as const),
      host: host || podIp,
      port,
      path,
      headers,
    };
    return by.checks.http(check, timeoutMs);
  }
  if (probe.tcpSocket) return by.checks.tcp(probe.tcpSocket.host || podIp, port, timeoutMs);
  return by.checks.grpc(podIp, port, probe.grpc?.service ?? '', timeoutMs);
}

/** `$(NAME)` stands for variables whose value is in the container's spec; the others stay as they are written. */
function commandOf({ env = [] }: Container, { exec }: Probe): string[] {
  const values = new Map(
    env.filter(({ valueFrom }) => !valueFrom).map(({ name, value = '' }) => [name, value]),
  );
  return (exec?.command ?? []).map((word) => expand(word, (name) => values.get(name)));
}

async function execCheck(
  runtime: Runtime,
  containerId: string,
  command: string[],
  timeoutMs: number,
): Promise<CheckResult> {
  const { exitCode, output, timedOut } = await runtime.execSync(containerId, command, timeoutMs);
  if (timedOut) {
    const message = `command timed out: "${command.join(' ')}" timed out after ${timeoutMs / 1000}s`;
    return { ok: false, message };
  }
  return { ok: exitCode === 0, message: output.slice(0, 10_240) };
}
