// The control plane role: store, API server, its HTTPS face, and every controller, wired together in one process.

import { createPrivateKey } from 'node:crypto';
import { allResources } from '../../api/resources/all.ts';
import type { Auditor } from '../../apiserver/audit/auditor.ts';
import { authorized } from '../../apiserver/authorized.ts';
import type { ConnectHandler } from '../../apiserver/connect.ts';
import { serveHttps, type TlsMaterial } from '../../apiserver/http/port/serve-https.ts';
import type { User } from '../../apiserver/request.ts';
import { createApiServer } from '../../apiserver/server.ts';
import type { Clock, Random } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Client } from '../../client/client.ts';
import { directClient } from '../../client/direct.ts';
import type { Informers } from '../../client/informers.ts';
import { QueueMetrics } from '../../client/queue-metrics.ts';
import type { RunContext } from '../../client/run-context.ts';
import { createInformers } from '../../client/shared-informers.ts';
import type { AddressPool } from '../../controllers/load-balancer/pool.ts';
import type { RootCertificate } from '../../controllers/service-accounts/controller.ts';
import type { Store } from '../../store/store.ts';
import type { LiveCertificates } from '../disk/certificate-renewal.ts';
import type { Certificates } from '../disk/certificates.ts';
import { runCompaction } from '../disk/compaction.ts';
import { firstServiceAddress } from '../disk/server-names.ts';
import { rangesOf } from '../disk/service-cidr.ts';
import { stopSignal } from '../process/stop-signal.ts';
import { ApiForPods } from './api-for-pods.ts';
import { bootstrap, ensureKubernetesService } from './bootstrap.ts';
import { controllers } from './controllers.ts';
import { healthChecks, WatchedInformers } from './health.ts';
import { ADMINISTRATOR, CONTROLLER_MANAGER, controllerUser, SCHEDULER } from './identities.ts';
import { lead } from './lead.ts';

export interface ControlPlaneOptions {
  store: Store;
  /** Who this server is among those of the cluster. */
  identity: string;
  /** Why the store's disk is a matter of concern; undefined when it is not. */
  storeComplaint(): string | undefined;
  clock: Clock;
  random: Random;
  log: Log;
  certificates: LiveCertificates;
  metrics: Metrics;
  auditor: Auditor | undefined;
  /** The addresses of Services, in CIDR notation. */
  serviceCidr: string;
  /** Where it listens: the first decides which port is chosen when it is 0. */
  addresses: readonly [string, ...string[]];
  port: number;
  /** Where pods reach this machine, once their network has been chosen; the API is opened there, too. */
  podAddress(): Promise<string | undefined>;
  /** Where Services of type LoadBalancer get their addresses. */
  balancerPool: AddressPool;
  connect: ConnectHandler;
}

export interface ControlPlane {
  /** A client that acts as a user, in this process. */
  as(user: User): Client;
  /** What the controllers share. */
  informers: Informers;
  port: number;
  /** Opens the API where pods reach it now, if it is not open there yet. */
  openForPods(): Promise<void>;
  /** Ends the controllers and the scheduler: from then on nothing makes what somebody deletes. */
  stopControllers(): Promise<void>;
  close(): Promise<void>;
}

/** The API answers when it resolves; the controllers are starting. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { certificates, store, clock, random, log, metrics } = options;
  const api = createApiServer({
    metrics,
    store,
    clock,
    random,
    log: log.named('api'),
    resources: allResources,
    serviceCidr: options.serviceCidr,
    serviceAccountKey: createPrivateKey(certificates.current.serviceAccountKey),
  });
  const front = authorized(api, api.identity.authorize, options.auditor);
  const as = (user: User): Client => directClient(front, user);
  await bootstrap(as(ADMINISTRATOR));
  const [firstAddress, ...moreAddresses] = options.addresses;
  const stopInformers = new AbortController();
  const informersOf = (user: User): WatchedInformers =>
    new WatchedInformers(
      createInformers(as(user), clock, log.named('informer'), stopInformers.signal, random, api),
    );
  const informers = informersOf(CONTROLLER_MANAGER);
  const schedulerInformers = informersOf(SCHEDULER);
  const stop = stopSignal();
  const server = await serveHttps({
    api,
    tls: tlsOf(certificates.current),
    host: firstAddress,
    port: options.port,
    ...api.identity,
    connect: options.connect,
    audit: options.auditor,
    log: log.named('https'),
    clock,
    health: healthChecks(store, options.storeComplaint, [informers, schedulerInformers], stop.signal),
  });

  const unsubscribe = certificates.onChange((renewed) => server.renewTls(tlsOf(renewed)));
  for (const address of moreAddresses) {
    await server.alsoOn(address).catch(async (error: unknown) => {
      await server.close();
      throw error;
    });
  }
  const forPods = new ApiForPods({
    podAddress: options.podAddress,
    addresses: options.addresses,
    port: server.port,
    alsoOn: (address) => server.alsoOn(address),
    addName: (address) => certificates.addName(address),
    clock,
    log: log.named('pods'),
  });
  // Pods that have outlived an API process have it again with the next one's first moment.
  await forPods.look();
  const clusterIp = firstServiceAddress(options.serviceCidr);
  await ensureKubernetesService(as(ADMINISTRATOR), clusterIp, server.port, log);

  const queues = new QueueMetrics(metrics, clock);
  const shared = { clock, random, metrics, queues };
  const contextOf = (name: string, signal: AbortSignal): RunContext => {
    const user = controllerUser(name);
    const seen = user === SCHEDULER ? schedulerInformers : informers;
    return { ...shared, signal, client: as(user), informers: seen, log: log.named(name) };
  };
  const manager = { ...shared, signal: stop.signal, client: as(CONTROLLER_MANAGER), informers, log };
  const all = controllers({
    rootCertificate: rootCertificateOf(certificates),
    kinds: api,
    balancerPool: options.balancerPool,
    serviceCidrs: rangesOf(options.serviceCidr),
    kubernetes: { clusterIp, port: server.port, address: forPods },
  });
  const running = [lead(manager, options.identity, all, contextOf)];
  running.push(forPods.keep(stop.signal));
  running.push(certificates.keep(stop.signal));
  running.push(runCompaction(store, clock, log.named('store'), stop.signal));
  const stopControllers = async (): Promise<void> => {
    stop.abort();
    await Promise.all(running);
  };
  return {
    as,
    informers,
    port: server.port,
    async openForPods() {
      await forPods.look();
    },
    stopControllers,
    async close() {
      await stopControllers();
      stopInformers.abort();
      unsubscribe();
      await server.close();
      api.stop();
    },
  };
}

const tlsOf = ({ ca, server }: Certificates): TlsMaterial => ({ ...server, ca });

function rootCertificateOf(certificates: LiveCertificates): RootCertificate {
  return {
    current: () => certificates.current.ca,
    onChange: (listener) => certificates.onChange(listener),
  };
}
