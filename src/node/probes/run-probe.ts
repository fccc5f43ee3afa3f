// One check of one probe (kubelet prober/prober.go): exec in the container, or http, tcp, grpc from the node.
import type { Container, Probe } from '../../api/generated/types.ts';
import { resolvePort } from '../pods/hooks.ts';
import type { CheckResult, NetworkChecks } from '../pods/node-services.ts';
import type { Runtime } from '../runtime.ts';

/** Never rejects: what goes wrong is a failed check with its reason. */
export async function runProbe(
  by: { checks: NetworkChecks; runtime: Runtime },
  container: Container,
  containerId: string,
  podIp: string,
  probe: Probe,
  timeoutMs: number,
): Promise<CheckResult> {
  if (probe.exec) return execCheck(by.runtime, containerId, probe.exec.command ?? [], timeoutMs);
  const asked = probe.httpGet ?? probe.tcpSocket ?? probe.grpc;
  if (asked === undefined) return { ok: true, message: '' };
  const port = resolvePort(container, asked.port);
  if (port === undefined) {
    return { ok: false, message: `couldn't find port: "${asked.port}" for container "${container.name}"` };
  }
  if (probe.httpGet) {
    const { host, httpHeaders, path = '/', scheme } = probe.httpGet;
    const headers = (httpHeaders ?? []).map(({ name, value }) => ({ name, value }));
    const check = {
      scheme: scheme === 'HTTPS' ? ('HTTPS' as const) : ('HTTP' as const),
      host: host || podIp,
      port,
      path: path.startsWith('/') ? path : `/${path}`,
      headers,
    };
    return by.checks.http(check, timeoutMs);
  }
  if (probe.tcpSocket) return by.checks.tcp(probe.tcpSocket.host || podIp, port, timeoutMs);
  return by.checks.grpc(podIp, port, probe.grpc?.service ?? '', timeoutMs);
}

async function execCheck(
  runtime: Runtime,
  containerId: string,
  command: string[],
  timeoutMs: number,
): Promise<CheckResult> {
  try {
    const { exitCode, output, timedOut } = await runtime.execSync(containerId, command, timeoutMs);
    if (timedOut) {
      return {
        ok: false,
        message: `command timed out: "${command.join(' ')}" timed out after ${timeoutMs / 1000}s`,
      };
    }
    return { ok: exitCode === 0, message: output.slice(0, 10_240) };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}
