// Rules of probes and of lifecycle hooks, which both do one of a few actions (pkg/apis/core/validation,
// validateHandler, validateProbe, validateLifecycle).
import { type FieldError, forbiddenField, invalidValue, required } from '../errors.ts';
import type {
  ExecAction,
  GRPCAction,
  HTTPGetAction,
  Lifecycle,
  LifecycleHandler,
  Probe,
  TCPSocketAction,
} from '../generated/types.ts';
import { checked, nonNegative, oneOf, portNumber, portNumberOrName, requiredText } from './field-rules.ts';

interface Handler {
  exec?: ExecAction;
  httpGet?: HTTPGetAction;
  tcpSocket?: TCPSocketAction;
  grpc?: GRPCAction;
  sleep?: { seconds: number };
}

function headerNameReasons(name: string): string[] {
  if (/^[-A-Za-z0-9]+$/.test(name)) return [];
  return [
    "a valid HTTP header must consist of alphanumeric characters or '-' " +
      "(e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
  ];
}

/** @param graceSeconds how long the pod has to end, which a sleep must fit into. */
function validateHandler(handler: Handler, graceSeconds: number | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  const chosen = (['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const).filter((it) => handler[it]);
  for (const another of chosen.slice(1)) {
    errors.push(forbiddenField(`${path}.${another}`, 'may not specify more than 1 handler type'));
  }
  if (chosen.length === 0) errors.push(required(path, 'must specify a handler type'));
  if (exec && !exec.command?.length) errors.push(required(`${path}.exec.command`));
  if (httpGet) {
    const at = `${path}.httpGet`;
    errors.push(
      ...requiredText(httpGet.path, `${at}.path`),
      ...portNumberOrName(httpGet.port, `${at}.port`),
      ...oneOf(httpGet.scheme, `${at}.scheme`, ['HTTP', 'HTTPS']),
      ...(httpGet.httpHeaders ?? []).flatMap(({ name }) =>
        checked(name, `${at}.httpHeaders`, headerNameReasons),
      ),
    );
  }
  if (tcpSocket) errors.push(...portNumberOrName(tcpSocket.port, `${path}.tcpSocket.port`));
  if (grpc) errors.push(...portNumber(grpc.port, `${path}.grpc.port`));
  if (sleep && graceSeconds !== undefined && (sleep.seconds < 0 || sleep.seconds > graceSeconds)) {
    const reason = `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`;
    errors.push(invalidValue(`${path}.sleep`, sleep.seconds, reason));
  }
  return errors;
}

const COUNTS = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const satisfies readonly (keyof Probe)[];

function validateProbe(probe: Probe, path: string): FieldError[] {
  const grace = probe.terminationGracePeriodSeconds;
  return [
    ...validateHandler(probe, undefined, path),
    ...COUNTS.flatMap((field) => nonNegative(probe[field], `${path}.${field}`)),
    ...(grace !== undefined && grace <= 0
      ? [invalidValue(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than 0')]
      : []),
  ];
}

/** Of liveness and startup probes: one success is success. */
export function validateRestartingProbe(probe: Probe | undefined, path: string): FieldError[] {
  if (probe === undefined) return [];
  const errors = validateProbe(probe, path);
  if (probe.successThreshold !== undefined && probe.successThreshold !== 1) {
    errors.push(invalidValue(`${path}.successThreshold`, probe.successThreshold, 'must be 1'));
  }
  return errors;
}

/** A readiness probe ends nothing, so it has no grace period of its own. */
export function validateReadinessProbe(probe: Probe | undefined, path: string): FieldError[] {
  if (probe === undefined) return [];
  const { terminationGracePeriodSeconds: grace, ...rest } = probe;
  const errors = validateProbe(rest, path);
  if (grace !== undefined) {
    errors.push(
      invalidValue(`${path}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes'),
    );
  }
  return errors;
}

/** @param graceSeconds the pod's terminationGracePeriodSeconds. */
export function validateLifecycle(
  lifecycle: Lifecycle | undefined,
  graceSeconds: number | undefined,
  path: string,
): FieldError[] {
  const check = (handler: LifecycleHandler | undefined, name: string): FieldError[] =>
    handler ? validateHandler(handler, graceSeconds, `${path}.${name}`) : [];
  return [...check(lifecycle?.postStart, 'postStart'), ...check(lifecycle?.preStop, 'preStop')];
}
