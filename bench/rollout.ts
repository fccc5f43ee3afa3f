// The seed's manifest on real containers with warm images: applied → both pods Ready, and pod deleted → the same name
// Ready again, beside the raw CRI floor of two such pods one after the other, measured in the same run.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isReady } from '../src/api/conditions.ts';
import type { Pod } from '../src/api/generated/types.ts';
import type { Stored } from '../src/api/objects.ts';
import { persistentVolumeClaims } from '../src/api/resources/persistent-volume-claims/definition.ts';
import { persistentVolumes } from '../src/api/resources/persistent-volumes/definition.ts';
import { pods } from '../src/api/resources/pods/definition.ts';
import { services } from '../src/api/resources/services/definition.ts';
import { statefulSets } from '../src/api/resources/stateful-sets/definition.ts';
import { apply } from '../src/cli/apply.ts';
import { type KnownManifest, readManifests, withResources } from '../src/cli/manifests.ts';
import type { Client } from '../src/client/client.ts';
import { httpsClient } from '../src/client/https.ts';
import { parseKubeconfig } from '../src/client/kubeconfig.ts';
import { openCriFloor } from './cri-floor.ts';
import { line, machine, median, series } from './measure.ts';
import { newDataDirectory, removeStead, startStead, stead } from './process.ts';

const TIMES = 11;
const IMAGE = 'k8s.gcr.io/nginx-slim:0.8';
const root = join(import.meta.dirname, '..', '..');

/** Resolves when the watch has shown what is waited for; the watch begins before the returned function is called. */
async function watchPods(
  client: Client,
): Promise<(until: (pods: Map<string, Stored<Pod>>) => boolean) => Promise<void>> {
  const list = await client.list(pods, { namespace: 'default' });
  const seen = new Map(list.items.map((pod) => [pod.metadata.name, pod]));
  const watch = await client.watch(pods, {
    namespace: 'default',
    resourceVersion: list.metadata.resourceVersion,
  });
  return async (until) => {
    while (!until(seen)) {
      const events = await watch.next();
      if (!events) throw new Error('the watch ended');
      for (const event of events) {
        if (event.type === 'ADDED' || event.type === 'MODIFIED')
          seen.set(event.object.metadata.name, event.object);
        if (event.type === 'DELETED') seen.delete(event.object.metadata.name);
      }
    }
    watch.stop();
  };
}

const ready = (seen: Map<string, Stored<Pod>>, name: string): boolean => {
  const pod = seen.get(name);
  return pod !== undefined && isReady(pod) && !pod.metadata.deletionTimestamp;
};

async function measureFloor(archive: string): Promise<number> {
  const directory = newDataDirectory();
  const floor = await openCriFloor(directory, archive, IMAGE);
  try {
    await floor.startPod();
    const samples = await series('raw CRI, two pods one after the other', 'ms', TIMES, async () => {
      return (await floor.startPod()) + (await floor.startPod());
    });
    console.log(line(samples));
    return median(samples.samples);
  } finally {
    await floor.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measureStead(archive: string): Promise<number> {
  const directory = newDataDirectory();
  const running = await startStead(directory, 'containerd');
  try {
    stead(directory, 'image', 'load', archive);
    const client = httpsClient(parseKubeconfig(readFileSync(running.kubeconfig, 'utf8')));
    const read = await readManifests([join(root, 'examples', 'nginx.yaml')]);
    const manifests = withResources(read, await client.discover());
    const recreated: number[] = [];
    const applied = await series('applied → web-0 and web-1 Ready, new volumes', 'ms', TIMES, async () => {
      const took = await timeRollout(client, manifests);
      recreated.push(await timeRecreation(client));
      await takeDown(client);
      return took;
    });
    console.log(line(applied));
    console.log(line({ name: 'web-1 deleted → web-1 Ready again', unit: 'ms', samples: recreated }));
    return median(applied.samples);
  } finally {
    await running.end();
    removeStead(directory);
  }
}

async function timeRollout(client: Client, manifests: KnownManifest[]): Promise<number> {
  const wait = await watchPods(client);
  const startedMs = performance.now();
  for (const manifest of manifests) await apply(client, manifest);
  await wait((seen) => ready(seen, 'web-0') && ready(seen, 'web-1'));
  return performance.now() - startedMs;
}

async function timeRecreation(client: Client): Promise<number> {
  const key = { namespace: 'default', name: 'web-1' };
  const wait = await watchPods(client);
  const { uid } = (await client.get(pods, key)).metadata;
  const startedMs = performance.now();
  await client.delete(pods, key);
  await wait((seen) => ready(seen, 'web-1') && seen.get('web-1')?.metadata.uid !== uid);
  return performance.now() - startedMs;
}

async function takeDown(client: Client): Promise<void> {
  const namespace = 'default';
  const gone = await watchPods(client);
  await client.delete(statefulSets, { namespace, name: 'web' });
  await client.delete(services, { namespace, name: 'nginx' });
  await gone((seen) => seen.size === 0);
  for (const name of ['www-web-0', 'www-web-1'])
    await client.delete(persistentVolumeClaims, { namespace, name });
  while ((await client.list(persistentVolumes)).items.length > 0)
    await new Promise((again) => setTimeout(again, 20));
}

const work = mkdtempSync(join(tmpdir(), 'stead-bench-image-'));
try {
  const archive = join(work, 'nginx.tar');
  execFileSync(process.execPath, [join(root, 'images', 'build.mjs'), 'nginx-slim', archive], {
    stdio: 'inherit',
  });
  console.log(machine());
  const floorMs = await measureFloor(archive);
  const appliedMs = await measureStead(archive);
  console.log(`applied / raw CRI: ${(appliedMs / floorMs).toFixed(2)}`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
