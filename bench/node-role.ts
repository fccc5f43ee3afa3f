// What a busy API costs the node: how punctually probes come and how soon names are answered, at rest, while 64
// connections keep the API busy, and while its thread does nothing else for five seconds at a time (it is stopped:
// whatever a request could do to it, that is the worst). On real containers; it takes root. Beside each figure: what the same
// question takes of a process that does nothing but answer, which is the machine's part. Also what both processes weigh.
//
//   node dist/bench/node-role.js
import { type ChildProcess, fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { ensureImage } from '../test/kit/images.ts';
import { Connection, endpointOf } from './api/connection.ts';
import { podJson } from './api/pods.ts';
import { machine } from './measure.ts';
import { newDataDirectory, removeStead, startStead, stead, weightOf } from './process.ts';

const PROBED = 10;
const PERIOD_MS = 1000;
const PHASE_MS = 20_000;
const BUSY_MS = 5_000;
const QUESTION_MS = 10;
const LATE_MS = 1_000;
const CONNECTIONS = 64;
const PODS = '/api/v1/namespaces/default/pods';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const percentile = (samples: readonly number[], share: number): number =>
  samples.toSorted((a, b) => a - b)[Math.floor((samples.length - 1) * share)] ?? Number.NaN;

/** Reads and writes over 64 connections, in a process of its own, until it is ended. */
async function load(kubeconfig: string): Promise<void> {
  const endpoint = endpointOf(kubeconfig);
  const one = async (index: number): Promise<void> => {
    const connection = await Connection.open(endpoint);
    for (let count = 0; ; count++) {
      const name = `load-${index}-${count}`;
      await connection.request('POST', PODS, podJson(name));
      await connection.request('GET', `${PODS}/${name}`);
      if (count % 50 === 0) await connection.request('GET', PODS);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, index) => one(index)));
}

/** Gives back what it is sent, and does nothing else: what it takes longer at times is the machine's doing. */
async function echo(): Promise<void> {
  const socket = createSocket(
    'udp4',
    (message, { address, port }) => void socket.send(message, port, address),
  );
  socket.bind(0, '127.0.0.1', () => process.send?.(socket.address().port));
}

/** Where probes of one pod arrive; the time between two of one container is its period, if all is well. */
async function probeTarget(): Promise<{ port: number; jitters: () => number[]; end(): void }> {
  const last = new Map<string, number>();
  let jitters: number[] = [];
  const server = createServer((request, response) => {
    const now = performance.now();
    const before = last.get(request.url ?? '');
    if (before !== undefined) jitters.push(Math.abs(now - before - PERIOD_MS));
    last.set(request.url ?? '', now);
    response.end('ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    jitters() {
      const taken = jitters;
      jitters = [];
      return taken;
    },
    end() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Asks for a name again and again. @returns what each answer took so far; one that never came counts as a second. */
function askNames(dns: string): { times: () => number[]; end(): void } {
  const [host = '', port] = dns.split(':');
  const socket = createSocket('udp4');
  const asked = new Map<number, number>();
  let times: number[] = [];
  let id = 0;
  const name = Buffer.concat(
    ['probed', 'default', 'svc', 'cluster', 'local'].map((label) =>
      Buffer.from([label.length, ...Buffer.from(label)]),
    ),
  );
  const timer = setInterval(() => {
    id = (id + 1) & 0xffff;
    const head = Buffer.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    asked.set(id, performance.now());
    socket.send(Buffer.concat([head, name, Buffer.from([0, 0, 1, 0, 1])]), Number(port), host);
    for (const [old, at] of asked) {
      if (performance.now() - at < LATE_MS) break;
      asked.delete(old);
      times.push(LATE_MS);
    }
  }, QUESTION_MS);
  socket.on('message', (answer) => {
    const of = answer.readUInt16BE(0);
    const at = asked.get(of);
    if (at === undefined) return;
    asked.delete(of);
    times.push(performance.now() - at);
  });
  return {
    times() {
      const taken = times;
      times = [];
      return taken;
    },
    end() {
      clearInterval(timer);
      socket.close();
    },
  };
}

function manifest(host: string, port: number): string {
  const containers = Array.from({ length: PROBED }, (_, index) => ({
    name: `c${index}`,
    image: 'stead.dev/toolbox:1',
    command: ['sleep', 'infinity'],
    readinessProbe: { httpGet: { host, port, path: `/${index}` }, periodSeconds: PERIOD_MS / 1000 },
  }));
  return JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { name: 'probed', labels: { app: 'probed' } },
    spec: { terminationGracePeriodSeconds: 0, containers },
  });
}

async function main(): Promise<void> {
  console.log(machine());
  const directory = newDataDirectory();
  const running = await startStead(directory, 'containerd');
  const target = await probeTarget();
  const helpers: ChildProcess[] = [];
  try {
    stead(directory, 'image', 'load', await ensureImage('toolbox'));
    const { dns }: { dns: string } = JSON.parse(stead(directory, 'status', '-o', 'json'));
    await pause(15_000);
    console.log(`idle: ${weightOf(running)} resident`);
    const connection = await Connection.open(endpointOf(running.kubeconfig));
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'probed' } };
    const spec = { clusterIP: 'None', selector: { app: 'probed' }, ports: [{ port: 80 }] };
    await connection.request(
      'POST',
      '/api/v1/namespaces/default/services',
      JSON.stringify({ ...service, spec }),
    );
    const host = dns.split(':')[0] ?? '';
    await connection.request('POST', PODS, manifest(host, target.port));
    const names = askNames(dns);
    const echoing = fork(import.meta.filename, ['echo']);
    helpers.push(echoing);
    const [echoPort] = await once(echoing, 'message');
    const echoes = askNames(`127.0.0.1:${echoPort}`);
    await pause(15_000);

    const phase = async (what: string, work: () => Promise<void>): Promise<void> => {
      target.jitters();
      names.times();
      echoes.times();
      await work();
      const [jitters, times, floor] = [target.jitters(), names.times(), echoes.times()];
      const of = (samples: number[]): string =>
        `p50 ${percentile(samples, 0.5).toFixed(1)} ms, p99 ${percentile(samples, 0.99).toFixed(1)} ms, worst ${Math.max(...samples).toFixed(1)} ms of ${samples.length}`;
      console.log(
        `${what}: probes are off by ${of(jitters)}; names take ${of(times)}; an echo takes ${of(floor)}`,
      );
    };
    await phase('at rest', () => pause(PHASE_MS));
    await phase('beside an API whose thread is busy for five seconds at a time', async () => {
      for (let round = 0; round < PHASE_MS / (2 * BUSY_MS); round++) {
        process.kill(running.pid, 'SIGSTOP');
        await pause(BUSY_MS);
        process.kill(running.pid, 'SIGCONT');
        await pause(BUSY_MS);
      }
    });
    helpers.push(fork(import.meta.filename, ['load', running.kubeconfig]));
    await phase(`with ${CONNECTIONS} connections at work on the API`, () => pause(PHASE_MS));
    names.end();
    echoes.end();
  } finally {
    for (const helper of helpers) helper.kill();
    target.end();
    await running.end();
    removeStead(directory);
  }
}

const [what, kubeconfig = ''] = process.argv.slice(2);
if (what === 'load') await load(kubeconfig);
else if (what === 'echo') await echo();
else {
  await main();
  process.exit();
}
