// The signals that can end a container on Linux, by name (v1.Signal in kubernetes/api, core/v1/types.go).

const NAMES =
  'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP ' +
  'TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX';
const numbered = (name: string, sign: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `SIG${name}${sign}${index + 1}`);

/** Sorted, as errors list them. */
export const SIGNALS: readonly string[] = [
  ...NAMES.split(' ').map((name) => `SIG${name}`),
  ...numbered('RTMIN', '+', 15),
  ...numbered('RTMAX', '-', 14),
].sort();
