// What a decision about one pod may depend on, and what a decision can say. Nothing here acts or remembers: the
// worker fills in the observation, `planPod` answers it, and the worker carries the actions out.

import type { Pod, PodStatus, ResourceRequirements } from '../../../api/generated/types.ts';
import type { Stored } from '../../../api/objects.ts';
import type { Container, Image, Sandbox } from '../../runtime.ts';

/** Why a pod keeps the resources that it has: for now, or for as long as the node is what it is. */
export interface ResizePending {
  reason: 'Deferred' | 'Infeasible';
  message: string;
}

export type ProbeKind = 'startup' | 'readiness' | 'liveness';
export type ProbeOutcome = 'success' | 'failure';

/** A step that failed and will be tried again. */
export interface Failure {
  /** The word a waiting container shows: `CreateContainerConfigError`, `ErrImagePull`. */
  reason: string;
  message: string;
  failedAtMs: number;
  /** Not tried again before that. */
  retryAtMs: number;
}

/** What is known of the image that the next start of a container needs. */
export type ImageState =
  | { state: 'present'; name: string; image: Image }
  | ({
      state: 'failed';
      /** As the container's spec had it. */
      name: string;
      /** When the worker last looked whether the image has appeared by itself. */
      checkedAtMs: number;
    } & Failure);

export type VolumeState =
  | { state: 'none' }
  | { state: 'ready' }
  | ({ state: 'failed' } & Failure)
  | { state: 'down' };

/** How long the next crash of a container waits: doubles with each restart. */
export interface CrashBackoff {
  delayMs: number;
  updatedAtMs: number;
}

/** Why the pod has to end although its spec would keep it running. */
export interface Ending {
  /** deleted: through the API; removed: its object is gone; shutdown: the node stops, the object stays. */
  cause: 'deleted' | 'removed' | 'shutdown';
  /** What was asked for. */
  graceSeconds: number;
  /** When it is over: looking at the pod again does not move it, only somebody who asks for less does. */
  deadlineMs: number;
}

/** A running container whose end has begun. */
export interface Stopping {
  /** When its grace period is over; no hook and no other container is waited for beyond that. */
  deadlineMs: number;
  /** The end of the grace period that the runtime was told with the stop signal; undefined: not signalled yet. */
  signalledUntilMs: number | undefined;
}

/** That the node cannot keep the pod: it uses more than it may, or the node runs short. */
export interface Eviction {
  /** For the pod's status, in upstream's words. */
  message: string;
  graceSeconds: number;
  /** Whether it goes for the sake of others and not for its own excess: it then has the condition DisruptionTarget. */
  isDisruption: boolean;
}

export interface PodObservation {
  pod: Stored<Pod>;
  /** Every sandbox and container of the pod's UID that the runtime knows. */
  sandboxes: readonly Sandbox[];
  containers: readonly Container[];
  /** Sandboxes whose network has been taken down by a stop that returned. */
  stoppedSandboxes: ReadonlySet<string>;
  sandboxFailure: Failure | undefined;
  volumes: VolumeState;
  /** By container name. */
  images: ReadonlyMap<string, ImageState>;
  /** By container name: why it could not be created or started. */
  startFailures: ReadonlyMap<string, Failure>;
  backoffs: ReadonlyMap<string, CrashBackoff>;
  /** By container ID: the resources that the runtime was told last; of what an earlier agent started, maybe none. */
  applied: ReadonlyMap<string, ResourceRequirements>;
  /** By container ID: why it could not be given other resources. */
  resizeFailures: ReadonlyMap<string, Failure>;
  /** Why the pod keeps the resources that it has although its spec asks for others; `pod` shows those it has. */
  resizePending: ResizePending | undefined;
  /** Latest result of a probe of a container ID; undefined: none yet. */
  probe(containerId: string, kind: ProbeKind): ProbeOutcome | undefined;
  /** What the readiness or startup probe of a container ID last complained about. */
  probeMessage(containerId: string): string | undefined;
  /** What a container wrote as its last words, by container ID. */
  terminationMessages: ReadonlyMap<string, string>;
  /** By container ID: running containers whose end has begun. */
  stopping: ReadonlyMap<string, Stopping>;
  /** Keys of actions under way. */
  busy: ReadonlySet<string>;
  ending: Ending | undefined;
  /** The node's admission refused it. */
  rejection: { reason: string; message: string } | undefined;
  eviction: Eviction | undefined;
  /** The node needs the space that the pod still takes in the runtime when it is over: its logs go too. */
  reclaimed: boolean;
  /** All that was in the runtime has been removed. */
  removed: boolean;
  /** Its object's deletion has been asked for; finalizers may hold it. */
  objectDeleted: boolean;
  /** Why no container counts as ready whatever it does; only on simulated nodes. */
  heldUnready: string | undefined;
  /** The runtime's, for the IDs of containers in the status. */
  runtimeName: string;
  nodeIps: readonly string[];
  now: number;
}

/** What the steps of stopping a container have in common. */
export interface StopStep {
  container: string;
  id: string;
  /** What is left of the grace period, and when it ends. */
  graceSeconds: number;
  deadlineMs: number;
  /** What the Killing event says. */
  message: string;
}

/** One thing to do. Two actions of one key never run at the same time. */
export type Action =
  | { type: 'runSandbox'; key: string; attempt: number; replaced: string[] }
  | { type: 'stopSandbox'; key: string; id: string }
  | { type: 'setUpVolumes'; key: string }
  | { type: 'tearDownVolumes'; key: string }
  | { type: 'ensureImage'; key: string; container: string; mayPull: boolean }
  | {
      type: 'startContainer';
      key: string;
      container: string;
      attempt: number;
      sandboxId: string;
      image: Image;
      backoff: CrashBackoff | undefined;
    }
  /** Says that the container is being stopped, and runs its preStop hook, if it has one. */
  | ({ type: 'beginStop'; key: string } & StopStep)
  /** Sends the stop signal, and KILL when the grace period is over. */
  | ({ type: 'stopContainer'; key: string } & StopStep)
  /** Has been signalled, and now has less time than the runtime was told. */
  | ({ type: 'stopSooner'; key: string } & StopStep)
  | { type: 'resizeContainer'; key: string; container: string; id: string }
  | { type: 'removeContainer'; key: string; id: string }
  | { type: 'removeAll'; key: string }
  | { type: 'deleteObject'; key: string };

export interface PodPlan {
  actions: Action[];
  status: PodStatus;
  /** Its containers are being stopped: only their readiness is still probed. */
  terminating: boolean;
  /** Look again then, even if nothing happens. */
  wakeAtMs?: number;
}
