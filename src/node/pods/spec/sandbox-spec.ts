// From a pod to the sandbox it runs in (kubelet's generatePodSandboxConfig). Pure.
import type { Pod } from '../../../api/generated/types.ts';
import type { SandboxSpec } from '../../runtime.ts';
import { dottedSysctl } from '../decide/sysctls.ts';
import { allContainers } from '../decide/view.ts';
import { type ClusterDns, kernelHostnameOf, type ResolvConf, resolvConfOf } from './names.ts';
import { cgroupParentOf } from './qos.ts';

/** The labels by which a sandbox or container is found again. */
export function podLabels(pod: Pod): Record<string, string> {
  return {
    'io.kubernetes.pod.name': pod.metadata.name ?? '',
    'io.kubernetes.pod.namespace': pod.metadata.namespace ?? '',
    'io.kubernetes.pod.uid': pod.metadata.uid ?? '',
  };
}

/** One directory of logs a pod: `<namespace>_<name>_<uid>`, as kubelet names it. */
export function podLogDirectory(root: string, pod: { namespace: string; name: string; uid: string }): string {
  return `${root}/${pod.namespace}_${pod.name}_${pod.uid}`;
}

export interface SandboxSurroundings {
  logDirectory: string;
  clusterDns: ClusterDns | undefined;
  hostDns: ResolvConf;
}

/** @throws Error when the pod asks for what this node cannot give: it is not run with less protection than it wants. */
export function sandboxSpecOf(
  pod: Pod,
  attempt: number,
  around: SandboxSurroundings,
  nodeName: string,
): SandboxSpec {
  const { metadata, spec } = pod;
  if (spec.hostUsers === false) {
    throw new Error('hostUsers: false is not supported: the runtime of this node has no user namespaces');
  }
  const identity = {
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
  };
  const security = spec.securityContext;
  const hostNetwork = spec.hostNetwork === true;
  return {
    podUid: identity.uid,
    namespace: identity.namespace,
    name: identity.name,
    attempt,
    hostname: hostNetwork ? nodeName : kernelHostnameOf(pod, around.clusterDns?.domain ?? 'cluster.local'),
    hostNetwork,
    hostPid: spec.hostPID === true,
    hostIpc: spec.hostIPC === true,
    shareProcessNamespace: spec.shareProcessNamespace === true,
    privileged: allContainers(pod).some((container) => container.securityContext?.privileged === true),
    labels: { ...metadata.labels, ...podLabels(pod) },
    annotations: { ...metadata.annotations },
    dns: resolvConfOf(pod, around.clusterDns, around.hostDns),
    portMappings: hostNetwork ? [] : portMappings(pod),
    logDirectory: podLogDirectory(around.logDirectory, identity),
    cgroupParent: cgroupParentOf(pod),
    sysctls: Object.fromEntries(
      (security?.sysctls ?? []).map(({ name, value }) => [dottedSysctl(name), value]),
    ),
    runAsUser: security?.runAsUser,
    runAsGroup: security?.runAsGroup,
    supplementalGroups: groupsOf(pod),
  };
}

/** fsGroup and supplementalGroups of the pod. */
export function groupsOf(pod: Pod): number[] {
  const security = pod.spec.securityContext;
  const groups = [...(security?.supplementalGroups ?? [])];
  if (security?.fsGroup !== undefined) groups.push(security.fsGroup);
  return groups;
}

function portMappings(pod: Pod): SandboxSpec['portMappings'] {
  const ports = allContainers(pod).flatMap((container) => container.ports ?? []);
  return ports
    .filter((port) => port.hostPort)
    .map((port) => ({
      protocol: port.protocol === 'UDP' || port.protocol === 'SCTP' ? port.protocol : 'TCP',
      containerPort: port.containerPort,
      hostPort: port.hostPort ?? 0,
      hostIp: port.hostIP ?? '',
    }));
}
