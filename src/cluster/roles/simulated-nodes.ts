// Simulated machines: node agents over an in-memory runtime, many in one process, without root, containers or
// volumes. The control plane cannot tell the difference; DNS answers on loopback.
import { pods } from '../../api/resources/pods/definition.ts';
import type { RunContext } from '../../client/run-context.ts';
import { createInformers } from '../../client/shared-informers.ts';
import { startDnsServer } from '../../network/dns/server.ts';
import { createNodeAgent, type NodeAgent } from '../../node/agent.ts';
import { endedContainersOf, type Remembered } from '../../node/simulated/ended.ts';
import { simulatedRuntime } from '../../node/simulated/runtime.ts';
import {
  simulatedChecks,
  simulatedFacts,
  simulatedFiles,
  simulatedHold,
  simulatedImageUser,
  simulatedKeeper,
  simulatedVolumes,
} from '../../node/simulated/surroundings.ts';
import { runLocalVolumes } from '../../node/volumes/local/run.ts';
import { stopSignal } from '../process/stop-signal.ts';
import { UserError } from '../process/user-error.ts';
import { VERSION } from '../process/version.ts';
import { DNS, nodeUser } from './identities.ts';
import { nodesReady } from './node-readiness.ts';
import type { NodeHost, Nodes } from './nodes.ts';
import { resolversBeyond } from './resolvers.ts';

/** Each node has a range of its own out of 10.128.0.0/9: 8,192 addresses, for 1,000 nodes. */
const ADDRESSES_PER_NODE = 8_192;
const CAPACITY = { cpuCores: 64, memoryBytes: 256 * 1024 ** 3, pods: 10_000 };

export async function startSimulatedNodes(host: NodeHost, count: number): Promise<Nodes> {
  const stop = stopSignal();
  const { as, clock, informers, log, metrics, random } = host;
  const dns = await startDnsServer(
    { clock, informers, random, client: as(DNS), signal: stop.signal, log: log.named('dns') },
    {
      addresses: ['127.0.0.1'],
      port: 0,
      domain: host.domain,
      forwardTo: () => resolversBeyond(host.dnsForward),
    },
  );
  const agents = new Map<string, NodeAgent>();
  const running: Promise<void>[] = [];
  const remembered = await rememberedByNode(host);
  for (let index = 0; index < count; index++) {
    const nodeName = `node-${index}`;
    const client = as(nodeUser(nodeName));
    const own = createInformers(client, clock, log.named('informer'), stop.signal, random);
    const context: RunContext = {
      ...{ client, clock, random, metrics, signal: stop.signal, log: log.named(nodeName) },
      // What every node may read they have in common: there may be a thousand of them in this process.
      informers: {
        of: (resource, selection) => (selection ? own.of(resource, selection) : informers.of(resource)),
      },
    };
    const agent = createNodeAgent(context, {
      nodeName,
      nodeIps: ['127.0.0.1'],
      runtime: simulatedRuntime({
        clock,
        initExitCode: 0,
        remembered: remembered.get(nodeName) ?? [],
        ...addressesOf(index),
      }),
      volumes: simulatedVolumes(),
      clusterDns: undefined,
      dataDirectory: host.paths.data,
      logDirectory: host.paths.podLogs,
      volumeDirectory: host.paths.volumes,
      version: VERSION,
      allowedUnsafeSysctls: host.allowedUnsafeSysctls,
      capacity: CAPACITY,
      facts: simulatedFacts,
      files: simulatedFiles,
      checks: simulatedChecks,
      heldUnready: simulatedHold,
      imageUser: simulatedImageUser,
    });
    agents.set(nodeName, agent);
    running.push(agent.run().catch((error: unknown) => log.error(`${nodeName} has ended`, error)));
    running.push(
      runLocalVolumes({ ...context, log }, { nodeName, volumes: simulatedKeeper(host.paths.volumes) }),
    );
  }
  await nodesReady(informers, [...agents.keys()]);

  let ended: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    stop.abort();
    await Promise.all(running);
    await dns.close();
  };
  const close = (): Promise<void> => {
    ended ??= end();
    return ended;
  };
  return {
    describe: () => ({
      dns: `127.0.0.1:${dns.port}`,
      podCidr: '10.128.0.0/9',
      services: `${host.serviceCidr}: simulated, no traffic`,
      policies: 'simulated, no traffic',
      volumes: 'simulated: no bytes',
    }),
    streams: (nodeName) => agents.get(nodeName)?.streams,
    loadImage: () =>
      Promise.reject(new UserError('The simulated runtime has every image: there is nothing to load.')),
    listImages: async () => [],
    // They are in this process, and so are their numbers.
    metrics: async () => '',
    async stop() {
      await Promise.all([...agents.values()].map((agent) => agent.stopAllPods()));
      await close();
    },
    close,
  };
}

/** What had ended for good before this process, by the name of its node. */
async function rememberedByNode({ informers }: NodeHost): Promise<Map<string, Remembered[]>> {
  const all = informers.of(pods);
  await all.synced();
  const byNode = new Map<string, Remembered[]>();
  for (const pod of all.list()) {
    const found = endedContainersOf(pod);
    const node = pod.spec.nodeName;
    if (found && node) byNode.set(node, [...(byNode.get(node) ?? []), found]);
  }
  return byNode;
}

function addressesOf(index: number): { firstAddress: string; addresses: number } {
  const offset = index * ADDRESSES_PER_NODE;
  const octets = [10, 128 + (offset >> 16), (offset >> 8) & 255, offset & 255];
  return { firstAddress: octets.join('.'), addresses: ADDRESSES_PER_NODE - 2 };
}
