// From stead's terms to CRI's: the configurations of sandboxes and containers (kubelet kuberuntime_sandbox.go,
// kuberuntime_container_linux.go). Pure.
import type { ContainerSpec, SandboxSpec } from '../runtime.ts';
import type {
  ContainerConfig,
  Int64Value,
  LinuxContainerResources,
  NamespaceOption,
  PodSandboxConfig,
  SecurityProfile,
} from './generated/cri.ts';

/** Where a sandbox's cgroup is found again when it is removed, maybe by another process. */
export const ANNOTATION_CGROUP_PARENT = 'stead.dev/cgroup-parent';

const MASKED_PATHS = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];
const CPU_PERIOD_US = 100_000;

const int64 = (value: number | undefined): Int64Value | null => (value === undefined ? null : { value });

function namespacesOf(spec: SandboxSpec): NamespaceOption {
  return {
    network: spec.hostNetwork ? 'NODE' : 'POD',
    pid: spec.hostPid ? 'NODE' : spec.shareProcessNamespace ? 'POD' : 'CONTAINER',
    ipc: spec.hostIpc ? 'NODE' : 'POD',
    target_id: '',
  };
}

function containerNamespaces(sandbox: SandboxSpec, target: string | undefined): NamespaceOption {
  const own = namespacesOf(sandbox);
  // Where all processes see each other anyway, there is nothing to join.
  if (target === undefined || sandbox.hostPid || sandbox.shareProcessNamespace) return own;
  return { ...own, pid: 'TARGET', target_id: target };
}

export function sandboxConfig(spec: SandboxSpec): PodSandboxConfig {
  return {
    metadata: { name: spec.name, uid: spec.podUid, namespace: spec.namespace, attempt: spec.attempt },
    // On the node's network a pod has the node's name, which is not the runtime's to set.
    hostname: spec.hostNetwork ? '' : spec.hostname,
    log_directory: spec.logDirectory,
    dns_config: spec.dns,
    port_mappings: spec.portMappings.map((mapping) => ({
      protocol: mapping.protocol,
      container_port: mapping.containerPort,
      host_port: mapping.hostPort,
      host_ip: mapping.hostIp,
    })),
    labels: spec.labels,
    annotations: { ...spec.annotations, [ANNOTATION_CGROUP_PARENT]: spec.cgroupParent },
    linux: {
      cgroup_parent: spec.cgroupParent,
      security_context: {
        namespace_options: namespacesOf(spec),
        run_as_user: int64(spec.runAsUser),
        // CRI refuses a group without a user.
        run_as_group: spec.runAsUser === undefined ? null : int64(spec.runAsGroup),
        supplemental_groups: spec.supplementalGroups,
        privileged: spec.privileged,
        seccomp: seccompProfile({ type: 'unconfined' }),
      },
      sysctls: spec.sysctls,
    },
  };
}

export function resourcesConfig(resources: ContainerSpec['resources']): LinuxContainerResources {
  return {
    cpu_period: resources.cpuQuotaUs > 0 ? CPU_PERIOD_US : 0,
    cpu_quota: resources.cpuQuotaUs,
    cpu_shares: resources.cpuShares,
    memory_limit_in_bytes: resources.memoryLimitBytes,
    // A negative score needs a capability that not every machine's root has.
    oom_score_adj: Math.max(0, resources.oomScoreAdj),
  };
}

const PROPAGATION = {
  private: 'PROPAGATION_PRIVATE',
  'host-to-container': 'PROPAGATION_HOST_TO_CONTAINER',
  bidirectional: 'PROPAGATION_BIDIRECTIONAL',
} as const;

/** Where a container's log lies in its pod's log directory. */
export function containerLogPath(name: string, attempt: number): string {
  return `${name}/${attempt}.log`;
}

export function containerConfig(sandbox: SandboxSpec, spec: ContainerSpec): ContainerConfig {
  const { security } = spec;
  return {
    metadata: { name: spec.name, attempt: spec.attempt },
    image: { image: spec.imageId },
    command: spec.command,
    args: spec.args,
    working_dir: spec.workingDir,
    envs: spec.env.map(({ name, value }) => ({ key: name, value })),
    mounts: spec.mounts.map((mount) => ({
      container_path: mount.containerPath,
      host_path: mount.hostPath,
      readonly: mount.readOnly,
      propagation: PROPAGATION[mount.propagation],
    })),
    labels: spec.labels,
    annotations: spec.annotations,
    log_path: containerLogPath(spec.name, spec.attempt),
    stdin: spec.stdin,
    stdin_once: spec.stdinOnce,
    tty: spec.tty,
    linux: {
      resources: resourcesConfig(spec.resources),
      security_context: {
        capabilities: {
          add_capabilities: security.addCapabilities,
          drop_capabilities: security.dropCapabilities,
        },
        privileged: security.privileged,
        namespace_options: containerNamespaces(sandbox, spec.targetContainerId),
        run_as_user: int64(security.runAsUser),
        run_as_group: security.runAsUser === undefined ? null : int64(security.runAsGroup),
        readonly_rootfs: security.readOnlyRootFilesystem,
        supplemental_groups: security.supplementalGroups,
        no_new_privs: !security.allowPrivilegeEscalation,
        masked_paths: security.privileged ? [] : MASKED_PATHS,
        readonly_paths: security.privileged ? [] : READONLY_PATHS,
        seccomp: seccompProfile(security.privileged ? { type: 'unconfined' } : security.seccomp),
      },
    },
  };
}

function seccompProfile(seccomp: ContainerSpec['security']['seccomp']): SecurityProfile {
  if (seccomp.type === 'localhost') return { profile_type: 'Localhost', localhost_ref: seccomp.path };
  const profile = seccomp.type === 'runtime-default' ? 'RuntimeDefault' : 'Unconfined';
  return { profile_type: profile, localhost_ref: '' };
}
