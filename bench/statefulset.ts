// Large StatefulSets over the simulated runtime: the whole control plane, store and API included, without the cost of
// containers. Ordered sets by the ordinal, parallel ones by the second, a rolling update, and a system at rest.
import { readFileSync } from 'node:fs';
import type { StatefulSet } from '../src/api/generated/types.ts';
import { pods } from '../src/api/resources/pods/definition.ts';
import { statefulSets } from '../src/api/resources/stateful-sets/definition.ts';
import { isRolledOut } from '../src/cli/rollout.ts';
import type { Client } from '../src/client/client.ts';
import { httpsClient } from '../src/client/https.ts';
import { parseKubeconfig } from '../src/client/kubeconfig.ts';
import { machine } from './measure.ts';
import { cpuSeconds, newDataDirectory, removeStead, residentMib, startStead } from './process.ts';

/** Long enough for every node to list its runtime again. */
const QUIET_MS = 60_000;

function setOf(name: string, replicas: number, parallel: boolean, image = 'a:1'): StatefulSet {
  return {
    metadata: { namespace: 'default', name },
    spec: {
      serviceName: name,
      replicas,
      podManagementPolicy: parallel ? 'Parallel' : 'OrderedReady',
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image }] } },
    },
  };
}

/** Resolves when all the sets are rolled out; the watch begins before `begin` is called. Gives ms. */
async function time(
  client: Client,
  names: readonly string[],
  begin: () => Promise<unknown>,
): Promise<number> {
  const { metadata } = await client.list(statefulSets, { namespace: 'default' });
  const watch = await client.watch(statefulSets, {
    namespace: 'default',
    resourceVersion: metadata.resourceVersion,
  });
  const startedMs = performance.now();
  await begin();
  const waiting = new Set(names);
  while (waiting.size > 0) {
    const events = await watch.next();
    if (!events) throw new Error('the watch ended');
    for (const event of events) {
      if (event.type !== 'ADDED' && event.type !== 'MODIFIED') continue;
      if (isRolledOut(event.object)) waiting.delete(event.object.metadata.name);
    }
  }
  watch.stop();
  return performance.now() - startedMs;
}

async function removeAll(client: Client, names: readonly string[]): Promise<void> {
  for (const name of names) await client.delete(statefulSets, { namespace: 'default', name });
  while ((await client.list(pods, { limit: 1 })).items.length > 0)
    await new Promise((again) => setTimeout(again, 200));
}

console.log(machine());
const directory = newDataDirectory();
const stead = await startStead(directory, 'simulated', ['--simulated-nodes', '10']);
try {
  const client = httpsClient(parseKubeconfig(readFileSync(stead.kubeconfig, 'utf8')));
  const create = (set: StatefulSet): Promise<unknown> => client.create(statefulSets, set);

  const ordered = await time(client, ['ordered'], () => create(setOf('ordered', 100, false)));
  console.log(`OrderedReady, 100 pods: ${(ordered / 100).toFixed(1)} ms per ordinal`);
  await removeAll(client, ['ordered']);

  const rolling = setOf('rolling', 1000, true);
  await time(client, ['rolling'], () => create(rolling));
  const update = await time(client, ['rolling'], () =>
    client.patch(
      statefulSets,
      { namespace: 'default', name: 'rolling' },
      {
        type: 'strategic',
        body: { spec: { template: { spec: { containers: [{ name: 'main', image: 'a:2' }] } } } },
      },
    ),
  );
  console.log(`rolling update, 1,000 pods, one at a time: ${(update / 1000).toFixed(1)} ms per pod`);
  await removeAll(client, ['rolling']);

  const one = await time(client, ['one'], () => create(setOf('one', 5000, true)));
  console.log(`Parallel, one set of 5,000 pods: ${(5_000_000 / one).toFixed(0)} pods/s`);
  await time(client, ['two'], () => create(setOf('two', 5000, true)));
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const before = cpuSeconds(stead.pid);
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  const share = ((cpuSeconds(stead.pid) - before) / (QUIET_MS / 1000)) * 100;
  const atRest = `${share.toFixed(1)} % of a core, ${residentMib(stead.pid).toFixed(0)} MiB`;
  console.log(`at rest with 10,000 pods for ${QUIET_MS / 1000} s: ${atRest}`);
  await removeAll(client, ['one', 'two']);

  const names = Array.from({ length: 10 }, (_, index) => `many-${index}`);
  const many = await time(client, names, () =>
    Promise.all(names.map((name) => create(setOf(name, 5000, true)))),
  );
  console.log(`Parallel, ten sets of 5,000 pods: ${(50_000_000 / many).toFixed(0)} pods/s`);
} finally {
  await stead.end();
  removeStead(directory);
}
