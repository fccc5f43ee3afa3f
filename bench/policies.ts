// NetworkPolicies on a kernel: what the rules of a hundred policies cost among a thousand pods, what one pod and one policy that
// change cost, how long a new pod's containers wait for them, what they use at rest, and how fast bytes go between two pods under
// them. The API is in memory and the machine a network namespace, as in the tests; takes root and nftables.
import { readFileSync } from 'node:fs';
import type { NetworkPolicySpec } from '../src/api/generated/types.ts';
import { namespaces } from '../src/api/resources/namespaces/definition.ts';
import { networkPolicies } from '../src/api/resources/network-policies/definition.ts';
import { pods } from '../src/api/resources/pods/definition.ts';
import { silentLog } from '../src/base/log.ts';
import type { Ruleset } from '../src/network/nftables/ruleset.ts';
import { NftTable } from '../src/network/nftables/table.ts';
import { POLICIES_PART, startPolicyEnforcer } from '../src/network/policy/enforcer.ts';
import { IPV4, IPV6 } from '../src/network/proxy/family.ts';
import { makeMachine, whyNoMachine } from '../src/network/test-machine.ts';
import { startTestControlPlane } from '../src/testing/test-control-plane.ts';
import { line, machine as machineName, median, series } from './measure.ts';

const PODS = 1_000;
const POLICIES = 100;
const CHANGES = 100;
const IDLE_MS = 10_000;
const TRANSFERS = 7;
const TRANSFER_BYTES = 2_000_000_000;
const TICKS_A_SECOND = 100;

/** Reads as many bytes as it is told, and prints how many MB/s came. */
const PULL = `
const [bytes] = process.argv.slice(1);
const socket = require('node:net').connect({ host: '10.244.0.11', port: 9000 });
let left = Number(bytes), began;
socket.on('data', (data) => {
  began ??= performance.now();
  left -= data.length;
  if (left > 0) return;
  console.log(Number(bytes) / 1e3 / (performance.now() - began));
  process.exit();
});
`;
const PUSH = `
const piece = Buffer.alloc(256 * 1024);
require('node:net').createServer((socket) => {
  socket.on('error', () => {});
  const more = () => { while (socket.write(piece)); };
  socket.on('drain', more);
  more();
}).listen(9000, () => console.log('up'));
`;

if (whyNoMachine) {
  process.stdout.write(`${whyNoMachine}\n`);
  process.exit(2);
}
const machine = await makeMachine();
const cluster = await startTestControlPlane();
const appOf = (number: number): string => `app-${number % POLICIES}`;
const addressOf = (number: number): string => `10.244.${16 + (number >> 8)}.${number & 255}`;
const selecting = (number: number): { matchLabels: Record<string, string> } => ({
  matchLabels: { app: appOf(number) },
});
/** About ten pods; from ten others and another namespace to a port by name, to ten others and a range beyond. */
const specOf = (number: number, from: number): NetworkPolicySpec => ({
  podSelector: selecting(number),
  policyTypes: ['Ingress', 'Egress'],
  ingress: [
    {
      from: [{ podSelector: selecting(from) }, { namespaceSelector: { matchLabels: { team: 'a' } } }],
      ports: [{ port: 'web' }],
    },
  ],
  egress: [
    {
      to: [
        { podSelector: selecting(number + 2) },
        { ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] } },
      ],
    },
  ],
});
const keyOf = (name: string): { namespace: string; name: string } => ({ namespace: 'default', name });
const createPod = async (name: string, number: number): Promise<void> => {
  await cluster.client.create(pods, {
    metadata: { ...keyOf(name), labels: { app: appOf(number), number: `${number}` } },
    spec: {
      nodeName: 'here',
      containers: [{ name: 'c', image: 'i', ports: [{ name: 'web', containerPort: 8080 }] }],
    },
  });
};

process.stdout.write(`${machineName()}; ${PODS} pods, ${POLICIES} policies\n`);
await cluster.addNode('here');
await cluster.client.patch(
  namespaces,
  { name: 'default' },
  { type: 'merge', body: { metadata: { labels: { team: 'b' } } } },
);
for (let number = 0; number < PODS; number++) {
  await createPod(`pod-${number}`, number);
  await cluster.runPod(`pod-${number}`, addressOf(number));
}
for (let number = 0; number < POLICIES; number++) {
  const metadata = keyOf(`policy-${number}`);
  await cluster.client.create(networkPolicies, { metadata, spec: specOf(number, number + 1) });
}
const context = { ...machine, log: silentLog, random: cluster.context.random };
const table = new NftTable(context, { table: 'stead', owner: 'bench' }, [POLICIES_PART]);
let rules: Ruleset | undefined;
const set = table.set.bind(table);
table.set = (part, wanted) => {
  rules = wanted;
  set(part, wanted);
};

/** Processor time of this process and of the programs that it keeps, in milliseconds. */
function usedMs(): number {
  const { user, system } = process.cpuUsage();
  const children = machine.started.flatMap(({ pid }) => {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_A_SECOND;
    } catch {
      return [];
    }
  });
  return (user + system) / 1_000 + children.reduce((sum, ms) => sum + ms, 0);
}

async function measure(name: string, change: (round: number) => Promise<unknown>): Promise<void> {
  let round = 0;
  const measured = await series(name, 'ms', CHANGES, async () => {
    const began = performance.now();
    await change(round++);
    await cluster.clock.settle();
    await table.inForce();
    return performance.now() - began;
  });
  const sorted = [...measured.samples].sort((a, b) => a - b);
  process.stdout.write(`${line(measured)}, p99 ${sorted.at(-2)?.toFixed(1)} ms\n`);
}

try {
  const began = performance.now();
  const enforcer = await startPolicyEnforcer(cluster.context, table, {
    bridge: 'stead0',
    podRanges: [],
    families: [IPV4, IPV6],
  });
  process.stdout.write(`start to all rules in force: ${(performance.now() - began).toFixed(0)} ms\n`);
  await measure('a pod with other labels, written to the API to in force', (round) => {
    const labels = { app: appOf(round * 7) };
    return cluster.client.patch(pods, keyOf(`pod-${round}`), {
      type: 'merge',
      body: { metadata: { labels } },
    });
  });
  await measure('a policy with another peer, written to the API to in force', (round) => {
    const name = `policy-${round % POLICIES}`;
    const { ingress } = specOf(round, round + 3);
    return cluster.client.patch(networkPolicies, keyOf(name), { type: 'merge', body: { spec: { ingress } } });
  });
  await measure('the containers of a new pod wait', async (round) => {
    await createPod(`new-${round}`, round);
    const pod = await cluster.client.get(pods, keyOf(`new-${round}`));
    await cluster.clock.settle();
    await enforcer.inForce(pod, [`10.244.32.${round}`], new AbortController().signal);
  });
  const before = usedMs();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  process.stdout.write(
    `idle: ${(usedMs() - before).toFixed(0)} ms of processor time in ${IDLE_MS / 1_000} s\n`,
  );

  await (await machine.addPod('server', 11)).keep(PUSH);
  const client = await machine.addPod('client', 12);
  await createPod('server', 1);
  await createPod('client', 2);
  await cluster.runPod('server', '10.244.0.11');
  await cluster.runPod('client', '10.244.0.12');
  await cluster.client.patch(networkPolicies, keyOf('policy-1'), {
    type: 'merge',
    body: { spec: { ingress: [{ from: [{ podSelector: selecting(2) }] }] } },
  });
  await cluster.client.patch(networkPolicies, keyOf('policy-2'), {
    type: 'merge',
    body: { spec: { egress: [{ to: [{ podSelector: selecting(1) }] }] } },
  });
  await cluster.clock.settle();
  await table.inForce();
  const pull = async (): Promise<number> => Number(await client.node(PULL, `${TRANSFER_BYTES}`));
  const nothing: Ruleset = { chains: new Map(), sets: new Map(), elements: new Map() };
  const without: number[] = [];
  const under: number[] = [];
  // By turns: what else the machine does meets both alike.
  for (let transfer = 0; transfer < TRANSFERS; transfer++) {
    set(POLICIES_PART, nothing);
    await table.inForce();
    without.push(await pull());
    set(POLICIES_PART, rules ?? nothing);
    await table.inForce();
    under.push(await pull());
  }
  const unit = 'MB/s';
  process.stdout.write(`${line({ name: 'without policies', unit, samples: without })}\n`);
  process.stdout.write(`${line({ name: 'under policies', unit, samples: under })}\n`);
  process.stdout.write(`ratio of the medians: ${(median(under) / median(without)).toFixed(3)}\n`);
  enforcer.close();
} finally {
  await table.close();
  await cluster.stop();
  await machine.end();
}
