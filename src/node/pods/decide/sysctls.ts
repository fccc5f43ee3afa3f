// Which kernel parameters a pod may set: those that are known to concern nobody but the pod, and those that the
// machine's owner allows (kubelet sysctl/allowlist.go, safe_sysctls.go). Pure.
import type { Pod } from '../../../api/generated/types.ts';

type KernelNamespace = 'IPC' | 'Net' | 'UTS' | 'User';

/** Safe ones, with the kernel from which on each belongs to a namespace. */
const SAFE: ReadonlyArray<readonly [name: string, sinceKernel: readonly [number, number]]> = [
  ['kernel.shm_rmid_forced', [0, 0]],
  ['net.ipv4.ip_local_port_range', [0, 0]],
  ['net.ipv4.tcp_syncookies', [0, 0]],
  ['net.ipv4.ping_group_range', [0, 0]],
  ['net.ipv4.ip_unprivileged_port_start', [0, 0]],
  ['net.ipv4.ip_local_reserved_ports', [3, 16]],
  ['net.ipv4.tcp_keepalive_time', [4, 5]],
  ['net.ipv4.tcp_fin_timeout', [4, 6]],
  ['net.ipv4.tcp_keepalive_intvl', [4, 5]],
  ['net.ipv4.tcp_keepalive_probes', [4, 5]],
  ['net.ipv4.tcp_rmem', [4, 15]],
  ['net.ipv4.tcp_wmem', [4, 15]],
];

const BY_NAME: ReadonlyMap<string, KernelNamespace> = new Map([
  ['kernel.domainname', 'UTS'],
  ...['sem', 'shmall', 'shmmax', 'shmmni', 'shm_rmid_forced', 'shm', 'msgmax', 'msgmnb', 'msgmni', 'msg'].map(
    (name) => [`kernel.${name}`, 'IPC'] as const,
  ),
]);
const BY_PREFIX: ReadonlyArray<readonly [string, KernelNamespace]> = [
  ['net.', 'Net'],
  ['fs.mqueue.', 'IPC'],
  ['user.', 'User'],
];

const MAX_LENGTH = 253;
const SEGMENT = '[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?';
const PATTERN = new RegExp(`^(?:${SEGMENT}[./])*(?:\\*|${SEGMENT}\\*?|[a-z0-9][-_a-z0-9]*\\*)$`);

/** What a node lets pods set. */
export interface SysctlAllowlist {
  /** Why the node refuses the pod because of what it sets; undefined: it does not. */
  rejectionOf(pod: Pod): { reason: string; message: string } | undefined;
}

/** With dots between its parts: whichever of `.` and `/` comes first separates them, the other one is part of a name. */
export function dottedSysctl(name: string): string {
  const first = /[./]/.exec(name)?.[0];
  if (first !== '/') return name;
  return name.replace(/[./]/g, (sign) => (sign === '/' ? '.' : '/'));
}

/**
 * @param kernelVersion as `uname -r` says it; `simulated`: the newest.
 * @param unsafe what is allowed besides the safe ones: names, or beginnings that end in `*`.
 * @throws Error naming a pattern that is none, or that is not of a namespace and so would concern the whole machine.
 */
export function sysctlAllowlist(kernelVersion: string, unsafe: readonly string[]): SysctlAllowlist {
  const names = new Map<string, KernelNamespace>();
  const prefixes: Array<readonly [string, KernelNamespace]> = [];
  // What is no number is a simulated kernel, and as new as any.
  const [, major, minor] = /^(\d{1,6})\.(\d{1,6})/.exec(kernelVersion) ?? ['', Infinity, 0];
  for (const [name, [since, and]] of SAFE) {
    const namespace = namespaceOf(name);
    const isThere = Number(major) > since || (Number(major) === since && Number(minor) >= and);
    if (namespace && isThere) names.set(name, namespace);
  }
  for (const given of unsafe) {
    if (given.length > MAX_LENGTH || !PATTERN.test(given)) {
      throw new Error(
        `${JSON.stringify(given)} is no name of a sysctl, nor the beginning of one with a * at its end`,
      );
    }
    const pattern = dottedSysctl(given);
    const prefix = pattern.endsWith('*') ? pattern.slice(0, -1) : undefined;
    const namespace = namespaceOf(prefix ?? pattern);
    if (namespace === undefined) {
      throw new Error(
        `the sysctl ${JSON.stringify(given)} is not known to be namespaced: it would concern the whole machine`,
      );
    }
    if (prefix === undefined) names.set(pattern, namespace);
    else prefixes.push([prefix, namespace]);
  }

  const whyNot = (given: string, pod: Pod): string | undefined => {
    const name = dottedSysctl(given);
    const namespace = names.get(name) ?? prefixes.find(([prefix]) => name.startsWith(prefix))?.[1];
    if (namespace === undefined) return `"${name}" not allowlisted`;
    const isOfHost =
      (namespace === 'IPC' && pod.spec.hostIPC === true) ||
      (namespace === 'Net' && pod.spec.hostNetwork === true);
    return isOfHost ? `"${name}" not allowed with host ${namespace} enabled` : undefined;
  };
  return {
    rejectionOf(pod) {
      for (const { name } of pod.spec.securityContext?.sysctls ?? []) {
        const why = whyNot(name, pod);
        if (why) return { reason: 'SysctlForbidden', message: `forbidden sysctl: ${why}` };
      }
      return undefined;
    },
  };
}

function namespaceOf(name: string): KernelNamespace | undefined {
  return BY_NAME.get(name) ?? BY_PREFIX.find(([prefix]) => name.startsWith(prefix))?.[1];
}
