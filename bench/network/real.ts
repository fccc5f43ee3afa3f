// A whole stead with a thousand Services and one real pod: how long after a write a client sees the name and gets the
// connection, and what a thousand Services cost that nobody touches.
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { EndpointSlice } from '../../src/api/generated/types.ts';
import { endpointSlices } from '../../src/api/resources/endpoint-slices/definition.ts';
import { pods } from '../../src/api/resources/pods/definition.ts';
import { services } from '../../src/api/resources/services/definition.ts';
import type { Client } from '../../src/client/client.ts';
import { httpsClient } from '../../src/client/https.ts';
import { parseKubeconfig } from '../../src/client/kubeconfig.ts';
import { pathsOf } from '../../src/cluster/disk/paths.ts';
import { ensureImage } from '../../test/kit/images.ts';
import { median } from '../measure.ts';
import {
  cpuSeconds,
  memoryMib,
  newDataDirectory,
  type RunningStead,
  removeStead,
  startStead,
  stead,
} from '../process.ts';

const SERVICES = 1_000;
const ENDPOINTS = 5;
const CHANGES = 200;
const FULL_WRITES = 7;
const IDLE_SECONDS = 60;
/** How long what was begun before an idle minute has to end. */
const SETTLE_SECONDS = 5;
const GATE = 'bench.stead.dev/ready';
const namespace = 'default';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** One probe (probe.ts), asked one thing after another. */
class Probe {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: NodeJS.AsyncIterator<string>;

  constructor() {
    const program = join(import.meta.dirname, 'probe.js');
    this.#child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** When the answer to the question was first as wanted, in nanoseconds of the machine's clock. */
  async sees(question: string): Promise<bigint> {
    this.#child.stdin.write(`${question}\n`);
    return BigInt((await this.#lines.next()).value);
  }

  async end(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.stdin.end();
    await ended;
  }
}

const msBetween = (fromNs: bigint, toNs: bigint): number => Number(toNs - fromNs) / 1e6;

function tell(name: string, samples: number[]): void {
  const sorted = [...samples].sort((a, b) => a - b);
  const p99 = sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN;
  say(`${name}: p50 ${median(samples).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms (${samples.length} times)`);
}

const sliceFor = (service: string, addresses: string[], ready: boolean): EndpointSlice => ({
  metadata: { namespace, name: service, labels: { 'kubernetes.io/service-name': service } },
  addressType: 'IPv4',
  ports: [{ name: '', port: 8080, protocol: 'TCP' }],
  endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready } })),
});

/** Prints what it has measured. Takes root, containers and nftables. */
export async function measureRealStead(): Promise<void> {
  const dataDirectory = newDataDirectory();
  let running: RunningStead | undefined;
  const probes = [new Probe(), new Probe()] as const;
  try {
    running = await startStead(dataDirectory, 'containerd');
    stead(dataDirectory, 'image', 'load', await ensureImage('toolbox'));
    const client = httpsClient(parseKubeconfig(readFileSync(running.kubeconfig, 'utf8')));
    await measure(client, running, probes);
  } finally {
    for (const probe of probes) await probe.end();
    await running?.end();
    removeStead(dataDirectory);
  }
}

async function measure(
  client: Client,
  { dataDirectory, pid }: RunningStead,
  [byAddress, byName]: readonly [Probe, Probe],
): Promise<void> {
  const info: { dns: string; services: string } = JSON.parse(stead(dataDirectory, 'status', '-o', 'json'));
  const nodePid = Number(readFileSync(pathsOf(dataDirectory).nodeLock, 'utf8'));
  await client.create(pods, {
    metadata: { namespace, name: 'server', labels: { app: 'gated' } },
    spec: {
      readinessGates: [{ conditionType: GATE }],
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'c',
          image: 'stead.dev/toolbox:1',
          command: ['busybox', 'httpd', '-f', '-p', '8080', '-h', '/tmp'],
        },
      ],
    },
  });
  const addressOf = async (): Promise<string> =>
    (await client.get(pods, { namespace, name: 'server' })).status?.podIP ?? '';
  let podIp = '';
  while (!podIp) podIp = await addressOf();
  await byAddress.sees(`tcp ${podIp} 8080 yes`);
  const makeService = async (name: string, spec: object): Promise<string> => {
    const made = await client.create(services, {
      metadata: { namespace, name },
      spec: { ports: [{ port: 80, targetPort: 8080 }], ...spec },
    });
    return made.spec.clusterIP ?? '';
  };

  /** Makes it so, waits until a client sees it, makes it otherwise, and so on. */
  const changes = async (
    ways: ReadonlyArray<{ probe: Probe; question: string; samples: number[] }>,
    write: (isReady: boolean) => Promise<unknown>,
  ): Promise<number[]> => {
    const acknowledged: number[] = [];
    for (let count = 0; count < CHANGES; count++) {
      for (const isReady of [true, false]) {
        const seen = ways.map(({ probe, question }) => probe.sees(`${question} ${isReady ? 'yes' : 'no'}`));
        const wroteNs = process.hrtime.bigint();
        await write(isReady);
        if (isReady) acknowledged.push(msBetween(wroteNs, process.hrtime.bigint()));
        const times = await Promise.all(seen);
        if (!isReady) continue;
        for (const [index, { samples }] of ways.entries())
          samples.push(msBetween(wroteNs, times[index] ?? 0n));
      }
    }
    return acknowledged;
  };
  const readiness = async (title: string, service: string): Promise<void> => {
    const address = await makeService(service, {});
    await client.create(endpointSlices, sliceFor(service, [podIp], false));
    const samples: number[] = [];
    const acknowledged = await changes(
      [{ probe: byAddress, question: `tcp ${address} 80`, samples }],
      async (isReady) =>
        client.patch(
          endpointSlices,
          { namespace, name: service },
          {
            type: 'merge',
            body: { endpoints: [{ addresses: [podIp], conditions: { ready: isReady } }] },
          },
        ),
    );
    tell(`${title}: a slice’s endpoint is written ready → the write is answered`, acknowledged);
    tell(`${title}: a slice’s endpoint is written ready → first connection by the cluster IP`, samples);
  };
  await readiness('alone', 'plain-alone');

  const gated = await makeService('gated', { selector: { app: 'gated' } });
  await makeService('gated-names', { clusterIP: 'None', selector: { app: 'gated' } });
  const connection: number[] = [];
  const name: number[] = [];
  const acknowledged = await changes(
    [
      { probe: byAddress, question: `tcp ${gated} 80`, samples: connection },
      { probe: byName, question: `name ${info.dns} gated-names.default.svc.cluster.local`, samples: name },
    ],
    async (isReady) =>
      client.patch(
        pods,
        { namespace, name: 'server' },
        {
          type: 'strategic',
          body: { status: { conditions: [{ type: GATE, status: isReady ? 'True' : 'False' }] } },
        },
        { subresource: 'status' },
      ),
  );
  tell('a pod’s readiness gate is written → the write is answered', acknowledged);
  tell(
    'a pod’s readiness gate is written, its node writes it ready → first connection by the cluster IP',
    connection,
  );
  tell('a pod’s readiness gate is written, its node writes it ready → first answer with its name', name);

  const before = memoryMib(nodePid).all;
  for (let service = 0; service < SERVICES; service++) {
    await makeService(`service-${service}`, {});
    const addresses = Array.from({ length: ENDPOINTS }, (_, endpoint) => {
      const number = service * ENDPOINTS + endpoint;
      return `198.18.${number >> 8}.${number & 255}`;
    });
    await client.create(endpointSlices, sliceFor(`service-${service}`, addresses, true));
  }
  const table = /table (\w+)/.exec(info.services)?.[1] ?? '';
  await readiness(`among ${SERVICES} Services`, 'plain-among-many');
  const steady = await makeService('steady', {});
  await client.create(endpointSlices, sliceFor('steady', [podIp], true));
  await byAddress.sees(`tcp ${steady} 80 yes`);
  const full: number[] = [];
  for (let write = 0; write < FULL_WRITES; write++) {
    execFileSync('nft', ['delete', 'table', 'inet', table]);
    const goneNs = process.hrtime.bigint();
    full.push(msBetween(goneNs, await byAddress.sees(`tcp ${steady} 80 yes`)));
  }
  tell('the table is deleted by hand → first connection again, by rules that are all written anew', full);
  say(
    `memory of the node: ${before.toFixed(0)} MiB before, ${memoryMib(nodePid).all.toFixed(0)} MiB with ${SERVICES} Services`,
  );
  await rest(SETTLE_SECONDS);
  await idle([
    ['API', [pid]],
    ['node', [nodePid]],
    ['its programs nft', nftOf(nodePid)],
  ]);
}

const rest = (seconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, seconds * 1_000));

/** The programs called nft that a process keeps. */
function nftOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const [, command, rest = ''] = /\((.*)\) (.*)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? [];
        return command === 'nft' && Number(rest.split(' ')[1]) === parent ? [Number(name)] : [];
      } catch {
        return [];
      }
    });
}

async function idle(processes: ReadonlyArray<[string, number[]]>): Promise<void> {
  const used = (): number[] =>
    processes.map(([, pids]) => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0));
  const before = used();
  await rest(IDLE_SECONDS);
  const after = used();
  const texts = processes.map(
    ([name], index) => `${name} ${(((after[index] ?? 0) - (before[index] ?? 0)) * 1_000).toFixed(0)} ms`,
  );
  say(`processor time in ${IDLE_SECONDS} idle seconds: ${texts.join(', ')}`);
}
