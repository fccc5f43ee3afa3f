// What the cluster needs of whatever its pods run on, real machine or simulated ones, and how the API server's
// streams find the node of a pod.

import type { NodeStreams } from '../../api/between/node-streams.ts';
import type { ConnectHandler } from '../../apiserver/connect.ts';
import type { User } from '../../apiserver/request.ts';
import type { Clock, Random } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Client } from '../../client/client.ts';
import type { Informers } from '../../client/informers.ts';
import type { Paths } from '../disk/paths.ts';
import type { ProcessInfo } from '../process/control-socket.ts';

/** What nodes are started with. */
export interface NodeHost {
  paths: Paths;
  clock: Clock;
  random: Random;
  log: Log;
  /** A client that acts as a user. */
  as(user: User): Client;
  /** Of everything, as the controllers share them. */
  informers: Informers;
  metrics: Metrics;
  /** The cluster's DNS domain. */
  domain: string;
  /** The addresses of Services, in CIDR notation. */
  serviceCidr: string;
  /** Kernel parameters that pods may set besides the safe ones. */
  allowedUnsafeSysctls: readonly string[];
  /** Resolvers for names outside the cluster; without any, the machine's own. */
  dnsForward: readonly string[];
}

export interface Nodes {
  describe(): Pick<ProcessInfo, 'dns' | 'podCidr' | 'services' | 'policies' | 'volumes'>;
  /** The streams into the pods of a node; undefined if there is no such node here. */
  streams(nodeName: string): NodeStreams | undefined;
  loadImage(file: string, signal: AbortSignal): Promise<string[]>;
  listImages(): Promise<Array<{ names: string[]; id: string; sizeBytes: number }>>;
  /** What /metrics says of them, beside the numbers of this process. */
  metrics(): Promise<string>;
  /** Stops every pod that is left, and what runs pods. */
  stop(): Promise<void>;
  /** Ends this process's part and leaves containers running. Does nothing after `stop`. */
  close(): Promise<void>;
}

/** The API server's way to logs, exec, attach and port-forward; nodes may start after it does. */
export function streamsTo(nodes: () => Nodes | undefined, clock: Clock, log: Log): ConnectHandler {
  // Loaded with the first stream: it brings WebSocket and SPDY with it.
  let handler: Promise<ConnectHandler> | undefined;
  const loaded = (): Promise<ConnectHandler> => {
    handler ??= import('../../apiserver/streams/handler.ts').then(({ createStreamHandler }) =>
      createStreamHandler({ streams: (nodeName) => nodes()?.streams(nodeName), clock, log }),
    );
    return handler;
  };
  return {
    request: async (...args) => (await loaded()).request(...args),
    upgrade: async (...args) => (await loaded()).upgrade(...args),
  };
}
