// What a node does for its pod network once that is made (pod-network.ts) and the API is there: it answers for names, leads
// traffic to Services, enforces NetworkPolicies, and sees that all of it stays. All work from the same caches.
import { podRangesOf } from '../../api/between/pod-network.ts';
import type { Client } from '../../client/client.ts';
import { createRecorder } from '../../client/events.ts';
import type { RunContext } from '../../client/run-context.ts';
import { NetworkKeeper } from '../../network/cni/keeper.ts';
import { startDnsServer } from '../../network/dns/server.ts';
import { NftTable } from '../../network/nftables/table.ts';
import { POLICIES_PART, type PolicyEnforcer, startPolicyEnforcer } from '../../network/policy/enforcer.ts';
import { tellUnenforced } from '../../network/policy/unenforced.ts';
import { SERVICES_PART, startServiceProxy } from '../../network/proxy/proxy.ts';
import { runCommand } from '../../node/machine/command.ts';
import { startProgram } from '../../node/machine/lasting-program.ts';
import type { ProcessInfo } from '../process/control-socket.ts';
import type { RunningPodNetwork } from './pod-network.ts';
import { resolversBeyond } from './resolvers.ts';

const DNS_PORT = 53;

export interface MachineNetworkOptions {
  nodeName: string;
  nodeIps: readonly string[];
  /** Tells of policies as the node. */
  node: Client;
  /** The cluster's DNS domain. */
  domain: string;
  /** Resolvers for names outside the cluster; without any, the machine's own. */
  dnsForward: readonly string[];
}

export interface MachineNetwork {
  describe(): Pick<ProcessInfo, 'dns' | 'podCidr' | 'services' | 'policies'>;
  /** Whom the agent asks before it starts a pod; undefined where nothing can be enforced. */
  isolation: PolicyEnforcer | undefined;
  /** The node is in another zone, or in none. */
  setZone(zone: string | undefined): void;
  /** Looks after what others may change, until the signal. */
  keep(signal: AbortSignal): Promise<void>;
  /** Ends its work; rules stay in force. */
  close(): Promise<void>;
}

/**
 * When it resolves, names are answered and all rules are in force.
 * @param shared reads as the cluster's DNS server.
 */
export async function startMachineNetwork(
  network: RunningPodNetwork,
  shared: RunContext,
  options: MachineNetworkOptions,
): Promise<MachineNetwork> {
  const { clock, log, random } = shared;
  const { domain, node, nodeIps, nodeName } = options;
  const { policies, proxied } = network;
  const ranges = podRangesOf(network);
  const keeper = new NetworkKeeper(
    { run: runCommand, clock, log: log.named('network') },
    network,
    network.mend,
  );
  const table =
    proxied &&
    new NftTable(
      {
        run: runCommand,
        start: startProgram,
        clock,
        random,
        log: log.named('nftables'),
        onOthers: () => keeper.stir(),
      },
      proxied.name,
      [SERVICES_PART, ...(policies.hasRules ? [POLICIES_PART] : [])],
    );
  const startingDns = startDnsServer(
    { ...shared, log: log.named('dns') },
    {
      addresses: ranges.map(({ gateway }) => gateway),
      port: DNS_PORT,
      domain,
      forwardTo: () => resolversBeyond(options.dnsForward),
      podRanges: ranges.map(({ cidr }) => cidr),
    },
  );
  const startingProxy =
    proxied && table
      ? startServiceProxy({ ...shared, log: log.named('proxy') }, table, runCommand, {
          ...proxied.options,
          nodeName,
          nodeIps,
        })
      : undefined;
  const startingPolicies =
    proxied && table && policies.hasRules
      ? startPolicyEnforcer({ ...shared, log: log.named('policies') }, table, proxied.options)
      : undefined;
  if (policies.whyNot !== undefined) {
    const recorder = createRecorder({ ...shared, client: node }, 'network-policies', nodeName);
    tellUnenforced(shared.informers, recorder, policies.whyNot);
  }
  const [dns, proxy, isolation] = await Promise.all([startingDns, startingProxy, startingPolicies]);
  return {
    describe: () => ({
      dns: `${network.gateway}:${dns.port}`,
      podCidr: ranges.map(({ cidr }) => cidr).join(),
      services: network.services,
      policies: policies.whyNot === undefined ? 'enforced' : `not enforced: ${policies.whyNot}`,
    }),
    isolation,
    setZone: (zone) => proxy?.setZone(zone),
    keep: (signal) => keeper.run(signal),
    async close() {
      await dns.close();
      isolation?.close();
      await table?.close();
      await proxy?.close();
    },
  };
}
