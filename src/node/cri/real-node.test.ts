// A node with real containers for the tests beside it: a containerd of its own, a bridge of its own, a busybox image,
// and a control plane in memory on real time. Whatever a test leaves is taken down afterwards.
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import type { PodNetwork } from '../../api/between/pod-network.ts';
import type { Pod } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { allResources } from '../../api/resources/all.ts';
import { namespaces } from '../../api/resources/namespaces/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { serviceAccounts } from '../../api/resources/service-accounts/definition.ts';
import { createApiServer } from '../../apiserver/server.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import { type Log, silentLog } from '../../base/log.ts';
import type { Client } from '../../client/client.ts';
import { directClient } from '../../client/direct.ts';
import { createInformers } from '../../client/shared-informers.ts';
import { removeBridge, setUpBridge } from '../../network/cni/bridge.ts';
import { writeCniConfig } from '../../network/cni/config.ts';
import { openMemoryStore } from '../../store/memory.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { createNodeAgent, type NodeAgent } from '../agent.ts';
import { startContainerd } from '../containerd/containerd.ts';
import { findContainerPrograms } from '../containerd/programs.ts';
import { killShims, listProcesses } from '../containerd/shims.ts';
import { imageArchitecture, imageArchive } from '../images/archive.ts';
import { importImages } from '../images/ctr.ts';
import { ensurePauseImage, PAUSE_IMAGE } from '../images/pause-image.ts';
import { tarOf } from '../images/tar.ts';
import { runCommand } from '../machine/command.ts';
import { removeUnmounted } from '../machine/mounts.ts';

import type { Runtime } from '../runtime.ts';
import { simulatedVolumes } from '../simulated/surroundings.ts';
import { removeCgroup } from './cgroups.ts';
import { criRuntime } from './runtime.ts';

/** Of its own, beside those of steads. */
export const CGROUP_ROOT = '/stead-node-test';

export const BUSYBOX = 'stead.dev/busybox:test';

const realClock: Clock = {
  now: () => Date.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Why real containers cannot run here; undefined: they can. */
export async function whyNoContainers(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'needs root';
  try {
    await readFile('/bin/busybox');
  } catch {
    return 'needs /bin/busybox (package busybox-static)';
  }
  return findContainerPrograms().then(
    () => undefined,
    (error: unknown) => String(error),
  );
}

export interface RealNode {
  client: Client;
  runtime: Runtime;
  /** A further client of the same containerd. */
  openRuntime(): Promise<Runtime>;
  directory: string;
  logDirectory: string;
  /** Starts an agent, as a new process would. */
  startAgent(): { agent: NodeAgent; stop(): Promise<void> };
  createPod(name: string, spec: Partial<Pod['spec']> & Pick<Pod['spec'], 'containers'>): Promise<Stored<Pod>>;
  pod(name: string): Promise<Stored<Pod>>;
  until(what: string, condition: () => Promise<boolean> | boolean): Promise<void>;
}

export async function startRealNode(context: TestContext): Promise<RealNode> {
  const directory = await mkdtemp(join(tmpdir(), 'stead-node-'));
  const run = join(directory, 'run');
  const subnet = 200 + (process.pid % 50);
  const network: PodNetwork = {
    bridge: `steadt${process.pid % 10_000}`,
    cidr: `10.211.${subnet}.0/24`,
    gateway: `10.211.${subnet}.1`,
  };
  const abort = new AbortController();
  const agents: Promise<void>[] = [];
  let runtime: Runtime | undefined;
  let stopContainerd = async (): Promise<void> => {};
  const complaints: string[] = [];
  context.after(async () => {
    abort.abort();
    await Promise.allSettled(agents);
    for (const sandbox of (await runtime?.listSandboxes().catch(() => [])) ?? []) {
      await runtime?.removeSandbox(sandbox.id);
    }
    await runtime?.close();
    await stopContainerd();
    await killShims(join(run, 'containerd', 'containerd.sock'));
    for (const { args, pid } of await listProcesses()) {
      if (args.some((arg) => arg.startsWith(`${run}/`))) process.kill(pid, 'SIGKILL');
    }
    await removeBridge(runCommand, network);
    await removeCgroup(CGROUP_ROOT);
    await removeUnmounted(runCommand, directory);
    if (complaints.length > 0) context.diagnostic(complaints.join('\n'));
  });
  await setUpBridge(runCommand, network, { owner: 'stead test' });
  const cniConfDirectory = join(directory, 'cni');
  await writeCniConfig(network, {
    confDirectory: cniConfDirectory,
    leaseDirectory: join(directory, 'leases'),
  });
  const containerd = await startContainerd({
    dataDirectory: directory,
    runDirectory: run,
    cniConfDirectory,
    sandboxImage: PAUSE_IMAGE,
    log: silentLog,
    clock: realClock,
  });
  stopContainerd = () => containerd.stop();
  await ensurePauseImage(containerd.socket);
  const { signal } = new AbortController();
  await importImages(containerd.socket, Readable.from([await busyboxImage()]), signal);
  const log: Log = {
    ...silentLog,
    warn: (message) => void complaints.push(message),
    error: (message, error) => void complaints.push(`${message}: ${String(error)}`),
    named: () => log,
  };
  const openRuntime = (): Promise<Runtime> =>
    criRuntime({
      socket: containerd.socket,
      cgroupRoot: CGROUP_ROOT,
      stateDirectory: containerd.stateDirectory,
      log,
      clock: realClock,
    });
  runtime = await openRuntime();
  const client = await controlPlane();
  const logDirectory = join(directory, 'logs');
  const node: RealNode = {
    client,
    runtime,
    openRuntime,
    directory,
    logDirectory,
    startAgent() {
      const own = new AbortController();
      const signal = AbortSignal.any([own.signal, abort.signal]);
      const agent = createNodeAgent(
        {
          client,
          informers: createInformers(client, realClock, log, signal),
          clock: realClock,
          random: seededRandom(1),
          log,
          signal,
        },
        {
          nodeName: 'node-1',
          nodeIps: [network.gateway],
          // The runtime outlives agents here; a real agent makes its own.
          runtime: node.runtime,
          volumes: simulatedVolumes(),
          clusterDns: { ip: network.gateway, domain: 'cluster.local' },
          dataDirectory: directory,
          logDirectory,
          volumeDirectory: join(directory, 'volumes'),
          version: '0.0.0',
        },
      );
      const running = agent.run();
      agents.push(running);
      return {
        agent,
        async stop() {
          own.abort();
          await running;
        },
      };
    },
    createPod: (name, spec) =>
      client.create(pods, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'default' },
        spec: { nodeName: 'node-1', terminationGracePeriodSeconds: 2, ...spec },
      }),
    pod: (name) => client.get(pods, { namespace: 'default', name }),
    async until(what, condition) {
      const limit = Date.now() + 20_000;
      while (!(await condition())) {
        if (Date.now() > limit) throw new Error(`waited in vain for: ${what}; ${complaints.join('; ')}`);
        await sleep(realClock, 5);
      }
    },
  };
  return node;
}

async function controlPlane(): Promise<Client> {
  const server = createApiServer({
    store: openMemoryStore(),
    clock: realClock,
    random: seededRandom(1),
    log: silentLog,
    resources: allResources,
    serviceCidr: '10.96.0.0/16',
  });
  const client = directClient(server, { name: 'test', groups: ['system:masters'] });
  for (const name of ['default', 'kube-node-lease']) {
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: {} });
  }
  // Without a token: nobody here writes the certificate that would be mounted beside it.
  const account = {
    metadata: { namespace: 'default', name: 'default' },
    automountServiceAccountToken: false,
  };
  await client.create(serviceAccounts, account);
  return client;
}

async function busyboxImage(): Promise<Buffer> {
  const content = await readFile('/bin/busybox');
  const passwd = Buffer.from('root:x:0:0:root:/root:/bin/sh\n');
  const layer = tarOf([
    { name: 'bin/busybox', mode: 0o755, content },
    { name: 'etc/passwd', mode: 0o644, content: passwd },
    { name: 'www/index.html', mode: 0o644, content: Buffer.from('hello\n') },
    { name: 'tmp/.keep', mode: 0o644, content: Buffer.alloc(0) },
  ]);
  const architecture = imageArchitecture(process.arch);
  const config = { Entrypoint: ['/bin/busybox'], Env: ['PATH=/bin'] };
  return imageArchive({ name: BUSYBOX, architecture, config }, layer);
}
