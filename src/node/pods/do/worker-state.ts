// What a pod worker remembers between two looks: what the runtime has of the pod, and what its own attempts came
// to. Only memory; nothing here decides or acts.
import type { Pod, PodStatus, ResourceRequirements } from '../../../api/generated/types.ts';
import { idWithin } from '../../container-id.ts';
import type { Container, Sandbox, SandboxSpec } from '../../runtime.ts';
import type { ReadyVolume } from '../../volumes/volumes.ts';
import type {
  CrashBackoff,
  Ending,
  Eviction,
  Failure,
  ImageState,
  ResizePending,
  Stopping,
  VolumeState,
} from '../decide/observation.ts';
import { type Allocation, reportedAllocation } from '../decide/resize.ts';
import { reportedStatuses } from '../decide/view.ts';

export interface WorkerState {
  sandboxes: Map<string, Sandbox>;
  containers: Map<string, Container>;
  /** As told to the runtime; made again from the pod after the agent was restarted. */
  sandboxSpecs: Map<string, SandboxSpec>;
  stoppedSandboxes: Set<string>;
  sandboxFailure: Failure | undefined;
  volumes: VolumeState;
  readyVolumes: ReadonlyMap<string, ReadyVolume>;
  /** Why the volumes could not be brought up to date the last time. */
  refreshFailure: Failure | undefined;
  images: Map<string, ImageState>;
  startFailures: Map<string, Failure>;
  backoffs: Map<string, CrashBackoff>;
  terminationMessages: Map<string, string>;
  /** What the node has given the pod's containers. */
  allocation: Allocation;
  applied: Map<string, ResourceRequirements>;
  resizeFailures: Map<string, Failure>;
  resizePending: ResizePending | undefined;
  stopping: Map<string, Stopping>;
  busy: Set<string>;
  ending: Ending | undefined;
  rejection: { reason: string; message: string } | undefined;
  eviction: Eviction | undefined;
  reclaimed: boolean;
  removed: boolean;
  objectDeleted: boolean;
  /** As computed last, whether the API has it yet or not. */
  status: PodStatus | undefined;
}

/** @param adopted what the runtime already had when this process first saw the pod. */
export function newWorkerState(
  pod: Pod,
  adopted: {
    sandboxes: readonly Sandbox[];
    containers: readonly Container[];
  },
): WorkerState {
  const allocation = reportedAllocation(pod);
  const reported = new Map(
    reportedStatuses(pod).flatMap(({ containerID, resources }) =>
      containerID && resources ? [[idWithin(containerID), resources]] : [],
    ),
  );
  return {
    sandboxes: new Map(adopted.sandboxes.map((sandbox) => [sandbox.id, sandbox])),
    containers: new Map(adopted.containers.map((container) => [container.id, container])),
    sandboxSpecs: new Map(),
    stoppedSandboxes: new Set(),
    sandboxFailure: undefined,
    volumes: { state: 'none' },
    readyVolumes: new Map(),
    refreshFailure: undefined,
    images: new Map(),
    startFailures: new Map(),
    backoffs: new Map(),
    terminationMessages: new Map(),
    allocation,
    applied: new Map(
      adopted.containers.map(({ id, name }) => [id, reported.get(id) ?? allocation.get(name) ?? {}]),
    ),
    resizeFailures: new Map(),
    resizePending: undefined,
    stopping: new Map(),
    busy: new Set(),
    ending: undefined,
    rejection: undefined,
    eviction: undefined,
    reclaimed: false,
    removed: false,
    objectDeleted: false,
    status: undefined,
  };
}
