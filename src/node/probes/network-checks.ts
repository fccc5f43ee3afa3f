// TCP and gRPC checks from the node's own network, with the words that upstream's probes use for failures
// (pkg/probe/tcp, grpc). HTTP is in http-check.ts.
import { connect } from 'node:net';
import type { ServiceError } from '@grpc/grpc-js';
import type { Clock } from '../../base/clock.ts';
import { bracketed, dialError } from '../../base/dial-error.ts';
import type { CheckResult, NetworkChecks } from '../pods/do/node-services.ts';
import { httpCheck } from './http-check.ts';

const OK: CheckResult = { ok: true, message: '' };

/** The real checks. */
export function networkChecks(clock: Clock): NetworkChecks {
  return {
    http: (check, timeoutMs) => httpCheck(clock, check, timeoutMs),
    tcp: (host, port, timeoutMs) => tcpCheck(clock, host, port, timeoutMs),
    grpc: (host, port, service, timeoutMs) => grpcCheck(clock, host, port, service, timeoutMs),
  };
}

function tcpCheck(clock: Clock, host: string, port: number, timeoutMs: number): Promise<CheckResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const cancel = clock.after(timeoutMs, () =>
      finish({ ok: false, message: `dial tcp ${bracketed(host)}:${port}: i/o timeout` }),
    );
    const finish = (result: CheckResult): void => {
      cancel();
      resolve(result);
      socket.destroy();
    };
    socket.on('connect', () => finish(OK));
    socket.on('error', (error) => finish({ ok: false, message: dialError(host, port, error) }));
  });
}

/** grpc.health.v1.HealthCheckResponse.ServingStatus */
const SERVING = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

async function grpcCheck(
  clock: Clock,
  host: string,
  port: number,
  service: string,
  timeoutMs: number,
): Promise<CheckResult> {
  // Few pods are asked so, and simulated nodes need it for nothing else.
  const { Client, credentials, status } = await import('@grpc/grpc-js');
  return new Promise((resolve) => {
    const client = new Client(`${bracketed(host)}:${port}`, credentials.createInsecure());
    const finish = (result: CheckResult): void => {
      resolve(result);
      client.close();
    };
    client.makeUnaryRequest(
      '/grpc.health.v1.Health/Check',
      encodeService,
      decodeStatus,
      service,
      { deadline: clock.now() + timeoutMs },
      (error: ServiceError | null, answer?: number) => {
        if (error) {
          const message =
            error.code === status.DEADLINE_EXCEEDED
              ? `timeout: health rpc did not complete within ${timeoutMs / 1000}s`
              : error.code === status.UNIMPLEMENTED
                ? `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${error.details}`
                : `error: health rpc probe failed: ${error.message}`;
          return finish({ ok: false, message });
        }
        const word = SERVING[answer ?? 0] ?? 'UNKNOWN';
        finish(
          word === 'SERVING' ? OK : { ok: false, message: `service unhealthy (responded with "${word}")` },
        );
      },
    );
  });
}

/** HealthCheckRequest: field 1, a string. */
function encodeService(service: string): Buffer {
  const name = Buffer.from(service, 'utf8');
  if (name.length === 0) return Buffer.alloc(0);
  const length: number[] = [];
  for (let rest = name.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return Buffer.concat([Buffer.from([0x0a, ...length]), name]);
}

/** HealthCheckResponse: field 1, an enum below 128. */
function decodeStatus(bytes: Buffer): number {
  return bytes[0] === 0x08 ? (bytes[1] ?? 0) : 0;
}
