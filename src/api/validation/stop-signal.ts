// Rules of the signal that ends a container: known on the pod's operating system, which the pod must name
// (pkg/apis/core/validation, validateStopSignal).
import { type FieldError, forbiddenField, notSupported } from '../errors.ts';

const NAMES =
  'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP ' +
  'TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX';
const numbered = (name: string, sign: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `SIG${name}${sign}${index + 1}`);

const LINUX: readonly string[] = [
  ...NAMES.split(' ').map((name) => `SIG${name}`),
  ...numbered('RTMIN', '+', 15),
  ...numbered('RTMAX', '-', 14),
].sort();
const WINDOWS: readonly string[] = ['SIGKILL', 'SIGTERM'];

export function validateStopSignal(
  signal: string | undefined,
  os: string | undefined,
  path: string,
): FieldError[] {
  if (signal === undefined) return [];
  if (!os) return [forbiddenField(path, 'may not be set for containers with empty `spec.os.name`')];
  const known = os === 'windows' ? WINDOWS : LINUX;
  return known.includes(signal) ? [] : [notSupported(path, signal, known)];
}
