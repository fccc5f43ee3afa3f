// The checks of the level `baseline`, which keeps pods from known ways out of their containers. In upstream's order
// (pod-security-admission policy/check_*.go).
import type { PodSpec, SELinuxOptions } from '../../../api/generated/types.ts';
import {
  badContainers,
  type Check,
  type CheckedContainer,
  containersOf,
  named,
  plural,
  quoted,
  setters,
  sortedSet,
} from './check.ts';

const APP_ARMOR_ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/';
const CAPABILITIES = new Set([
  ...['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE'],
  ...['SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'],
]);
const SELINUX_TYPES = new Set([
  '',
  'container_t',
  'container_init_t',
  'container_kvm_t',
  'container_engine_t',
]);
const SYSCTLS = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]);

const appArmorProfile: Check = (spec, metadata) => {
  const bad = (type: string | undefined): boolean => type === 'Unconfined';
  const pod = bad(spec.securityContext?.appArmorProfile?.type);
  const names = badContainers(spec, ({ appArmorProfile: profile }) => bad(profile?.type));
  const fields =
    pod || names.length > 0
      ? [`${setters(pod, names)} must not set AppArmor profile type to "Unconfined"`]
      : [];
  const annotations = Object.entries(metadata.annotations ?? {})
    .filter(([key, value]) => key.startsWith(APP_ARMOR_ANNOTATION) && !allowedProfile(value))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort();
  if (fields.length + annotations.length === 0) return undefined;
  const noted =
    annotations.length > 0
      ? [`${plural('annotation', 'annotations', annotations.length)} ${annotations.join(', ')}`]
      : [];
  const count = annotations.length + (pod ? 1 : 0) + names.length;
  const reason = plural('forbidden AppArmor profile', 'forbidden AppArmor profiles', count);
  return { reason, detail: [...fields, ...noted].join('; ') };
};

function allowedProfile(value: string): boolean {
  return value === '' || value === 'runtime/default' || value.startsWith('localhost/');
}

/** Only for `baseline`: `restricted` has a stricter one. */
const baselineCapabilities: Check = (spec) => {
  const added = (container: CheckedContainer): string[] =>
    (container.securityContext?.capabilities?.add ?? []).filter((each) => !CAPABILITIES.has(each));
  const names = badContainers(spec, (_context, container) => added(container).length > 0);
  if (names.length === 0) return undefined;
  const values = sortedSet(containersOf(spec).flatMap(added));
  return {
    reason: 'non-default capabilities',
    detail: `${named(names)} must not include ${quoted(values)} in securityContext.capabilities.add`,
  };
};

const hostNamespaces: Check = (spec) => {
  const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field] === true);
  if (used.length === 0) return undefined;
  return { reason: 'host namespaces', detail: used.map((field) => `${field}=true`).join(', ') };
};

const hostPathVolumes: Check = (spec) => {
  const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => name);
  if (names.length === 0) return undefined;
  return {
    reason: 'hostPath volumes',
    detail: `${plural('volume', 'volumes', names.length)} ${quoted(names)}`,
  };
};

const hostPorts: Check = (spec) => {
  const portsOf = ({ ports }: CheckedContainer): string[] =>
    (ports ?? []).flatMap(({ hostPort }) => (hostPort ? [`${hostPort}`] : []));
  const names = badContainers(spec, (_context, container) => portsOf(container).length > 0);
  if (names.length === 0) return undefined;
  const ports = sortedSet(containersOf(spec).flatMap(portsOf));
  const uses = plural('uses', 'use', names.length);
  return {
    reason: 'hostPort',
    detail: `${named(names)} ${uses} ${plural('hostPort', 'hostPorts', ports.length)} ${ports.join(', ')}`,
  };
};

const hostProbes: Check = (spec) => {
  const names = badContainers(spec, (_context, container) => probedHosts(container).length > 0);
  if (names.length === 0) return undefined;
  const hosts = sortedSet(containersOf(spec).flatMap(probedHosts));
  const uses = plural('uses', 'use', names.length);
  const what = plural('probe or lifecycle host', 'probe or lifecycle hosts', hosts.length);
  return { reason: 'probe or lifecycle host', detail: `${named(names)} ${uses} ${what} ${quoted(hosts)}` };
};

function probedHosts({ livenessProbe, readinessProbe, startupProbe, lifecycle }: CheckedContainer): string[] {
  const actions = [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop];
  return actions.flatMap((action) =>
    [action?.httpGet?.host, action?.tcpSocket?.host].flatMap((host) => host || []),
  );
}

const privileged: Check = (spec) => {
  const names = badContainers(spec, (context) => context.privileged === true);
  if (names.length === 0) return undefined;
  return { reason: 'privileged', detail: `${named(names)} must not set securityContext.privileged=true` };
};

const procMount: Check = (spec) => {
  if (spec.hostUsers === false) return undefined;
  const bad = (value: string | undefined): value is string => value !== undefined && value !== 'Default';
  const names = badContainers(spec, (context) => bad(context.procMount));
  if (names.length === 0) return undefined;
  const values = sortedSet(
    containersOf(spec).flatMap(({ securityContext: context }) => context?.procMount ?? []),
  );
  return {
    reason: 'procMount',
    detail: `${named(names)} must not set securityContext.procMount to ${quoted(values.filter(bad))}`,
  };
};

const seLinuxOptions: Check = (spec) => {
  const all = [spec.securityContext, ...containersOf(spec).map(({ securityContext }) => securityContext)];
  const bad = (options: SELinuxOptions | undefined): boolean =>
    Boolean(options && (!SELINUX_TYPES.has(options.type ?? '') || options.user || options.role));
  const pod = bad(spec.securityContext?.seLinuxOptions);
  const names = badContainers(spec, (context) => bad(context.seLinuxOptions));
  if (!pod && names.length === 0) return undefined;
  const options = all.flatMap((context) => context?.seLinuxOptions ?? []);
  const types = sortedSet(options.map(({ type }) => type ?? '').filter((type) => !SELINUX_TYPES.has(type)));
  const data = [
    ...(types.length > 0 ? [`${plural('type', 'types', types.length)} ${quoted(types)}`] : []),
    ...(options.some(({ user }) => user) ? ['user may not be set'] : []),
    ...(options.some(({ role }) => role) ? ['role may not be set'] : []),
  ];
  return {
    reason: 'seLinuxOptions',
    detail: `${setters(pod, names)} set forbidden securityContext.seLinuxOptions: ${data.join('; ')}`,
  };
};

/** Who sets a seccomp profile that is not allowed; also the first half of the restricted check. */
export const baselineSeccomp: Check = (spec) => {
  const bad = (type: string | undefined): type is string =>
    type !== undefined && type !== 'RuntimeDefault' && type !== 'Localhost';
  const podType = spec.securityContext?.seccompProfile?.type;
  const names = badContainers(spec, ({ seccompProfile }) => bad(seccompProfile?.type));
  if (!bad(podType) && names.length === 0) return undefined;
  const types = containersOf(spec).map(({ securityContext }) => securityContext?.seccompProfile?.type);
  const values = sortedSet([podType, ...types].filter(bad));
  return {
    reason: 'seccompProfile',
    detail: `${setters(bad(podType), names)} must not set securityContext.seccompProfile.type to ${quoted(values)}`,
  };
};

const sysctls: Check = (spec) => {
  const names = (spec.securityContext?.sysctls ?? [])
    .map(({ name }) => name)
    .filter((name) => !SYSCTLS.has(name));
  return names.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: names.join(', ') };
};

const windowsHostProcess: Check = (spec: PodSpec) => {
  const pod = spec.securityContext?.windowsOptions?.hostProcess === true;
  const names = badContainers(spec, ({ windowsOptions }) => windowsOptions?.hostProcess === true);
  if (!pod && names.length === 0) return undefined;
  return {
    reason: 'hostProcess',
    detail: `${setters(pod, names)} must not set securityContext.windowsOptions.hostProcess=true`,
  };
};

export const BASELINE_CHECKS: readonly Check[] = [
  appArmorProfile,
  baselineCapabilities,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbes,
  privileged,
  procMount,
  seLinuxOptions,
  baselineSeccomp,
  sysctls,
  windowsHostProcess,
];

/** Those that hold for `restricted` as well: it has stricter rules of its own for the others. */
export const COMMON_CHECKS: readonly Check[] = BASELINE_CHECKS.filter(
  (check) => check !== baselineCapabilities && check !== baselineSeccomp,
);
