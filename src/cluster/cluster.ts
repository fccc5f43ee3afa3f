// Turns a configuration into a running cluster: the control plane, and the machine (or simulated machines) that its
// pods run on. The only place that knows all rooms.
import { timestamp } from '../base/clock.ts';
import { eachOrThrow } from '../base/each-by-itself.ts';
import { errorText } from '../base/error-text.ts';
import type { Log } from '../base/log.ts';
import { Metrics } from '../base/metrics.ts';
import type { AddressPool } from '../controllers/load-balancer/pool.ts';
import { runCommand } from '../node/machine/command.ts';
import type { PressureRules } from '../node/pressure/plan.ts';
import { openLmdbStore } from '../store/lmdb/lmdb.ts';
import { type Store, StoreInUseError } from '../store/store.ts';
import { LiveCertificates } from './disk/certificate-renewal.ts';
import { writeKubeconfig } from './disk/kubeconfig.ts';
import { type Paths, pathsOf } from './disk/paths.ts';
import { serverIdentity } from './disk/server-identity.ts';
import { serverNames } from './disk/server-names.ts';
import { StoreDisk } from './disk/store-disk.ts';
import { DOMAIN } from './domain.ts';
import type { Neighbour } from './neighbour/neighbour.ts';
import type { ProcessInfo } from './process/control-socket.ts';
import type { LogLevel } from './process/log-writer.ts';
import { machineIPv6 } from './process/machine-addresses.ts';
import { checkMachine } from './process/machine-check.ts';
import { addressesOf, HOST, portError, reachableAddress } from './process/port.ts';
import { stopSignal } from './process/stop-signal.ts';
import { systemClock, systemRandom } from './process/system-clock.ts';
import { UserError } from './process/user-error.ts';
import { type AuditOptions, openAudit } from './roles/audit.ts';
import { ADMINISTRATOR } from './roles/identities.ts';
import { ensureKubeDns } from './roles/kube-dns.ts';
import { type NodeHost, type Nodes, streamsTo } from './roles/nodes.ts';
import { readPodNetwork } from './roles/pod-network.ts';
import { serviceRangeOf, simulatedServiceRangeOf } from './roles/service-range.ts';
import { stopPods } from './roles/stop-pods.ts';

export interface ClusterConfig {
  dataDirectory: string;
  /** Port of the API; 0 for any free one. */
  port: number;
  /** Where the API listens besides 127.0.0.1 and what this machine's pods reach. */
  bindAddress?: string | undefined;
  /** The addresses of Services when the data directory is new, as parseServiceCidr gives it; without it, a free range. */
  serviceCidr?: string | undefined;
  /** Where Services of type LoadBalancer get their addresses; without it, the machine's own. */
  balancerPool?: AddressPool;
  runtime: 'containerd' | 'simulated';
  simulatedNodes: number;
  /** What the node of this machine is called when the data directory is new; without it, as the machine is. */
  nodeName?: string | undefined;
  /** Kernel parameters that pods may set besides the safe ones: names, or beginnings that end in `*`. */
  allowedUnsafeSysctls?: readonly string[];
  /** Resolvers for names outside the cluster, `10.0.0.2` or `10.0.0.2:5353`; without any, the machine's own. */
  dnsForward?: readonly string[];
  /** When the machine counts as short of disk. */
  pressure: PressureRules;
  /** What the node process logs at least; left out, it says nothing. */
  nodeLogLevel?: LogLevel;
  /** Without it, no request is recorded. */
  audit?: AuditOptions | undefined;
}

export interface RunningCluster {
  describe(): Omit<ProcessInfo, 'pid' | 'version'>;
  loadImage(file: string, signal: AbortSignal): Promise<string[]>;
  listImages(): Promise<Array<{ names: string[]; id: string; sizeBytes: number }>>;
  /** Stops all pods in order, then what runs them. Their objects and data stay. */
  stopEverything(say: (line: string) => void): Promise<void>;
  /** Ends this process's part and leaves containers running. */
  close(): Promise<void>;
}

/**
 * The API answers and the machine is ready for pods when it resolves.
 * @throws UserError with one sentence if it cannot start.
 */
export async function startCluster(config: ClusterConfig, log: Log): Promise<RunningCluster> {
  const paths = pathsOf(config.dataDirectory);
  const clock = systemClock;
  const random = systemRandom;
  const metrics = new Metrics();
  // The larger part of this program, loaded while the machine, the store and the certificates are waited for.
  const loading = import('./roles/control-plane.ts');
  loading.catch(() => {});
  const audit =
    config.audit && (await openAudit(config.audit, { clock, random, log: log.named('audit'), metrics }));
  if (config.runtime === 'containerd') await checkMachine();
  const serviceCidr = await serviceCidrOf(paths, config);
  const store = await openStore(paths);
  const storeDisk = new StoreDisk(paths.store, store, runCommand, clock, log.named('store'));
  const watching = stopSignal();
  const closers: Array<() => Promise<void>> = [() => store.close(), async () => audit?.close()];
  const close = (): Promise<void> => eachOrThrow(closers.splice(0).reverse(), 1, (end) => end());
  try {
    await storeDisk.measure();
    storeDisk.meter(metrics);
    const watched = storeDisk.watch(watching.signal);
    closers.push(() => {
      watching.abort();
      return watched;
    });
    // It starts while the API is loaded.
    const neighbour =
      config.runtime === 'containerd' ? await prepareNeighbour(paths, serviceCidr, config, log) : undefined;
    if (neighbour) closers.push(() => neighbour.close());
    const podAddress = neighbour
      ? async () => (await readPodNetwork(paths))?.gateway
      : async () => reachableAddress(config.bindAddress);
    const certificates = await LiveCertificates.open({
      directory: paths.pki,
      names: serverNames(serviceCidr, DOMAIN, config.bindAddress, await podAddress()),
      clock,
      log: log.named('certificates'),
      metrics,
    });
    let nodes: Nodes | undefined;
    const { startControlPlane } = await loading;
    const plane = await startControlPlane({
      serviceCidr,
      store: storeDisk.guarded(),
      identity: await serverIdentity(paths, random),
      storeComplaint: () => storeDisk.complaint(),
      clock,
      random,
      log,
      certificates,
      metrics,
      auditor: audit?.auditor,
      addresses: addressesOf(config.bindAddress),
      port: config.port,
      podAddress,
      balancerPool: config.balancerPool ?? { type: 'machine' },
      connect: streamsTo(() => nodes, clock, log.named('streams')),
    }).catch((error: unknown) => {
      throw portError(error, config.port);
    });
    closers.push(() => plane.close());
    const server = `https://${HOST}:${plane.port}`;
    await writeKubeconfig(paths.kubeconfig, server, certificates.current);
    certificates.onChange((renewed) => writeKubeconfig(paths.kubeconfig, server, renewed));

    const host = {
      paths,
      clock,
      random,
      log,
      as: plane.as,
      informers: plane.informers,
      metrics,
      domain: DOMAIN,
      serviceCidr,
      allowedUnsafeSysctls: config.allowedUnsafeSysctls ?? [],
      dnsForward: config.dnsForward ?? [],
    };
    if (neighbour) {
      const { beginNode } = await import('./neighbour/begin.ts');
      await beginNode(neighbour, host, config.nodeName, certificates, server);
      await plane.openForPods();
    }
    const running = neighbour ?? (await startSimulated(host, config));
    nodes = running;
    if (!neighbour) closers.push(() => running.close());
    metrics.join(() => running.metrics());
    await ensureKubeDns(plane.as(ADMINISTRATOR), serviceCidr, running.describe().dns);
    log.info('stead is ready', { server, runtime: config.runtime });

    return {
      describe: () => ({
        server,
        kubeconfig: paths.kubeconfig,
        runtime: config.runtime,
        certificates: certificates.ends.map(({ endsAtMs, name }) => ({ name, until: timestamp(endsAtMs) })),
        store: storeDisk.describe(),
        ...running.describe(),
      }),
      loadImage: (file, signal) => running.loadImage(file, signal),
      listImages: () => running.listImages(),
      async stopEverything(say) {
        await plane.stopControllers();
        await stopPods(plane.as(ADMINISTRATOR), plane.informers, clock, say);
        await running.stop();
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function serviceCidrOf(paths: Paths, { runtime, serviceCidr }: ClusterConfig): Promise<string> {
  if (runtime === 'simulated') return simulatedServiceRangeOf(paths, serviceCidr);
  const ipv6 = (await machineIPv6(runCommand)).length > 0;
  return serviceRangeOf(paths, { serviceCidr, ipv6 });
}

/** Each kind of node is loaded when it is wanted. */
async function prepareNeighbour(
  paths: Paths,
  serviceCidr: string,
  config: ClusterConfig,
  log: Log,
): Promise<Neighbour> {
  const { Neighbour } = await import('./neighbour/neighbour.ts');
  const { allowedUnsafeSysctls = [], dnsForward = [], nodeLogLevel, pressure } = config;
  return Neighbour.prepare({
    paths,
    config: { domain: DOMAIN, serviceCidr, allowedUnsafeSysctls, dnsForward, pressure },
    clock: systemClock,
    log: log.named('node'),
    logLevel: nodeLogLevel,
  });
}

async function startSimulated(host: NodeHost, config: ClusterConfig): Promise<Nodes> {
  const { startSimulatedNodes } = await import('./roles/simulated-nodes.ts');
  return startSimulatedNodes(host, config.simulatedNodes);
}

async function openStore(paths: Paths): Promise<Store> {
  try {
    return await openLmdbStore(paths.store);
  } catch (error) {
    if (error instanceof StoreInUseError)
      throw new UserError(`stead already runs on ${paths.data}: ${error.message}.`);
    throw new UserError(`The store ${paths.store} cannot be opened: ${errorText(error)}`);
  }
}
