// The Node object and its lease: registers the node, says what it offers and how it is, and renews the lease every
// 10 s so that the others know it lives (kubelet nodestatus/setters.go and component-helpers node lease).

import { VOLUME_DIRECTORY } from '../../api/between/local-volumes.ts';
import { conditionOf } from '../../api/conditions.ts';
import { isAlreadyExists, isConflict, orUndefined } from '../../api/errors.ts';
import type { Lease, Node, NodeAddress, NodeCondition, NodeStatus } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { leases } from '../../api/resources/leases/definition.ts';
import { nodes } from '../../api/resources/nodes/definition.ts';
import { microTimestamp, sleep, timestamp } from '../../base/clock.ts';
import type { RunContext } from '../../client/run-context.ts';
import type { Runtime, RuntimeInfo } from '../runtime.ts';
import { nodeConditions } from './conditions.ts';
import { type MachineFacts, machineFacts } from './machine-facts.ts';

export interface NodeStatusOptions {
  nodeName: string;
  /** One of each family that pods have. */
  nodeIps: readonly string[];
  runtime: Runtime;
  volumeDirectory: string;
  version: string;
  /** Whose disk pods use. */
  dataDirectory: string;
  /** Left out: read from this machine. */
  facts?: MachineFacts;
}

/** What the node has; of the disk, what pods may request, if not all of it. */
export interface Offered {
  cpuCores: number;
  memoryBytes: number;
  pods: number;
  storageBytes?: number | undefined;
}

/** Whether the node is short of disk, which is told at once. */
export interface DiskWatch {
  readonly diskPressure: boolean;
  /** Resolves when it is another. */
  readonly change: Promise<void>;
}

const LEASE_SECONDS = 40;
const RENEW_MS = 10_000;
/** The status is written when it changes, and this often anyway. */
const REPORT_MS = 300_000;
/** How soon what failed is tried again at first; at most as long as a renewal. */
const RETRY_MS = 500;
const LEASE_NAMESPACE = 'kube-node-lease';

/** Keeps both until the context's signal. What fails is tried again, later each time; the same is logged once. */
export async function runNodeStatus(
  context: RunContext,
  options: NodeStatusOptions,
  capacity: Offered,
  disk: DiskWatch | undefined,
): Promise<void> {
  const { clock, log, signal } = context;
  const facts = options.facts ?? (await machineFacts(options.dataDirectory));
  let reportedAt = 0;
  let reported: Health | undefined;
  let said: string | undefined;
  let retryMs: number | undefined;
  while (!signal.aborted) {
    let delay = RENEW_MS;
    const change = disk?.change;
    try {
      const info = await options.runtime.info().catch(() => undefined);
      const health = { ready: info !== undefined, diskPressure: disk?.diskPressure ?? false };
      const due = clock.now() - reportedAt >= REPORT_MS || !sameHealth(reported, health);
      if (due || !(await isReported(context, options, health))) {
        await report(context, options, capacity, facts, info, health.diskPressure);
        reportedAt = clock.now();
        reported = health;
      }
      await renewLease(context, options);
      said = undefined;
      retryMs = undefined;
    } catch (error) {
      if (!isConflict(error) && !signal.aborted && said !== String(error)) {
        log.error('reporting the node failed, trying again', error);
        said = String(error);
      }
      retryMs = Math.min(2 * (retryMs ?? RETRY_MS / 2), RENEW_MS);
      delay = retryMs;
    }
    await Promise.race([sleep(clock, delay, signal), ...(change !== undefined ? [change] : [])]);
  }
}

/** What the conditions say that may change at any time. */
interface Health {
  ready: boolean;
  diskPressure: boolean;
}

function sameHealth(a: Health | undefined, b: Health): boolean {
  return a?.ready === b.ready && a.diskPressure === b.diskPressure;
}

/** Whether the API has the node, and says of it what this agent would: not, after a silence, that it is Unknown. */
async function isReported(context: RunContext, options: NodeStatusOptions, health: Health): Promise<boolean> {
  const node = await orUndefined(context.client.get(nodes, { name: options.nodeName }));
  const says = (wanted: string, value: boolean): boolean =>
    conditionOf(node, wanted)?.status === (value ? 'True' : 'False');
  return says('Ready', health.ready) && says('DiskPressure', health.diskPressure);
}

function labelsOf(nodeName: string, facts: MachineFacts): Record<string, string> {
  return {
    'kubernetes.io/hostname': nodeName,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': facts.architecture,
    'beta.kubernetes.io/os': 'linux',
    'beta.kubernetes.io/arch': facts.architecture,
  };
}

/** Creates or brings up to date the object, then its status. */
async function report(
  context: RunContext,
  options: NodeStatusOptions,
  capacity: Offered,
  facts: MachineFacts,
  info: RuntimeInfo | undefined,
  diskPressure: boolean,
): Promise<void> {
  const { client, clock } = context;
  const { nodeName, volumeDirectory } = options;
  const labels = labelsOf(nodeName, facts);
  const annotations = { [VOLUME_DIRECTORY]: volumeDirectory };
  let node = await orUndefined(client.get(nodes, { name: nodeName }));
  if (node === undefined) {
    const fresh: Node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: nodeName, labels, annotations },
      spec: {},
    };
    node = await client.create(nodes, fresh).catch((error: unknown) => {
      if (isAlreadyExists(error)) return client.get(nodes, { name: nodeName });
      throw error;
    });
  } else if (!hasAll(node.metadata.labels, labels) || !hasAll(node.metadata.annotations, annotations)) {
    const body = { metadata: { labels, annotations } };
    node = await client.patch(nodes, { name: nodeName }, { type: 'merge', body });
  }
  const status = statusOf(node, options, capacity, facts, info, diskPressure, clock.now());
  // As the kubelet: what others write meanwhile, first of all the taints of a node that is new, is no conflict.
  await client.patch(
    nodes,
    { name: nodeName },
    { type: 'strategic', body: { status: { ...status, addresses: replacing(status.addresses ?? []) } } },
    { subresource: 'status' },
  );
}

/** In a strategic patch there is one address of each type, unless the list stands for all (fixupPatchForNodeStatusAddresses). */
const replacing = (addresses: readonly NodeAddress[]): unknown[] => [...addresses, { $patch: 'replace' }];

function hasAll(map: Record<string, string> | undefined, wanted: Record<string, string>): boolean {
  return Object.entries(wanted).every(([key, value]) => map?.[key] === value);
}

function statusOf(
  node: Stored<Node>,
  options: NodeStatusOptions,
  capacity: Offered,
  facts: MachineFacts,
  info: RuntimeInfo | undefined,
  diskPressure: boolean,
  now: number,
): NodeStatus {
  const offered = {
    cpu: String(capacity.cpuCores),
    memory: `${Math.floor(capacity.memoryBytes / 1024)}Ki`,
    pods: String(capacity.pods),
    'ephemeral-storage': `${Math.floor(facts.diskBytes / 1024)}Ki`,
  };
  const old: NodeCondition[] = node.status?.conditions ?? [];
  return {
    capacity: offered,
    allocatable: { ...offered, ...allocatableStorage(capacity) },
    addresses: [
      ...options.nodeIps.map((address) => ({ type: 'InternalIP', address })),
      { type: 'Hostname', address: options.nodeName },
    ],
    conditions: nodeConditions(old, info !== undefined, diskPressure, timestamp(now)),
    nodeInfo: {
      architecture: facts.architecture,
      bootID: facts.bootId,
      containerRuntimeVersion: info ? `${info.name}://${info.version}` : 'unknown',
      kernelVersion: facts.kernelVersion,
      kubeProxyVersion: '',
      kubeletVersion: `v${options.version}`,
      machineID: facts.machineId,
      operatingSystem: 'linux',
      osImage: facts.osImage,
      systemUUID: facts.machineId,
    },
  };
}

/** In bytes, as upstream. */
function allocatableStorage({ storageBytes }: Offered): Record<string, string> {
  return storageBytes === undefined ? {} : { 'ephemeral-storage': String(Math.floor(storageBytes)) };
}

async function renewLease(context: RunContext, options: NodeStatusOptions): Promise<void> {
  const { client, clock } = context;
  const { nodeName } = options;
  const key = { namespace: LEASE_NAMESPACE, name: nodeName };
  const renewTime = microTimestamp(clock.now());
  const spec = { holderIdentity: nodeName, leaseDurationSeconds: LEASE_SECONDS, renewTime };
  const lease = await orUndefined(client.get(leases, key));
  if (lease !== undefined) {
    await client.update(leases, { ...lease, spec: { ...lease.spec, ...spec } });
    return;
  }
  const fresh: Lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: key, spec };
  await client.create(leases, fresh);
}
