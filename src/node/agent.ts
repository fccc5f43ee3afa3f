// The node agent: takes the pods that are bound to this node, gives each a worker, keeps the Node object and its
// lease, rotates logs, and offers streams. It ends without stopping a container: the next one adopts them.

import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { NodeStreams } from '../api/between/node-streams.ts';
import type { PodIsolation } from '../api/between/pod-isolation.ts';
import type { ObjectReference, Pod } from '../api/generated/types.ts';
import { pods } from '../api/resources/pods/definition.ts';
import { services } from '../api/resources/services/definition.ts';
import { aborted } from '../base/abort.ts';
import { sleep } from '../base/clock.ts';
import { present } from '../base/present.ts';
import { createRecorder } from '../client/events.ts';
import type { RunContext } from '../client/run-context.ts';
import { rotateLogs } from './logs/rotate.ts';
import { nodeStreams } from './logs/streams.ts';
import { sysctlAllowlist } from './pods/decide/sysctls.ts';
import type { NetworkChecks, NodeServices } from './pods/do/node-services.ts';
import { containerFieldPath } from './pods/do/pod-events.ts';
import { type PodFiles, podFiles } from './pods/do/pod-files.ts';
import { PodManager } from './pods/do/pod-manager.ts';
import { refreshAll } from './pods/do/volume-refresh.ts';
import { type ClusterDns, parseResolvConf, type ResolvConf } from './pods/spec/names.ts';
import { PressureManager, type PressureOptions } from './pressure/manager.ts';
import { networkChecks } from './probes/network-checks.ts';
import type { ImageUser, Runtime } from './runtime.ts';
import type { MachineFacts } from './status/machine-facts.ts';
import { runNodeStatus } from './status/node-status.ts';
import type { PodVolumes } from './volumes/volumes.ts';

export interface NodeAgentOptions {
  nodeName: string;
  nodeIps: readonly string[];
  runtime: Runtime;
  volumes: PodVolumes;
  clusterDns: ClusterDns | undefined;
  /** Holds the agent's own files of pods (`pod-files/`) and seccomp profiles (`seccomp/`). */
  dataDirectory: string;
  logDirectory: string;
  /** Told on the Node object (`stead.dev/volume-directory`), for the provisioner. */
  volumeDirectory: string;
  /** The version of stead, as the node reports it. */
  version: string;
  /** What the node offers; left out: what the machine has, and 110 pods. */
  capacity?: NodeCapacity;
  /** Who protects pods by NetworkPolicies; left out: nobody does, and none waits for it. */
  isolation?: PodIsolation;
  /** Which disks are watched, and when pods are evicted for them; left out: none. */
  pressure?: PressureOptions;
  /** Replaced for simulated nodes, which touch neither disk nor network. */
  facts?: MachineFacts;
  files?: PodFiles;
  checks?: NetworkChecks;
  heldUnready?(pod: Pod): string | undefined;
  imageUser?(pod: Pod): ImageUser;
  /** Kernel parameters that pods may set besides the safe ones: names, or beginnings that end in `*`. */
  allowedUnsafeSysctls?: readonly string[];
}

export interface NodeCapacity {
  cpuCores: number;
  memoryBytes: number;
  pods: number;
}

export interface NodeAgent {
  /** Runs until the context's signal; rejects if the runtime cannot be reached at the start. */
  run(): Promise<void>;
  streams: NodeStreams;
  /** Stops pods that no controller owns and leaves their objects, so that they start again with the node. */
  stopAllPods(): Promise<void>;
}

const RELIST_MS = 30_000;
const REFRESH_MS = 30_000;
const ROTATE_MS = 10_000;
const DEFAULT_PODS = 110;

export function createNodeAgent(context: RunContext, options: NodeAgentOptions): NodeAgent {
  const capacity = options.capacity ?? {
    cpuCores: cpus().length,
    memoryBytes: totalmem(),
    pods: DEFAULT_PODS,
  };
  const nodeServices = servicesOf(context, options, capacity);
  const manager = new PodManager(nodeServices);
  const pressure =
    options.pressure && pressureManager(context, options, options.pressure, nodeServices, manager);
  if (pressure) nodeServices.pressure = pressure;
  return {
    run: () => run(context, options, capacity, nodeServices, manager, pressure),
    streams: nodeStreams(nodeServices, manager),
    stopAllPods: () => manager.stopUncontrolled(),
  };
}

function servicesOf(context: RunContext, options: NodeAgentOptions, capacity: NodeCapacity): NodeServices {
  const { client, clock, informers, log } = context;
  const recorder = createRecorder(context, 'kubelet', options.nodeName);
  return {
    runtime: options.runtime,
    volumes: options.volumes,
    files: options.files ?? podFiles(options.dataDirectory),
    checks: options.checks ?? networkChecks(clock),
    heldUnready: options.heldUnready,
    imageUser: options.imageUser,
    isolation: options.isolation,
    client,
    clusterServices: informers.of(services),
    appArmor: options.facts !== undefined || enforcesAppArmor(),
    sysctls: sysctlAllowlist(options.facts?.kernelVersion ?? release(), options.allowedUnsafeSysctls ?? []),
    clock,
    log,
    events: {
      record: (pod, event) =>
        recorder.event(aboutOf(pod, event.container), event.type, event.reason, event.message),
    },
    nodeName: options.nodeName,
    nodeIps: options.nodeIps,
    clusterDns: options.clusterDns,
    hostDns: NO_DNS,
    logDirectory: options.logDirectory,
    seccompDirectory: join(options.dataDirectory, 'seccomp'),
    machine: { cpuCores: capacity.cpuCores, memoryBytes: capacity.memoryBytes },
  };
}

function enforcesAppArmor(): boolean {
  const file = '/sys/module/apparmor/parameters/enabled';
  return existsSync(file) && readFileSync(file, 'utf8').startsWith('Y');
}

function pressureManager(
  context: RunContext,
  options: NodeAgentOptions,
  rules: PressureOptions,
  nodeServices: NodeServices,
  manager: PodManager,
): PressureManager {
  const { clock, log, metrics, signal } = context;
  const { dataDirectory, logDirectory, nodeName, runtime } = options;
  const recorder = createRecorder(context, 'kubelet', nodeName);
  const node = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeName };
  return new PressureManager(rules, {
    clock,
    log,
    metrics,
    signal,
    runtime,
    nodeName,
    dataDirectory,
    logDirectory,
    pods: () => manager.workers(),
    recordPodEvent: (pod, event) => nodeServices.events.record(pod, event),
    recordNodeEvent: (type, reason, message) => recorder.event(node, type, reason, message),
  });
}

const NO_DNS: ResolvConf = { servers: [], searches: [], options: [] };

function aboutOf(pod: Pod, container: string | undefined): ObjectReference {
  const { namespace, name = '', uid, resourceVersion } = pod.metadata;
  const fieldPath = container === undefined ? undefined : containerFieldPath(pod, container);
  return present({ apiVersion: 'v1', kind: 'Pod', namespace, name, uid, resourceVersion, fieldPath });
}

async function run(
  context: RunContext,
  options: NodeAgentOptions,
  capacity: NodeCapacity,
  nodeServices: NodeServices,
  manager: PodManager,
  pressure: PressureManager | undefined,
): Promise<void> {
  const { informers, log, signal } = context;
  const { nodeName, runtime } = options;
  nodeServices.hostDns = await hostDns(options);
  // First what runs, then what should: whatever runs and is not in the list that follows is an orphan.
  await manager.adopt();
  if (pressure) nodeServices.machine.storageBytes = pressure.allocatable(await pressure.look());
  const unlisten = runtime.onChange((uid) => manager.runtimeChanged(uid));
  const informer = informers.of(pods, { fieldSelector: `spec.nodeName=${nodeName}` });
  const { storageBytes } = nodeServices.machine;
  const status = runNodeStatus(context, options, { ...capacity, storageBytes }, pressure);
  const unsubscribe = informer.subscribe({
    added: (pod) => manager.update(pod),
    updated: (pod) => manager.update(pod),
    deleted: (pod) => manager.remove(pod),
  });
  await Promise.race([informer.synced(), aborted(signal)]);
  if (!signal.aborted) {
    const known = new Set(informer.list().map((pod) => pod.metadata.uid));
    await manager
      .sweep((uid) => known.has(uid))
      .catch((error: unknown) => log.error('sweeping failed', error));
  }
  const background = [
    every(context, RELIST_MS, () => manager.relist()),
    every(context, REFRESH_MS, () => refreshAll(manager.workers(), context.clock)),
    every(context, ROTATE_MS, () => rotateLogs(nodeServices, manager)),
    ...(pressure ? [pressure.run()] : []),
    status,
  ];
  await Promise.race([Promise.all(background), aborted(signal)]);
  unsubscribe();
  unlisten();
  await manager.close();
  await Promise.all(background);
}

/** Repeats until the context's signal; a failure does not end it, and is logged when it is not that of the last time. */
async function every(context: RunContext, periodMs: number, work: () => Promise<void>): Promise<void> {
  const { clock, log, signal } = context;
  let said: string | undefined;
  for (;;) {
    await sleep(clock, periodMs, signal);
    if (signal.aborted) return;
    try {
      await work();
      said = undefined;
    } catch (error) {
      if (said !== String(error)) log.error('a periodic task of the node failed, trying again', error);
      said = String(error);
    }
  }
}

/** The machine's own resolv.conf, for pods that do not use the cluster's DNS. */
async function hostDns(options: NodeAgentOptions): Promise<ResolvConf> {
  if (options.files !== undefined) return NO_DNS;
  try {
    return parseResolvConf(await readFile('/etc/resolv.conf', 'utf8'));
  } catch {
    return NO_DNS;
  }
}
