// This machine as the cluster's node: its pod network, stead's own containerd, volumes, DNS and the node agent,
// started in the order in which they need each other.
import { cpus, networkInterfaces, totalmem } from 'node:os';
import type { User } from '../../apiserver/request.ts';
import type { RunContext } from '../../client/run-context.ts';
import { createInformers } from '../../client/shared-informers.ts';
import { startDnsServer } from '../../network/dns/server.ts';
import { createNodeAgent } from '../../node/agent.ts';
import { startContainerd } from '../../node/containerd/containerd.ts';
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
import { nodeNameOf } from '../disk/node-name.ts';
import { cgroupRootOf } from '../process/cgroup-root.ts';
import { stopSignal } from '../process/stop-signal.ts';
import { UserError } from '../process/user-error.ts';
import { VERSION } from '../process/version.ts';
import { CONTROLLER_MANAGER, DNS, nodeUser } from './identities.ts';
import { nodesReady } from './node-readiness.ts';
import type { NodeHost, Nodes } from './nodes.ts';
import { setUpPodNetwork, takeDownPodNetwork } from './pod-network.ts';
import { machineResolvers } from './resolvers.ts';
import { whatToSweep } from './what-to-sweep.ts';

const DNS_PORT = 53;

/**
 * Ready for pods when it resolves; containers of an earlier stead are adopted.
 * @param config.nodeName as `--node-name` has it.
 * @param config.pressure when the machine counts as short of disk.
 */
export async function startMachine(
  host: NodeHost,
  config: { nodeName?: string | undefined; pressure: PressureRules },
): Promise<Nodes> {
  const { paths, as, clock, log, domain, metrics, random } = host;
  const nodeName = await nodeNameOf(paths, config.nodeName, as(CONTROLLER_MANAGER));
  const nodeIp = machineAddress();
  const network = await setUpPodNetwork(paths, host.serviceCidr);

  const stop = stopSignal();
  const contextOf = (user: User): RunContext => {
    const client = as(user);
    const informers = createInformers(client, clock, log.named('informer'), stop.signal, random);
    return { client, informers, clock, random, log, metrics, signal: stop.signal };
  };
  const context = contextOf(nodeUser(nodeName));
  const { client } = context;
  const [dns, containerd] = await Promise.all([
    startDnsServer(
      { ...contextOf(DNS), log: log.named('dns') },
      {
        addresses: [network.gateway],
        port: DNS_PORT,
        domain,
        forwardTo: await machineResolvers([network.gateway]),
      },
    ),
    startContainerd({
      dataDirectory: paths.data,
      runDirectory: paths.run,
      cniConfDirectory: network.cniConfDirectory,
      sandboxImage: PAUSE_IMAGE,
      log: log.named('containerd'),
      clock,
    }),
  ]);
  await ensurePauseImage(containerd.socket);
  const { socket, stateDirectory } = containerd;
  const runtime = await criRuntime({
    socket,
    stateDirectory,
    cgroupRoot: cgroupRootOf(paths),
    log: log.named('runtime'),
    clock,
  });
  const imageFiles = containerdImageFiles({ socket, clock });
  const local = new LocalVolumes({
    volumesDirectory: await prepareVolumesDirectory(paths.data),
    run: runCommand,
    log: log.named('volumes'),
  });
  const volumes = await createPodVolumes({
    client,
    dataDirectory: paths.data,
    local,
    run: runCommand,
    clock,
    images: { runtime, files: imageFiles },
    placement: ({ status }) => ({
      nodeName,
      nodeIp,
      podIps: (status?.podIPs ?? []).flatMap(({ ip }) => ip ?? []),
      allocatable: { cpuCores: cpus().length, memoryBytes: totalmem() },
    }),
  });
  const agent = createNodeAgent(
    { ...context, log: log.named('node') },
    {
      nodeName,
      nodeIp,
      runtime,
      volumes,
      clusterDns: { ip: network.gateway, domain },
      dataDirectory: paths.data,
      logDirectory: paths.podLogs,
      volumeDirectory: local.volumesDirectory,
      version: VERSION,
      allowedUnsafeSysctls: host.allowedUnsafeSysctls,
      pressure: {
        ...config.pressure,
        disks: () => readDisks(paths.data, containerd.contentDirectory),
        measure: measureDirectories,
        keepImages: [PAUSE_IMAGE],
      },
    },
  );
  const sweeper = new Sweeper(
    { ...context, log: log.named('sweep') },
    { nodeName, runtime, ...whatToSweep(paths, network, local, containerd.socket) },
  );
  await sweeper.start();
  const agentEnds = agent.run();
  const running = [
    agentEnds.catch((error: unknown) => log.error('the node agent has ended', error)),
    runLocalVolumes(context, { nodeName, volumes: local }),
    sweeper.run(),
    containerd.keepRunning(stop.signal),
  ];
  await Promise.race([nodesReady(host.informers, [nodeName]), agentEnds]);
  const volumesText = await local.backing().then(
    ({ kind, why }) => `${kind} (${why})`,
    (error: Error) => `not known yet (${error.message})`,
  );

  const end = async (): Promise<void> => {
    stop.abort();
    await Promise.all(running);
    await runtime.close();
    imageFiles.close();
    await dns.close();
  };
  let ended: Promise<void> | undefined;
  const close = (): Promise<void> => {
    ended ??= end();
    return ended;
  };
  return {
    describe: () => ({
      dns: `${network.gateway}:${dns.port}`,
      podCidr: network.cidr,
      services: network.services,
      volumes: volumesText,
    }),
    streams: (name) => (name === nodeName ? agent.streams : undefined),
    loadImage: (file, signal) =>
      // Neither a client that has gone nor the end of stead waits for it.
      loadImage(containerd.socket, file, AbortSignal.any([signal, stop.signal])).catch((error: unknown) => {
        throw new UserError(error instanceof Error ? error.message : String(error));
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

/** The machine's first address that others can reach; loopback if it has no network. */
function machineAddress(): string {
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, list]) =>
    /^(stead|docker|br-|veth|cni)/.test(name) ? [] : (list ?? []),
  );
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}
