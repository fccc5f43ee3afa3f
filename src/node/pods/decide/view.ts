// Questions asked of a pod's spec and of what the runtime has of it: which container is the newest of its name,
// is it in the current sandbox, may it be restarted. Pure; shared by the plan and the status.
import type {
  Container as ContainerSpec,
  ContainerStatus,
  EphemeralContainer,
  Pod,
} from '../../../api/generated/types.ts';
import type { Container, Sandbox } from '../../runtime.ts';
import type { PodObservation } from './observation.ts';

export interface PodView {
  /** The newest sandbox, whatever its state. */
  sandbox: Sandbox | undefined;
  /** The newest sandbox if containers can run in it. */
  usable: Sandbox | undefined;
  /** By container name, newest first. */
  history: ReadonlyMap<string, readonly Container[]>;
  /** Newest container of a name. */
  newest(name: string): Container | undefined;
  /** The same, only if it belongs to the usable sandbox. */
  current(name: string): Container | undefined;
}

export function viewOf(observed: PodObservation): PodView {
  const sandbox = observed.sandboxes.reduce<Sandbox | undefined>(
    (best, candidate) => (best === undefined || candidate.attempt > best.attempt ? candidate : best),
    undefined,
  );
  const hostNetwork = observed.pod.spec.hostNetwork === true;
  const usable = sandbox?.ready && (hostNetwork || sandbox.ips.length > 0) ? sandbox : undefined;
  const history = new Map<string, Container[]>();
  for (const container of observed.containers) {
    const of = history.get(container.name);
    if (of === undefined) history.set(container.name, [container]);
    else of.push(container);
  }
  for (const of of history.values()) {
    of.sort((a, b) => b.attempt - a.attempt || b.createdAtMs - a.createdAtMs);
  }
  const newest = (name: string): Container | undefined => history.get(name)?.[0];
  return {
    sandbox,
    usable,
    history,
    newest,
    current(name) {
      const container = newest(name);
      return usable !== undefined && container?.sandboxId === usable.id ? container : undefined;
    },
  };
}

export function restartPolicyOf(pod: Pod): 'Always' | 'OnFailure' | 'Never' {
  const policy = pod.spec.restartPolicy;
  return policy === 'OnFailure' || policy === 'Never' ? policy : 'Always';
}

/**
 * Whether a container that has ended with an exit code runs again: as its own rules say, its own policy, or the pod's
 * (ContainerShouldRestart upstream).
 */
export function restartsAfter(pod: Pod, spec: ContainerSpec, exitCode: number): boolean {
  const { restartPolicy, restartPolicyRules = [] } = spec;
  const rule = restartPolicyRules.find(({ exitCodes }) => {
    const isIn = exitCodes?.values?.includes(exitCode) === true;
    return exitCodes !== undefined && (exitCodes.operator === 'NotIn' ? !isIn : isIn);
  });
  if (rule !== undefined) return true;
  const policy = restartPolicy ?? restartPolicyOf(pod);
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

/** Whether an app container that is as `newest` says has to be started (kubelet's ShouldContainerBeRestarted). */
export function shouldStart(pod: Pod, spec: ContainerSpec, newest: Container | undefined): boolean {
  if (newest === undefined || newest.state !== 'exited') return newest?.state !== 'running';
  return restartsAfter(pod, spec, newest.exitCode);
}

/** How long a container of the pod has to end, when nothing says otherwise. */
export function graceSecondsOf(pod: Pod): number {
  return pod.spec.terminationGracePeriodSeconds ?? 30;
}

/** What the API has of every container of the pod. */
export function reportedStatuses({ status }: Pod): ContainerStatus[] {
  const {
    containerStatuses = [],
    ephemeralContainerStatuses = [],
    initContainerStatuses = [],
  } = status ?? {};
  return [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses];
}

/** Label of a container in the runtime: the image that its spec asked for when it was made. */
export const LABEL_IMAGE = 'stead.dev/image';

/**
 * Whether a container was made for another image than its spec asks for now. One that does not say (made by an
 * earlier agent) is left to run.
 */
export function hasOtherImage(spec: ContainerSpec, container: Container): boolean {
  const image = container.labels[LABEL_IMAGE];
  return image !== undefined && image !== spec.image;
}

/** Init and app containers of the spec, in the order in which they start. */
export function allContainers(pod: Pod): ContainerSpec[] {
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
}

/** From how many containers on a look on a pod, and a write of its status, is followed by a rest. */
const MANY_CONTAINERS = 100;

/** Whether all that is done for the pod takes noticeable time because of its size alone. */
export function isLarge({ spec }: Pod): boolean {
  return spec.containers.length + (spec.initContainers?.length ?? 0) >= MANY_CONTAINERS;
}

/** Containers that were put into the pod to look into it. */
export function ephemeralContainers(pod: Pod): EphemeralContainer[] {
  return pod.spec.ephemeralContainers ?? [];
}

/** Every container of the spec, whatever it is for. */
export function everyContainer(pod: Pod): ContainerSpec[] {
  return [...allContainers(pod), ...ephemeralContainers(pod)];
}

/** Whether a container counts as started: it runs, and its startup probe, if it has one, has succeeded. */
export function hasStarted(
  observed: PodObservation,
  spec: ContainerSpec,
  container: Container | undefined,
): boolean {
  if (container?.state !== 'running') return false;
  return spec.startupProbe === undefined || observed.probe(container.id, 'startup') === 'success';
}

/** `nginx-0_default(<uid>)`: how upstream names a pod in messages. */
export function describePod(pod: Pod): string {
  const { name, namespace, uid } = pod.metadata;
  return `${name}_${namespace}(${uid})`;
}
