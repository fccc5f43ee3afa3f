// What an hour of events costs in memory: sets on simulated nodes whose pods are replaced all the time, at the pace of a
// busy cluster and with the hour that events are kept for real. Says every minute what the process holds; the kernel
// counts the store's pages, which it may take back at any time, apart from the process's own.
// `node dist/bench/event-churn.js [minutes] [pods replaced per second]`
import { readFileSync } from 'node:fs';
import type { StatefulSet } from '../src/api/generated/types.ts';
import { events } from '../src/api/resources/events/definition.ts';
import { statefulSets } from '../src/api/resources/stateful-sets/definition.ts';
import type { Client } from '../src/client/client.ts';
import { httpsClient } from '../src/client/https.ts';
import { parseKubeconfig } from '../src/client/kubeconfig.ts';
import { machine } from './measure.ts';
import { cpuSeconds, memoryMib, newDataDirectory, removeStead, startStead } from './process.ts';

const SETS = 10;
const REPLICAS = 10;
/** Of each set of pods as many that fail and are started again and again. */
const FAILING = 5;
const MINUTE_MS = 60_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function setOf(name: string, replicas: number, annotations: Record<string, string>): StatefulSet {
  return {
    metadata: { namespace: 'default', name },
    spec: {
      serviceName: name,
      replicas,
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '50%' } },
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name }, annotations },
        spec: { containers: [{ name: 'main', image: 'a:1' }] },
      },
    },
  };
}

/** Replaces the pods of a set, one set after the other, until the time is over. */
async function churn(client: Client, podsPerSecond: number, untilMs: number): Promise<void> {
  const startedMs = performance.now();
  for (let round = 0; performance.now() < untilMs; round++) {
    const annotations = { 'kubectl.kubernetes.io/restartedAt': `${round}` };
    await client.patch(
      statefulSets,
      { namespace: 'default', name: `set-${round % SETS}` },
      { type: 'merge', body: { spec: { template: { metadata: { annotations } } } } },
    );
    const nextMs = startedMs + ((round + 1) * REPLICAS * 1000) / podsPerSecond;
    await pause(Math.max(0, Math.min(nextMs, untilMs) - performance.now()));
  }
}

async function eventCount(client: Client): Promise<number> {
  const { items, metadata } = await client.list(events, { limit: 1 });
  return items.length + (metadata.remainingItemCount ?? 0);
}

const minutes = Number(process.argv[2] ?? 10);
const podsPerSecond = Number(process.argv[3] ?? 4);
console.log(`${machine()}; ${minutes} minutes, ${podsPerSecond} pods replaced a second`);
const directory = newDataDirectory();
const stead = await startStead(directory, 'simulated', ['--simulated-nodes', '10']);
try {
  const client = httpsClient(parseKubeconfig(readFileSync(stead.kubeconfig, 'utf8')));
  for (let index = 0; index < SETS; index++)
    await client.create(statefulSets, setOf(`set-${index}`, REPLICAS, {}));
  await client.create(statefulSets, setOf('failing', FAILING, { 'simulated.stead.dev/exit-code': '1' }));
  await pause(10_000);
  const say = async (minute: number): Promise<void> => {
    const { all, own, file } = memoryMib(stead.pid);
    const mib = `${all.toFixed(0)} MiB resident: ${own.toFixed(0)} its own, ${file.toFixed(0)} of files`;
    const cpu = `${cpuSeconds(stead.pid).toFixed(0)} s of CPU so far`;
    console.log(`minute ${minute}: ${await eventCount(client)} events, ${mib}; ${cpu}`);
  };
  await say(0);
  const startedMs = performance.now();
  const churning = churn(client, podsPerSecond, startedMs + minutes * MINUTE_MS);
  for (let minute = 1; minute <= minutes; minute++) {
    await pause(startedMs + minute * MINUTE_MS - performance.now());
    await say(minute);
  }
  await churning;
} finally {
  await stead.end();
  removeStead(directory);
}
