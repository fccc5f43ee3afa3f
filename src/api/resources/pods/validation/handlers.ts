// Rules of probes and of lifecycle hooks, which both do one of a few actions (pkg/apis/core/validation,
// validateHandler, validateProbe, validateLifecycle).
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '../../../errors.ts';
import type {
  ExecAction,
  GRPCAction,
  HTTPGetAction,
  Lifecycle,
  LifecycleHandler,
  PodSpec,
  Probe,
  TCPSocketAction,
} from '../../../generated/types.ts';
import { patternMessage } from '../../../names.ts';
import {
  checked,
  nonNegative,
  portNumber,
  portNumberOrName,
  requiredText,
} from '../../../validation/field-rules.ts';
import { validateStopSignal } from './stop-signal.ts';

const ACTIONS = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;
/** One action; a probe has no sleep, and a hook no gRPC. */
interface Handler {
  exec?: ExecAction;
  httpGet?: HTTPGetAction;
  tcpSocket?: TCPSocketAction;
  grpc?: GRPCAction;
  sleep?: { seconds: number };
}

const HEADER_NAME = '[-A-Za-z0-9]+';
const headerNamePattern = new RegExp(`^${HEADER_NAME}$`);
const SCHEMES: readonly string[] = ['HTTP', 'HTTPS'];

function headerNameReasons(name: string): string[] {
  if (headerNamePattern.test(name)) return [];
  const what = "a valid HTTP header must consist of alphanumeric characters or '-'";
  return [patternMessage(what, HEADER_NAME, 'X-Header-Name')];
}

/** @param graceSeconds how long the pod has to end, which a sleep must fit into. */
function validateHandler(handler: Handler, graceSeconds: number | undefined, path: string): FieldError[] {
  const chosen = ACTIONS.find((action) => handler[action]);
  if (chosen === undefined) return [required(path, 'must specify a handler type')];
  // Of several, only the first is looked at.
  const errors = validateAction({ [chosen]: handler[chosen] }, graceSeconds, path);
  for (const another of ACTIONS) {
    if (another === chosen || !handler[another]) continue;
    errors.push(forbiddenField(`${path}.${another}`, 'may not specify more than 1 handler type'));
  }
  return errors;
}

function validateAction(handler: Handler, graceSeconds: number | undefined, path: string): FieldError[] {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  if (exec) return exec.command?.length ? [] : [required(`${path}.exec.command`)];
  if (httpGet) return validateHttpGet(httpGet, `${path}.httpGet`);
  if (tcpSocket) return portNumberOrName(tcpSocket.port, `${path}.tcpSocket.port`);
  if (grpc) return portNumber(grpc.port, `${path}.grpc.port`);
  if (sleep && graceSeconds !== undefined && (sleep.seconds < 0 || sleep.seconds > graceSeconds)) {
    const reason = `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`;
    return [invalidValue(`${path}.sleep`, sleep.seconds, reason)];
  }
  return [];
}

function validateHttpGet(
  { path, port, scheme = '', httpHeaders = [] }: HTTPGetAction,
  at: string,
): FieldError[] {
  const errors = [...requiredText(path, `${at}.path`), ...portNumberOrName(port, `${at}.port`)];
  if (!SCHEMES.includes(scheme)) errors.push(notSupported(`${at}.scheme`, scheme, SCHEMES));
  for (const { name } of httpHeaders) errors.push(...checked(name, `${at}.httpHeaders`, headerNameReasons));
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
  const errors = validateHandler(probe, undefined, path);
  for (const field of COUNTS) errors.push(...nonNegative(probe[field], `${path}.${field}`));
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0) {
    errors.push(invalidValue(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'));
  }
  return errors;
}

/** Of liveness and startup probes: one success is success. */
export function validateRestartingProbe(probe: Probe | undefined, path: string): FieldError[] {
  if (probe === undefined) return [];
  const errors = validateProbe(probe, path);
  if (probe.successThreshold !== 1) {
    errors.push(invalidValue(`${path}.successThreshold`, probe.successThreshold ?? 0, 'must be 1'));
  }
  return errors;
}

/** A readiness probe ends nothing, so it has no grace period of its own. */
export function validateReadinessProbe(probe: Probe | undefined, path: string): FieldError[] {
  if (probe === undefined) return [];
  const errors = validateProbe(probe, path);
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined) {
    errors.push(
      invalidValue(`${path}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes'),
    );
  }
  return errors;
}

/** @param spec of the pod: how long it has to end, and on what system. */
export function validateLifecycle(
  lifecycle: Lifecycle | undefined,
  spec: PodSpec,
  path: string,
): FieldError[] {
  if (lifecycle === undefined) return [];
  const check = (handler: LifecycleHandler | undefined, name: string): FieldError[] =>
    handler ? validateHandler(handler, spec.terminationGracePeriodSeconds, `${path}.${name}`) : [];
  return [
    ...check(lifecycle.postStart, 'postStart'),
    ...check(lifecycle.preStop, 'preStop'),
    ...validateStopSignal(lifecycle.stopSignal, spec.os?.name, `${path}.stopSignal`),
  ];
}
