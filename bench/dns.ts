// Questions about the cluster's names: how many a second, and how long one of many takes, beside dnsmasq, unbound and
// CoreDNS on the same names and in the same run. Load by Debian's dnsperf: as much as a server takes with a hundred
// questions under way, then five thousand a second. The order of the servers turns from round to round.
// `node dist/bench/dns.js [rounds] [seconds]`
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pods } from '../src/api/resources/pods/definition.ts';
import { services } from '../src/api/resources/services/definition.ts';
import { statefulSets } from '../src/api/resources/stateful-sets/definition.ts';
import { httpsClient } from '../src/client/https.ts';
import { parseKubeconfig } from '../src/client/kubeconfig.ts';
import { type NamedAddress, startPeers } from './dns/peers.ts';
import { machine, median } from './measure.ts';
import { newDataDirectory, removeStead, startStead, stead } from './process.ts';

const SERVICES = 200;
const REPLICAS = 20;
const STEADY_PER_SECOND = 5_000;
const rounds = Number(process.argv[2] ?? 5);
const seconds = Number(process.argv[3] ?? 4);

/** What the names are in every server. */
async function furnish(kubeconfig: string): Promise<NamedAddress[]> {
  const client = httpsClient(parseKubeconfig(await readFile(kubeconfig, 'utf8')));
  const names: NamedAddress[] = [];
  for (let index = 0; index < SERVICES; index++) {
    const name = `service-${index}`;
    const { spec } = await client.create(services, {
      metadata: { namespace: 'default', name },
      spec: { selector: { app: name }, ports: [{ name: 'http', port: 80 }] },
    });
    names.push({ name: `${name}.default.svc.cluster.local`, address: spec.clusterIP ?? '' });
  }
  const app = { app: 'db' };
  await client.create(services, {
    metadata: { namespace: 'default', name: 'db' },
    spec: { clusterIP: 'None', selector: app, ports: [{ name: 'pg', port: 5432 }] },
  });
  await client.create(statefulSets, {
    metadata: { namespace: 'default', name: 'db' },
    spec: {
      serviceName: 'db',
      replicas: REPLICAS,
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: app },
      template: { metadata: { labels: app }, spec: { containers: [{ name: 'main', image: 'a:1' }] } },
    },
  });
  for (;;) {
    const { items } = await client.list(pods, { namespace: 'default' });
    const ready = items.filter(({ status }) =>
      status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
    );
    if (ready.length === REPLICAS) {
      for (const { metadata, status } of ready)
        names.push({ name: `${metadata.name}.db.default.svc.cluster.local`, address: status?.podIP ?? '' });
      return names;
    }
    await new Promise((again) => setTimeout(again, 50));
  }
}

function dnsperf(port: number, questions: string, ...more: string[]): string {
  const args = ['-s', '127.0.0.1', '-p', `${port}`, '-d', questions, '-l', `${seconds}`, '-c', '4', ...more];
  const { status, stderr, stdout } = spawnSync('dnsperf', args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`dnsperf: ${stderr}${stdout}`);
  return stdout;
}

interface Measured {
  perSecond: number[];
  p50Ms: number[];
  p99Ms: number[];
  lost: number;
}

function measure(port: number, questions: string, into: Measured): void {
  const most = dnsperf(port, questions, '-q', '100');
  into.perSecond.push(Number(/Queries per second:\s+([\d.]+)/.exec(most)?.[1]));
  into.lost += Number(/Queries lost:\s+(\d+)/.exec(most)?.[1]);
  const steady = dnsperf(port, questions, '-Q', `${STEADY_PER_SECOND}`, '-v');
  const latencies = [...steady.matchAll(/^> NOERROR .* ([\d.]+)$/gm)].map((match) => Number(match[1]) * 1000);
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(share * latencies.length)] ?? Number.NaN;
  into.p50Ms.push(at(0.5));
  into.p99Ms.push(at(0.99));
}

const directory = newDataDirectory();
const peersDirectory = newDataDirectory();
const { end, kubeconfig } = await startStead(directory, 'simulated');
const ends: Array<() => void> = [];
try {
  const names = await furnish(kubeconfig);
  const questions = join(peersDirectory, 'questions');
  writeFileSync(questions, names.map(({ name }) => `${name} A\n`).join(''));
  const { dns }: { dns: string } = JSON.parse(stead(directory, 'status', '-o', 'json'));
  const peers = await startPeers(peersDirectory, names, kubeconfig);
  for (const peer of peers) ends.push(peer.end);
  const servers = [{ name: 'stead', port: Number(dns.split(':')[1]) }, ...peers];
  const results = new Map<string, Measured>();
  for (let round = 0; round < rounds; round++) {
    for (let index = 0; index < servers.length; index++) {
      const server = servers[(round + index) % servers.length];
      if (!server) continue;
      const measured = results.get(server.name) ?? { perSecond: [], p50Ms: [], p99Ms: [], lost: 0 };
      results.set(server.name, measured);
      measure(server.port, questions, measured);
    }
  }
  process.stdout.write(`${machine()}; ${names.length} names, ${rounds} rounds of ${seconds} seconds\n`);
  for (const { name } of servers) {
    const { lost = 0, p50Ms = [], p99Ms = [], perSecond = [] } = results.get(name) ?? {};
    const spread = `${Math.min(...perSecond).toFixed(0)}–${Math.max(...perSecond).toFixed(0)}`;
    process.stdout.write(
      `${name}: ${median(perSecond).toFixed(0)} a second (${spread}), ${lost} lost; at ${STEADY_PER_SECOND} a second p50 ${median(p50Ms).toFixed(2)} ms, p99 ${median(p99Ms).toFixed(2)} ms\n`,
    );
  }
} finally {
  for (const stop of ends) stop();
  await end();
  removeStead(directory);
  rmSync(peersDirectory, { recursive: true });
}
