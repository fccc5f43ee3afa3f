// From a container of a pod to what the runtime is told to create (kubelet's generateContainerConfig): command,
// environment, mounts, resources, security. Pure; files are made and objects read before, by start-container.ts.

import type { Container, Pod, SeccompProfile } from '../../../api/generated/types.ts';
import { isSidecar } from '../../../api/pod-state.ts';
import { quantityToNumber } from '../../../api/quantity.ts';
import type { ContainerMount, ContainerSpec, Image } from '../../runtime.ts';
import { LABEL_IMAGE } from '../decide/view.ts';
import { ContainerConfigError } from './environment.ts';
import { expand } from './expansion.ts';
import { oomScoreAdjOf } from './qos.ts';
import { groupsOf, podLabels } from './sandbox-spec.ts';

export interface ContainerSurroundings {
  attempt: number;
  image: Image;
  environment: ReadonlyMap<string, string>;
  /** Volumes, and files of the agent's own: /etc/hosts, the termination message. */
  mounts: readonly ContainerMount[];
  machineMemoryBytes: number;
  seccompDirectory: string;
  /** The container whose processes it is to see. */
  targetContainerId?: string | undefined;
}

/** Where a container finds its restart count and termination message again after the agent was restarted. */
const ANNOTATION_RESTART_COUNT = 'io.kubernetes.container.restartCount';
const ANNOTATION_TERMINATION_PATH = 'io.kubernetes.container.terminationMessagePath';

/** @throws ContainerConfigError when the spec asks for what cannot be given. */
export function containerSpecOf(
  pod: Pod,
  container: Container,
  around: ContainerSurroundings,
): ContainerSpec {
  const { environment, image } = around;
  const lookup = (name: string): string | undefined => environment.get(name);
  return {
    name: container.name,
    attempt: around.attempt,
    image: container.image ?? '',
    imageId: image.id,
    command: (container.command ?? []).map((word) => expand(word, lookup)),
    args: (container.args ?? []).map((word) => expand(word, lookup)),
    workingDir: container.workingDir ?? '',
    env: [...environment].map(([name, value]) => ({ name, value })),
    mounts: [...around.mounts],
    labels: {
      ...podLabels(pod),
      'io.kubernetes.container.name': container.name,
      [LABEL_IMAGE]: container.image ?? '',
    },
    annotations: {
      [ANNOTATION_RESTART_COUNT]: String(around.attempt),
      [ANNOTATION_TERMINATION_PATH]: container.terminationMessagePath ?? '/dev/termination-log',
    },
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    tty: container.tty === true,
    resources: resourcesOf(pod, container, around.machineMemoryBytes),
    security: securityOf(pod, container, image, around.seccompDirectory),
    stopSignal: container.lifecycle?.stopSignal,
    targetContainerId: around.targetContainerId,
    runsToCompletion:
      !isSidecar(container) && pod.spec.initContainers?.some(({ name }) => name === container.name) === true,
  };
}

const MIN_SHARES = 2;
const MAX_SHARES = 262_144;
const PERIOD_US = 100_000;
const MIN_QUOTA_US = 1000;

/** CFS shares, quota, memory limit and out-of-memory score (kubelet cm/helpers_linux.go). */
export function resourcesOf(
  pod: Pod,
  container: Container,
  machineMemoryBytes: number,
): ContainerSpec['resources'] {
  const { limits = {}, requests = {} } = container.resources ?? {};
  const cpuRequest = requests.cpu ?? limits.cpu;
  const shares = cpuRequest === undefined ? 0 : Math.floor(quantityToNumber(cpuRequest) * 1024);
  const cpuLimit = limits.cpu === undefined ? 0 : quantityToNumber(limits.cpu);
  return {
    cpuShares: Math.min(MAX_SHARES, Math.max(MIN_SHARES, shares)),
    cpuQuotaUs: cpuLimit === 0 ? 0 : Math.max(MIN_QUOTA_US, Math.round(cpuLimit * PERIOD_US)),
    memoryLimitBytes: limits.memory === undefined ? 0 : quantityToNumber(limits.memory),
    oomScoreAdj: oomScoreAdjOf(pod, container, machineMemoryBytes),
  };
}

function securityOf(
  pod: Pod,
  container: Container,
  image: Image,
  seccompDirectory: string,
): ContainerSpec['security'] {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const runAsUser = own.runAsUser ?? shared.runAsUser;
  if (own.runAsNonRoot ?? shared.runAsNonRoot) checkNonRoot(pod, container, image, runAsUser);
  return {
    privileged: own.privileged === true,
    readOnlyRootFilesystem: own.readOnlyRootFilesystem === true,
    allowPrivilegeEscalation: own.allowPrivilegeEscalation !== false,
    runAsUser,
    runAsGroup: own.runAsGroup ?? shared.runAsGroup,
    supplementalGroups: groupsOf(pod),
    addCapabilities: own.capabilities?.add ?? [],
    dropCapabilities: own.capabilities?.drop ?? [],
    seccomp: seccompOf(own.seccompProfile ?? shared.seccompProfile, seccompDirectory),
  };
}

/** kubelet's verifyRunAsNonRoot, with its words. */
function checkNonRoot(pod: Pod, container: Container, image: Image, runAsUser: number | undefined): void {
  const where = `(pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`;
  if (runAsUser === 0) {
    throw new ContainerConfigError(`container's runAsUser breaks non-root policy ${where}`);
  }
  if (runAsUser !== undefined) return;
  if (image.user?.name) {
    throw new ContainerConfigError(
      `container has runAsNonRoot and image has non-numeric user (${image.user.name}), cannot verify user is non-root ${where}`,
    );
  }
  if ((image.user?.uid ?? 0) === 0) {
    throw new ContainerConfigError(`container has runAsNonRoot and image will run as root ${where}`);
  }
}

function seccompOf(
  profile: SeccompProfile | undefined,
  directory: string,
): ContainerSpec['security']['seccomp'] {
  if (profile?.type === 'RuntimeDefault') return { type: 'runtime-default' };
  if (profile?.type === 'Localhost') {
    return { type: 'localhost', path: `${directory}/${profile.localhostProfile ?? ''}` };
  }
  return { type: 'unconfined' };
}
