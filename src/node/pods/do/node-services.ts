// What every pod worker of a node shares: the runtime, the volumes, the API, the clock, and where this node is.

import type { PodIsolation } from '../../../api/between/pod-isolation.ts';
import type { Pod, Service } from '../../../api/generated/types.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Log } from '../../../base/log.ts';
import type { Client } from '../../../client/client.ts';
import type { Informer } from '../../../client/informers.ts';
import type { ImageUser, Runtime } from '../../runtime.ts';
import type { PodVolumes } from '../../volumes/volumes.ts';
import type { SysctlAllowlist } from '../decide/sysctls.ts';
import type { ClusterDns, ResolvConf } from '../spec/names.ts';
import type { PodEvents } from './pod-events.ts';
import type { PodFiles } from './pod-files.ts';

export interface NodeServices {
  runtime: Runtime;
  volumes: PodVolumes;
  files: PodFiles;
  client: Client;
  /** Where Services are, for the environment of containers. */
  clusterServices: Pick<Informer<Service>, 'list' | 'synced'>;
  /** Whether the machine's kernel enforces AppArmor profiles. */
  appArmor: boolean;
  /** Which kernel parameters pods may set. */
  sysctls: SysctlAllowlist;
  clock: Clock;
  log: Log;
  events: PodEvents;
  nodeName: string;
  nodeIps: readonly string[];
  clusterDns: ClusterDns | undefined;
  hostDns: ResolvConf;
  logDirectory: string;
  seccompDirectory: string;
  /** What the node has to give; without a number of storage bytes, pods' requests for it are not counted. */
  machine: { cpuCores: number; memoryBytes: number; storageBytes?: number | undefined };
  /** Keeps pods away while the node is short of disk; simulated nodes never are. */
  pressure?: { rejectionOf(pod: Pod): { reason: string; message: string } | undefined };
  /** Runs HTTP, TCP and gRPC checks; simulated nodes answer without a network. */
  checks: NetworkChecks;
  /** On simulated nodes: why the pod's containers are to count as not ready, if they are. */
  heldUnready: ((pod: Pod) => string | undefined) | undefined;
  /** Who protects pods by NetworkPolicies, if anybody does. */
  isolation: PodIsolation | undefined;
  /** On simulated nodes: whom the pod's images ask to be run as. */
  imageUser: ((pod: Pod) => ImageUser) | undefined;
}

export interface CheckResult {
  ok: boolean;
  /** What to say when it is not: `HTTP probe failed with statuscode: 503`. */
  message: string;
  /** What to say although it is. */
  warning?: string;
  /** The check itself went wrong, which says nothing of the container: what upstream calls its state. */
  errored?: 'unknown' | 'failure';
}

export interface HttpCheck {
  /** A probe asks whether all is well; to a lifecycle hook every answer is as good. */
  purpose: 'probe' | 'lifecycle';
  scheme: 'HTTP' | 'HTTPS';
  host: string;
  port: number;
  path: string;
  headers: Array<{ name: string; value: string }>;
}

/** Checks from the node's own network. They never reject; `timeoutMs` ends them as failed. */
export interface NetworkChecks {
  http(check: HttpCheck, timeoutMs: number): Promise<CheckResult>;
  tcp(host: string, port: number, timeoutMs: number): Promise<CheckResult>;
  grpc(host: string, port: number, service: string, timeoutMs: number): Promise<CheckResult>;
}
