// A probe in words, for sentences that say which probe does not succeed.
import type { Probe } from '../generated/types.ts';

/** `its readiness probe (HTTP GET :8080/healthz)`. */
export function describeProbe(role: 'readiness' | 'startup' | 'liveness', probe: Probe): string {
  return `its ${role} probe (${asked(probe)})`;
}

function asked(probe: Probe): string {
  if (probe.httpGet) {
    const { scheme = 'HTTP', port, path = '/' } = probe.httpGet;
    return `${scheme} GET :${port}${path}`;
  }
  if (probe.tcpSocket) return `TCP connect to :${probe.tcpSocket.port}`;
  if (probe.grpc) return `gRPC health check of :${probe.grpc.port}`;
  return probe.exec?.command?.length ? `exec ${probe.exec.command.join(' ')}` : 'exec';
}
