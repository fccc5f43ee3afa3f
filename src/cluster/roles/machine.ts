// This machine as the cluster's node: its pod network and what serves it (machine-network.ts), stead's own containerd, volumes and the
// node agent, started in the order in which they need each other. Which process that is, and how the API is reached, is not known here.
import { cpus, totalmem } from 'node:os';
import type { NodeStreams } from '../../api/between/node-streams.ts';
import type { Node } from '../../api/generated/types.ts';
import { nodes } from '../../api/resources/nodes/definition.ts';
import type { Clock, Random } from '../../base/clock.ts';
import { errorText } from '../../base/error-text.ts';
import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Client } from '../../client/client.ts';
import type { RunContext } from '../../client/run-context.ts';
import { createInformers } from '../../client/shared-informers.ts';
import { createNodeAgent } from '../../node/agent.ts';
import { type ContainerdHandle, startContainerd } from '../../node/containerd/containerd.ts';
import { containerdImageFiles } from '../../node/cri/image-files.ts';
import { criRuntime } from '../../node/cri/runtime.ts';
import { loadImage } from '../../node/images/import.ts';
import { ensurePauseImage, PAUSE_IMAGE } from '../../node/images/pause-image.ts';
import { runCommand } from '../../node/machine/command.ts';
import { measureDirectories } from '../../node/pressure/directory-sizes.ts';
import { readDisks } from '../../node/pressure/disks.ts';
import type { PressureRules } from '../../node/pressure/plan.ts';
import { Sweeper } from '../../node/sweep/sweeper.ts';
import { LocalVolumes, prepareVolumesDirectory } from '../../node/volumes/local/local-volumes.ts';
import { runLocalVolumes } from '../../node/volumes/local/run.ts';
import { createPodVolumes } from '../../node/volumes/pod-volumes.ts';
import type { Paths } from '../disk/paths.ts';
import { cgroupRootOf } from '../process/cgroup-root.ts';
import type { ProcessInfo } from '../process/control-socket.ts';
import { machineAddresses, machineIPv6 } from '../process/machine-addresses.ts';
import { stopSignal } from '../process/stop-signal.ts';
import { UserError } from '../process/user-error.ts';
import { VERSION } from '../process/version.ts';
import { type MachineNetwork, startMachineNetwork } from './machine-network.ts';
import { setUpPodNetwork, takeDownPodNetwork } from './pod-network.ts';
import { whatToSweep } from './what-to-sweep.ts';

const ZONE_LABEL = 'topology.kubernetes.io/zone';

/** What a machine is run with, beside its data directory. */
export interface MachineConfig {
  /** The cluster's DNS domain. */
  domain: string;
  /** The addresses of Services, in CIDR notation. */
  serviceCidr: string;
  /** Kernel parameters that pods may set besides the safe ones. */
  allowedUnsafeSysctls: readonly string[];
  /** Resolvers for names outside the cluster; without any, the machine's own. */
  dnsForward: readonly string[];
  /** When the machine counts as short of disk. */
  pressure: PressureRules;
}

export interface MachineHost {
  paths: Paths;
  clock: Clock;
  random: Random;
  log: Log;
  metrics: Metrics;
}

/** How the machine's parts speak to the API: the node as itself, and the DNS server. */
export interface MachineApi {
  nodeName: string;
  node: Client;
  dns: Client;
}

/** A machine that is a node. */
export interface Machine {
  describe(): Pick<ProcessInfo, 'dns' | 'podCidr' | 'services' | 'policies' | 'volumes'>;
  streams: NodeStreams;
  loadImage(file: string, signal: AbortSignal): Promise<string[]>;
  listImages(): Promise<Array<{ names: string[]; id: string; sizeBytes: number }>>;
  /** Rejects if the node agent ends by itself. */
  ended: Promise<void>;
  /** Stops every pod that is left, and what runs pods. */
  stop(): Promise<void>;
  /** Ends this process's part and leaves containers running. Does nothing after `stop`. */
  close(): Promise<void>;
}

/**
 * Runs when it resolves, and is soon Ready; containers of an earlier stead are adopted.
 * @param connected what of the machine needs no API is made meanwhile.
 */
export async function startMachine(
  host: MachineHost,
  config: MachineConfig,
  connected: Promise<MachineApi>,
): Promise<Machine> {
  const { paths, clock, log } = host;
  const { domain, serviceCidr } = config;
  const network = await setUpPodNetwork(paths, { serviceCidr, random: host.random });
  // Loopback if it has no network.
  const nodeIps = [machineAddresses()[0] ?? '127.0.0.1'];
  if (network.ipv6) nodeIps.push(...(await machineIPv6(runCommand)).slice(0, 1));

  const stop = stopSignal();
  const contextOf = (client: Client): RunContext => {
    const informers = createInformers(client, clock, log.named('informer'), stop.signal, host.random);
    return { ...host, client, informers, signal: stop.signal };
  };
  const startNetwork = ({ dns, node, nodeName }: MachineApi): Promise<MachineNetwork> =>
    startMachineNetwork(network, contextOf(dns), {
      nodeName,
      nodeIps,
      node,
      domain,
      dnsForward: config.dnsForward,
    });
  const local = new LocalVolumes({
    volumesDirectory: await prepareVolumesDirectory(paths.data),
    run: runCommand,
    log: log.named('volumes'),
  });
  // Found out, by programs of the machine's, while others are started.
  const backing = local.backing().then(
    ({ kind, why }) => `${kind} (${why})`,
    (error: Error) => `not known yet (${error.message})`,
  );
  const startRuntime = async (): Promise<ContainerdHandle> => {
    const started = await startContainerd({
      dataDirectory: paths.data,
      runDirectory: paths.run,
      cniConfDirectory: network.cniConfDirectory,
      sandboxImage: PAUSE_IMAGE,
      log: log.named('containerd'),
      clock,
    });
    await ensurePauseImage(started.socket);
    return started;
  };
  const [api, served, containerd] = await Promise.all([
    connected,
    connected.then(startNetwork),
    startRuntime(),
  ]);
  const { nodeName } = api;
  const context = contextOf(api.node);
  const { socket, stateDirectory } = containerd;
  const runtime = await criRuntime({
    socket,
    stateDirectory,
    cgroupRoot: cgroupRootOf(paths),
    log: log.named('runtime'),
    clock,
  });
  const imageFiles = containerdImageFiles({ socket, clock });
  const volumes = await createPodVolumes({
    client: api.node,
    dataDirectory: paths.data,
    local,
    run: runCommand,
    clock,
    images: { runtime, files: imageFiles },
    placement: ({ status }) => ({
      nodeName,
      nodeIps,
      podIps: (status?.podIPs ?? []).flatMap(({ ip }) => ip ?? []),
      allocatable: { cpuCores: cpus().length, memoryBytes: totalmem() },
    }),
  });
  const agent = createNodeAgent(
    { ...context, log: log.named('node') },
    {
      nodeName,
      nodeIps,
      runtime,
      volumes,
      clusterDns: { ip: network.gateway, domain },
      dataDirectory: paths.data,
      logDirectory: paths.podLogs,
      volumeDirectory: local.volumesDirectory,
      version: VERSION,
      allowedUnsafeSysctls: config.allowedUnsafeSysctls,
      ...(served.isolation && { isolation: served.isolation }),
      pressure: {
        ...config.pressure,
        disks: () => readDisks(paths.data, containerd.contentDirectory),
        measure: measureDirectories,
        keepImages: [PAUSE_IMAGE],
      },
    },
  );
  const followZone = ({ metadata }: Node): void => served.setZone(metadata.labels?.[ZONE_LABEL]);
  context.informers
    .of(nodes, { fieldSelector: `metadata.name=${nodeName}` })
    .subscribe({ added: followZone, updated: followZone });
  const sweeper = new Sweeper(
    { ...context, log: log.named('sweep') },
    { nodeName, runtime, ...whatToSweep(paths, network, local, containerd.socket) },
  );
  await sweeper.start();
  const agentEnds = agent.run();
  const running = [
    agentEnds.catch(() => {}),
    runLocalVolumes(context, { nodeName, volumes: local }),
    sweeper.run(),
    served.keep(stop.signal),
    containerd.keepRunning(stop.signal),
  ];
  const volumesText = await backing;

  const end = async (): Promise<void> => {
    stop.abort();
    await Promise.all(running);
    await runtime.close();
    imageFiles.close();
    await served.close();
  };
  let ended: Promise<void> | undefined;
  const close = (): Promise<void> => {
    ended ??= end();
    return ended;
  };
  return {
    describe: () => ({
      ...served.describe(),
      volumes: volumesText,
    }),
    streams: agent.streams,
    ended: agentEnds,
    loadImage: (file, signal) =>
      // Neither a client that has gone nor the end of stead waits for it.
      loadImage(containerd.socket, file, AbortSignal.any([signal, stop.signal])).catch((error: unknown) => {
        throw new UserError(errorText(error));
      }),
    async listImages() {
      const images = await runtime.listImages();
      return images.map(({ id, tags, sizeBytes }) => ({ names: tags, id, sizeBytes }));
    },
    async stop() {
      await agent.stopAllPods();
      await close();
      await containerd.stop();
      // What is left of it is in nobody's way, and the next start goes on from there.
      await takeDownPodNetwork(paths).catch((error: unknown) =>
        log.error('the pod network cannot be taken down', error),
      );
    },
    close,
  };
}
