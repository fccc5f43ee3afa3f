// Creates and starts one container of a pod: resolves its configuration, makes its files, runs postStart (kubelet's
// startContainer). Whether and when is the plan's decision.
import { isNotFound } from '../../../api/errors.ts';
import type { ConfigMap, Container, Pod, Secret } from '../../../api/generated/types.ts';
import type { Stored } from '../../../api/objects.ts';
import { configMaps } from '../../../api/resources/config-maps/definition.ts';
import { secrets } from '../../../api/resources/secrets/definition.ts';
import { errorText } from '../../../base/error-text.ts';
import type { ContainerMount, Image, Sandbox, SandboxSpec } from '../../runtime.ts';
import type { ReadyVolume } from '../../volumes/volumes.ts';
import { graceSecondsOf } from '../decide/view.ts';
import { containerSpecOf } from '../spec/container-spec.ts';
import { ContainerConfigError, type EnvironmentSources, environmentOf } from '../spec/environment.ts';
import { hostNetworkHostsFile, hostsFile } from '../spec/names.ts';
import { volumeMounts } from '../spec/volume-mounts.ts';
import { runHook } from './hooks.ts';
import type { NodeServices } from './node-services.ts';

/** A change of the rules takes milliseconds; nft that fails is tried again meanwhile. */
const ISOLATION_PATIENCE_MS = 20_000;

/** A container that could not be created or started, as its status says it. */
export class ContainerStartError extends Error {
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface StartOrder {
  container: Container;
  attempt: number;
  image: Image;
  sandbox: Sandbox;
  sandboxSpec: SandboxSpec;
  volumes: ReadonlyMap<string, ReadyVolume>;
  /** The container whose processes this one is to see; its ID while it runs. */
  target: { name: string; id: string | undefined } | undefined;
  /** Aborted when the pod is to end: its postStart hook is not waited for any more. */
  signal: AbortSignal;
  /** Told as soon as the runtime knows the container, before it runs. */
  created(id: string): void;
  /** Told when it runs, before postStart. */
  started(id: string): Promise<void>;
}

/** @throws ContainerStartError */
export async function startContainer(
  services: NodeServices,
  pod: Stored<Pod>,
  order: StartOrder,
): Promise<void> {
  const { container, sandbox, sandboxSpec } = order;
  const { events, runtime } = services;
  const { name } = container;
  const podIps = sandboxSpec.hostNetwork ? services.nodeIps : sandbox.ips;
  const failed = (reason: string, error: unknown): ContainerStartError => {
    const message = errorText(error);
    events.record(pod, { type: 'Warning', reason: 'Failed', message: `Error: ${message}`, container: name });
    return new ContainerStartError(reason, message);
  };
  const spec = await prepare(services, pod, order, podIps).catch((error: unknown) => {
    throw failed(error instanceof ContainerConfigError ? error.reason : 'CreateContainerConfigError', error);
  });
  // Nothing of the pod runs before it is protected, and its own first packet is not too early.
  if (!sandboxSpec.hostNetwork) {
    await isolated(services, pod, podIps, order.signal).catch((error: unknown) => {
      const reason = 'NetworkPolicyNotInForce';
      throw order.signal.aborted ? new ContainerStartError(reason, errorText(error)) : failed(reason, error);
    });
  }
  let id: string;
  try {
    // One that came later may be privileged in a sandbox that was made for none.
    const surroundings = spec.security.privileged ? { ...sandboxSpec, privileged: true } : sandboxSpec;
    id = await runtime.createContainer(sandbox, surroundings, spec);
  } catch (error) {
    throw failed('CreateContainerError', error);
  }
  order.created(id);
  events.record(pod, { type: 'Normal', reason: 'Created', message: 'Container created', container: name });
  try {
    await runtime.startContainer(id);
  } catch (error) {
    throw failed('RunContainerError', error);
  }
  events.record(pod, { type: 'Normal', reason: 'Started', message: 'Container started', container: name });
  await order.started(id);
  const handler = container.lifecycle?.postStart;
  if (handler === undefined) return;
  const { signal } = order;
  const podIp = podIps[0] ?? '';
  const failure = await runHook(services, { pod, container, containerId: id, podIp, handler, signal });
  if (failure === undefined || signal.aborted) return;
  events.record(pod, {
    type: 'Warning',
    reason: 'FailedPostStartHook',
    message: `PostStartHook failed: ${failure}`,
    container: name,
  });
  await runtime.stopContainer(id, graceSecondsOf(pod));
  throw new ContainerStartError('PostStartHookError', `PostStartHook failed: ${failure}`);
}

/** @throws Error if policies are not in force for the pod in time, or its start is given up. */
async function isolated(
  { clock, isolation }: NodeServices,
  pod: Stored<Pod>,
  podIps: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  if (!isolation) return;
  const late = new AbortController();
  const cancel = clock.after(ISOLATION_PATIENCE_MS, () => late.abort());
  await isolation.inForce(pod, podIps, AbortSignal.any([signal, late.signal])).finally(cancel);
}

async function prepare(
  services: NodeServices,
  pod: Stored<Pod>,
  order: StartOrder,
  podIps: readonly string[],
): Promise<ReturnType<typeof containerSpecOf>> {
  const { container, target } = order;
  if (target && !target.id) {
    throw new ContainerConfigError(`unable to find target container ${target.name}: it does not run`);
  }
  const environment = await environmentOf(
    pod,
    container,
    { podIps, nodeIps: services.nodeIps, nodeName: services.nodeName, allocatable: services.machine },
    sourcesOf(services, pod.metadata.namespace),
  );
  const mounts = [
    ...(await volumeMounts(services.volumes, pod.metadata.uid, container, order.volumes, environment)),
    ...(await ownMounts(services, pod, order, podIps)),
  ];
  return containerSpecOf(pod, container, {
    attempt: order.attempt,
    image: services.imageUser ? { ...order.image, user: services.imageUser(pod) } : order.image,
    targetContainerId: target?.id,
    environment,
    mounts,
    machineMemoryBytes: services.machine.memoryBytes,
    seccompDirectory: services.seccompDirectory,
  });
}

async function ownMounts(
  services: NodeServices,
  pod: Stored<Pod>,
  order: StartOrder,
  podIps: readonly string[],
): Promise<ContainerMount[]> {
  const { container } = order;
  const mounts: ContainerMount[] = [];
  const add = (hostPath: string | undefined, containerPath: string): void => {
    const taken = container.volumeMounts?.some((mount) => mount.mountPath === containerPath) === true;
    if (hostPath !== undefined && !taken) {
      mounts.push({ hostPath, containerPath, readOnly: false, propagation: 'private' });
    }
  };
  const uid = pod.metadata.uid;
  const { files } = services;
  const hosts = pod.spec.hostNetwork
    ? hostNetworkHostsFile(pod, await files.machineHosts())
    : hostsFile(pod, podIps, services.clusterDns?.domain ?? 'cluster.local');
  add(await files.hosts(uid, hosts), '/etc/hosts');
  const terminationPath = container.terminationMessagePath ?? '/dev/termination-log';
  add(await files.terminationLog(uid, container.name, order.attempt), terminationPath);
  return mounts;
}

/** Reads from the API when a container starts, as it is then. */
function sourcesOf(services: NodeServices, namespace: string | undefined): EnvironmentSources {
  const orUndefined = (error: unknown): undefined => {
    if (isNotFound(error)) return undefined;
    throw error;
  };
  const { client, clusterServices } = services;
  return {
    async services() {
      await clusterServices.synced();
      return [...clusterServices.list('default'), ...clusterServices.list(namespace)];
    },
    configMap: (name) => client.get<ConfigMap>(configMaps, { namespace, name }).catch(orUndefined),
    secret: (name) => client.get<Secret>(secrets, { namespace, name }).catch(orUndefined),
  };
}
