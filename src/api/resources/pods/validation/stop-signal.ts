// Rules of the signal that ends a container: known on the pod's operating system, which the pod must name
// (pkg/apis/core/validation, validateStopSignal).
import { type FieldError, forbiddenField, notSupported } from '../../../errors.ts';
import { SIGNALS } from '../../../signals.ts';

const WINDOWS: readonly string[] = ['SIGKILL', 'SIGTERM'];

export function validateStopSignal(
  signal: string | undefined,
  os: string | undefined,
  path: string,
): FieldError[] {
  if (signal === undefined) return [];
  if (!os) return [forbiddenField(path, 'may not be set for containers with empty `spec.os.name`')];
  const known = os === 'windows' ? WINDOWS : SIGNALS;
  return known.includes(signal) ? [] : [notSupported(path, signal, known)];
}
