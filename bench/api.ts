// The API under load, over HTTPS with 64 connections, the load generator on the same machine: what it takes in and
// gives out per second, how long a single answer takes meanwhile, how soon 100 watchers hear, what memory it holds,
// and how all of it grows from 1,000 objects to 50,000. Every write is durable before it is answered.
import { rmSync } from 'node:fs';
import { type Answer, Connection, type Endpoint, endpointOf } from './api/connection.ts';
import { podJson } from './api/pods.ts';
import { machine, median } from './measure.ts';
import { cpuSeconds, newDataDirectory, residentMib, startStead, stead } from './process.ts';

const CONNECTIONS = 64;
const WATCHERS = 100;
const READS = 100_000;
const MIXED = 20_000;
const SIZES = [1_000, 10_000, 50_000];
const PODS = '/api/v1/namespaces/default/pods';
const pathOf = (i: number): string => `${PODS}/${nameOf(i)}`;
const MERGE_PATCH = 'application/merge-patch+json';
const labelPatch = (generation: string): string => JSON.stringify({ metadata: { labels: { generation } } });
const nameOf = (i: number): string => `bench-${i}`;

/** Keeps every connection busy with request after request until `count` are answered. @returns ms of each. */
async function load(
  connections: readonly Connection[],
  count: number,
  one: (connection: Connection, i: number) => Promise<Answer>,
  accepted: readonly number[] = [200, 201],
): Promise<number[]> {
  const times = new Array<number>(count);
  let next = 0;
  const worker = async (connection: Connection): Promise<void> => {
    for (let i = next++; i < count; i = next++) {
      const startedMs = performance.now();
      const answer = await one(connection, i);
      times[i] = performance.now() - startedMs;
      if (!accepted.includes(answer.code)) throw new Error(`${answer.code}: ${answer.body}`);
    }
  };
  await Promise.all(connections.map(worker));
  return times;
}

/** Times `count` requests. @returns how many there were per second, and what each cost the server's CPU. */
async function rateOf(count: number, pid: number, work: () => Promise<unknown>): Promise<string> {
  const startedMs = performance.now();
  const usedBefore = cpuSeconds(pid);
  await work();
  const perSecond = (count / (performance.now() - startedMs)) * 1000;
  const cpuMicros = ((cpuSeconds(pid) - usedBefore) / count) * 1e6;
  return `${Math.round(perSecond)}/s (${Math.round(cpuMicros)} µs of the server's CPU each)`;
}

const percentile = (samples: readonly number[], share: number): number =>
  samples.toSorted((a, b) => a - b)[Math.floor((samples.length - 1) * share)] ?? Number.NaN;

const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;

/** Lists everything, whole, several times. @returns the median in ms. */
async function listing(connection: Connection, expected: number): Promise<number> {
  const samples: number[] = [];
  for (let round = 0; round < 5; round++) {
    const startedMs = performance.now();
    const { body } = await connection.request('GET', PODS);
    samples.push(performance.now() - startedMs);
    const found = body.toString().split('"schedulerName"').length - 1;
    if (found !== expected) throw new Error(`the list has ${found} pods, not ${expected}`);
  }
  return median(samples);
}

/** The first pods as they are served, each with another label: what a client that updates them sends. */
async function changedPods(connection: Connection, count: number): Promise<string[]> {
  const bodies: string[] = [];
  for (let i = 0; i < count; i++) {
    const { body } = await connection.request('GET', pathOf(i));
    bodies.push(body.toString().replace('"generation":"', '"generation":"1'));
  }
  return bodies;
}

/** Four gets, one update and one create or delete in turn, with a list of 500 each 200th. */
async function mixed(connections: readonly Connection[], size: number, count: number): Promise<number[]> {
  return load(
    connections,
    count,
    (connection, i) => {
      const target = (i * 7919) % size;
      if (i % 200 === 199) return connection.request('GET', `${PODS}?limit=500`);
      if (i % 6 === 4)
        return connection.request('PATCH', pathOf(target), labelPatch(`mixed-${i}`), MERGE_PATCH);
      if (i % 12 === 5) return connection.request('POST', PODS, podJson(`extra-${i}`));
      if (i % 12 === 11) return connection.request('DELETE', `${PODS}/extra-${i - 6}`);
      return connection.request('GET', pathOf(target));
    },
    // Two may meet at one pod, and what is to be deleted may not have been created yet.
    [200, 201, 404, 409],
  );
}

/** From before an update is sent until each of the watchers has its event. @returns ms of each. */
async function fanOut(endpoint: Endpoint, writer: Connection, rounds: number): Promise<number[]> {
  const watchers = await Promise.all(Array.from({ length: WATCHERS }, () => Connection.open(endpoint)));
  const samples: number[] = [];
  let heard = 0;
  let all = (): void => undefined;
  let marker = '';
  let startedMs = 0;
  const { body } = await writer.request('GET', `${PODS}?limit=1`);
  const { metadata } = JSON.parse(body.toString());
  for (const watcher of watchers) {
    watcher.watch(`${PODS}?watch=1&resourceVersion=${metadata.resourceVersion}`, (data) => {
      if (!marker || !data.includes(marker)) return;
      samples.push(performance.now() - startedMs);
      if (++heard === WATCHERS) all();
    });
  }
  for (let round = 0; round < rounds; round++) {
    heard = 0;
    marker = `"generation":"round-${round}"`;
    const everyone = new Promise<void>((resolve) => {
      all = resolve;
    });
    startedMs = performance.now();
    const [answer] = await Promise.all([
      writer.request('PATCH', pathOf(0), labelPatch(`round-${round}`), MERGE_PATCH),
      everyone,
    ]);
    if (answer.code !== 200) throw new Error(`${answer.code}: ${answer.body}`);
  }
  for (const watcher of watchers) watcher.close();
  return samples;
}

interface Bench {
  pid: number;
  endpoint: Endpoint;
  connections: readonly Connection[];
  /** One of them. */
  first: Connection;
}

/** A stead of its own for a part of the benchmark. */
async function withStead(part: (bench: Bench) => Promise<void>): Promise<void> {
  const directory = newDataDirectory();
  const server = await startStead(directory, 'simulated');
  try {
    const endpoint = endpointOf(server.kubeconfig);
    const connections = await Promise.all(
      Array.from({ length: CONNECTIONS }, () => Connection.open(endpoint)),
    );
    const [first] = connections;
    if (!first) throw new Error('no connection');
    await part({ pid: server.pid, endpoint, connections, first });
    for (const connection of connections) connection.close();
  } finally {
    await server.end();
    stead(directory, 'down', '--purge');
    rmSync(directory, { recursive: true, force: true });
  }
}

const createPods = ({ pid, connections }: Bench, from: number, to: number): Promise<string> =>
  rateOf(to - from, pid, () =>
    load(connections, to - from, (connection, i) =>
      connection.request('POST', PODS, podJson(nameOf(from + i))),
    ),
  );

/** One size: everything that is measured of it. */
async function measure({ pid, endpoint, connections, first }: Bench, size: number): Promise<void> {
  const gets = await rateOf(READS, pid, () =>
    load(connections, READS, (connection, i) => connection.request('GET', pathOf((i * 7919) % size))),
  );
  console.log(`  gets     ${gets}`);
  const changed = await changedPods(first, Math.min(size, 10_000));
  const updates = await rateOf(changed.length, pid, () =>
    load(connections, changed.length, (connection, i) =>
      connection.request('PUT', pathOf(i), changed[i] ?? ''),
    ),
  );
  console.log(`  updates  ${updates}, durable`);
  console.log(`  list     ${ms(await listing(first, size))} (whole, median of 5)`);
  const latencies = await mixed(connections, size, MIXED);
  console.log(`  mixed    median ${ms(median(latencies))}, p99 ${ms(percentile(latencies, 0.99))}`);
  for (let i = 5; i < MIXED; i += 12) await first.request('DELETE', `${PODS}/extra-${i}`);
  const events = await fanOut(endpoint, first, 100);
  const [middle, worst] = [ms(median(events)), ms(percentile(events, 0.99))];
  console.log(`  event → ${WATCHERS} watchers  median ${middle}, p99 ${worst}`);
}

console.log(`${machine()}; ${CONNECTIONS} connections`);
await withStead(async (bench) => {
  const creates = await createPods(bench, 0, 10_000);
  const { body } = await bench.first.request('GET', pathOf(0));
  const memory = `${residentMib(bench.pid).toFixed(0)} MiB resident`;
  console.log(`\nfresh, 10,000 pods of ${body.length} bytes: creates ${creates}, durable; ${memory}`);
});
await withStead(async (bench) => {
  let size = 0;
  for (const next of SIZES) {
    const creates = await createPods(bench, size, next);
    size = next;
    console.log(`\n${size} pods (${residentMib(bench.pid).toFixed(0)} MiB resident after all this)`);
    console.log(`  creates  ${creates}, durable`);
    await measure(bench, size);
  }
});
