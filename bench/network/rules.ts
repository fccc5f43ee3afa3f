// Services on a kernel: what the rules of a thousand Services with five endpoints each cost to write, what one change among
// them costs, what an idle proxy uses, and how fast bytes go by a cluster IP beside the pod's own address. The API is in
// memory and the machine a network namespace, as in the tests of the proxy; takes root and nftables.
import { readFileSync } from 'node:fs';
import type { EndpointSlice } from '../../src/api/generated/types.ts';
import { endpointSlices } from '../../src/api/resources/endpoint-slices/definition.ts';
import { services } from '../../src/api/resources/services/definition.ts';
import { silentLog } from '../../src/base/log.ts';
import { NftTable } from '../../src/network/nftables/table.ts';
import { IPV4, IPV6 } from '../../src/network/proxy/family.ts';
import { startServiceProxy } from '../../src/network/proxy/proxy.ts';
import { MACHINE_IP, makeMachine } from '../../src/network/test-machine.ts';
import { startTestControlPlane } from '../../src/testing/test-control-plane.ts';
import { line, median, series } from '../measure.ts';

const SERVICES = 1_000;
const ENDPOINTS = 5;
const CHANGES = 100;
const IDLE_MS = 10_000;
const TRANSFERS = 7;
const TRANSFER_BYTES = 2_000_000_000;
const TICKS_A_SECOND = 100;

/** Reads as many bytes as it is told from where it is told, and prints how many MB/s came. */
const PULL = `
const [host, bytes] = process.argv.slice(1);
const socket = require('node:net').connect({ host, port: host.startsWith('10.96') ? 80 : 9000 });
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

/** Prints what it has measured. */
export async function measureRules(): Promise<void> {
  const machine = await makeMachine();
  const cluster = await startTestControlPlane();
  const context = { ...machine, log: silentLog, random: cluster.context.random };
  const addressOf = (service: number, endpoint: number): string => {
    const number = service * ENDPOINTS + endpoint;
    return `10.244.${16 + (number >> 8)}.${number & 255}`;
  };
  const sliceOf = (service: number, endpoints: number): EndpointSlice => ({
    metadata: {
      namespace: 'default',
      name: `service-${service}`,
      labels: { 'kubernetes.io/service-name': `service-${service}` },
    },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints: Array.from({ length: endpoints }, (_, endpoint) => ({
      addresses: [addressOf(service, endpoint)],
    })),
  });

  for (let service = 0; service < SERVICES; service++) {
    await cluster.client.create(services, {
      metadata: { namespace: 'default', name: `service-${service}` },
      spec: {
        clusterIP: `10.96.${1 + (service >> 8)}.${service & 255}`,
        ports: [{ port: 80, targetPort: 8080 }],
      },
    });
    await cluster.client.create(endpointSlices, sliceOf(service, ENDPOINTS));
  }
  const table = new NftTable(context, { table: 'stead', owner: 'bench' });
  const options = {
    bridge: 'stead0',
    families: [IPV4, IPV6],
    nodeName: 'here',
    nodeIps: [MACHINE_IP],
    podRanges: ['10.244.0.0/16'],
    serviceRanges: [{ cidr: '10.96.0.0/16', family: IPV4, onHost: true }],
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

  try {
    const began = performance.now();
    const proxy = await startServiceProxy(cluster.context, table, machine.run, options);
    process.stdout.write(`start to all rules in force: ${(performance.now() - began).toFixed(0)} ms\n`);
    const full = await series('full write', 'ms', 7, async () => {
      await machine.run('nft', ['flush', 'ruleset']);
      const flushed = performance.now();
      while (!(await machine.run('nft', ['list', 'tables'])).includes('stead'));
      await table.settled();
      return performance.now() - flushed;
    });
    process.stdout.write(`${line({ ...full, name: 'flushed by hand to all rules in force' })}\n`);
    let service = 0;
    const key = (): { namespace: string; name: string } => ({
      namespace: 'default',
      name: `service-${service}`,
    });
    const change = await series(
      'one change among them, written to the API to in force',
      'ms',
      CHANGES,
      async () => {
        service = (service + 7) % SERVICES;
        const slice = await cluster.client.get(endpointSlices, key());
        const { endpoints } = sliceOf(
          service,
          slice.endpoints?.length === ENDPOINTS ? ENDPOINTS - 1 : ENDPOINTS,
        );
        const wrote = performance.now();
        await cluster.client.update(endpointSlices, { ...slice, endpoints: endpoints ?? [] });
        await cluster.clock.settle();
        await table.settled();
        return performance.now() - wrote;
      },
    );
    const sorted = [...change.samples].sort((a, b) => a - b);
    process.stdout.write(`${line(change)}, p99 ${sorted.at(-2)?.toFixed(1)} ms\n`);
    const before = usedMs();
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    process.stdout.write(
      `idle: ${(usedMs() - before).toFixed(0)} ms of processor time in ${IDLE_MS / 1_000} s\n`,
    );

    const server = await machine.addPod('server', 11);
    const client = await machine.addPod('client', 12);
    await server.keep(PUSH);
    await cluster.client.create(services, {
      metadata: { namespace: 'default', name: 'pushed' },
      spec: { clusterIP: '10.96.200.1', ports: [{ port: 80, targetPort: 9_000 }] },
    });
    await cluster.client.create(endpointSlices, {
      metadata: { namespace: 'default', name: 'pushed', labels: { 'kubernetes.io/service-name': 'pushed' } },
      addressType: 'IPv4',
      ports: [{ name: '', port: 9_000, protocol: 'TCP' }],
      endpoints: [{ addresses: ['10.244.0.11'] }],
    });
    await cluster.clock.settle();
    await table.settled();
    const pull = async (host: string): Promise<number> =>
      Number(await client.node(PULL, host, `${TRANSFER_BYTES}`));
    const own: number[] = [];
    const byService: number[] = [];
    // By turns: what else the machine does meets both alike.
    for (let transfer = 0; transfer < TRANSFERS; transfer++) {
      own.push(await pull('10.244.0.11'));
      byService.push(await pull('10.96.200.1'));
    }
    const unit = 'MB/s';
    process.stdout.write(`${line({ name: 'by the pod’s own address', unit, samples: own })}\n`);
    process.stdout.write(`${line({ name: 'by a cluster IP', unit, samples: byService })}\n`);
    process.stdout.write(`ratio of the medians: ${(median(byService) / median(own)).toFixed(3)}\n`);
    await proxy.close();
  } finally {
    await table.close();
    await cluster.stop();
    await machine.end();
  }
}
