// From CRI's terms to stead's: sandboxes, containers and images as the agent knows them. Pure.
import type { Container, ContainerState, Image, Sandbox } from '../runtime.ts';
import type * as cri from './generated/cri.ts';

const milliseconds = (nanoseconds: number): number => Math.floor(nanoseconds / 1e6);

export function sandboxOf(wire: cri.PodSandbox | cri.PodSandboxStatus): Sandbox {
  const network = 'network' in wire ? wire.network : null;
  const ips = [network?.ip ?? '', ...(network?.additional_ips ?? []).map(({ ip }) => ip)].filter(Boolean);
  return {
    id: wire.id,
    podUid: wire.metadata?.uid ?? '',
    namespace: wire.metadata?.namespace ?? '',
    name: wire.metadata?.name ?? '',
    attempt: wire.metadata?.attempt ?? 0,
    ready: wire.state === 'SANDBOX_READY',
    createdAtMs: milliseconds(wire.created_at),
    ips,
  };
}

const STATES: Record<cri.ContainerState, ContainerState> = {
  CONTAINER_CREATED: 'created',
  CONTAINER_RUNNING: 'running',
  CONTAINER_EXITED: 'exited',
  CONTAINER_UNKNOWN: 'unknown',
};

export function containerOf(wire: cri.ContainerStatus, sandboxId: string): Container {
  return {
    id: wire.id,
    sandboxId,
    podUid: wire.labels['io.kubernetes.pod.uid'] ?? '',
    name: wire.metadata?.name ?? '',
    attempt: wire.metadata?.attempt ?? 0,
    state: STATES[wire.state],
    image: wire.image?.image ?? '',
    imageId: wire.image_ref,
    createdAtMs: milliseconds(wire.created_at),
    startedAtMs: milliseconds(wire.started_at),
    finishedAtMs: milliseconds(wire.finished_at),
    exitCode: wire.exit_code,
    reason: wire.reason,
    message: wire.message,
    labels: wire.labels,
  };
}

/** As much of a container as a list of them tells. */
export function listedContainerOf(wire: cri.Container): Container {
  const nothingKnown = {
    created_at: 0,
    started_at: 0,
    finished_at: 0,
    exit_code: 0,
    reason: '',
    message: '',
  };
  return containerOf({ ...wire, ...nothingKnown, image: null, image_ref: '' }, wire.pod_sandbox_id);
}

export function imageOf(wire: cri.Image): Image {
  const uid = wire.uid?.value;
  return {
    id: wire.id,
    tags: wire.repo_tags,
    digests: wire.repo_digests,
    sizeBytes: wire.size,
    ...(uid !== undefined ? { user: { uid } } : wire.username ? { user: { name: wire.username } } : {}),
  };
}
