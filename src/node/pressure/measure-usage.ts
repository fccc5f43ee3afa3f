// Measures what pods use of the node's disks: volumes and logs by their directories, containers' own files as the
// runtime tells. Only the pods that somebody asks about.
import type { Pod } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import type { Log } from '../../base/log.ts';
import { podLogDirectory } from '../pods/spec/sandbox-spec.ts';
import type { Container, Runtime } from '../runtime.ts';
import { podVolumeDirectory } from '../volumes/pod-volumes.ts';
import type { MeasureDirectories } from './directory-sizes.ts';
import { isOnDisk, NOTHING, type PodUsage, type Used } from './usage.ts';

export interface MeasuredPod {
  pod: Stored<Pod>;
  /** Everything that the runtime has of it. */
  containers: readonly Container[];
}

export interface UsageSources {
  runtime: Pick<Runtime, 'layerUsage'>;
  measure: MeasureDirectories;
  dataDirectory: string;
  logDirectory: string;
  log: Log;
}

/**
 * @param withInodes whether files are to be counted too, which means going through every directory twice.
 * @returns by the UID of the pod; a pod of which a part could not be measured is missing.
 */
export async function measureUsage(
  sources: UsageSources,
  pods: readonly MeasuredPod[],
  withInodes: boolean,
): Promise<Map<string, PodUsage>> {
  const places = pods.map((measured) => placesOf(sources, measured));
  const directories = places.flatMap(({ logs, volumes }) => [...logs.values(), ...volumes.values()]);
  const [layers, bytes, inodes] = await Promise.all([
    sources.runtime.layerUsage?.() ?? new Map<string, Used>(),
    sources.measure(directories, 'bytes'),
    withInodes ? sources.measure(directories, 'inodes') : new Map<string, number>(),
  ]);
  const sizeOf = (directory: string): Used => ({
    bytes: bytes.get(directory) ?? 0,
    inodes: inodes.get(directory) ?? 0,
  });
  const usages = new Map<string, PodUsage>();
  for (const [index, { containers, pod }] of pods.entries()) {
    const place = places[index];
    // A container that has just begun has no directory yet; a volume always has.
    if (!place || [...place.volumes.values()].some((directory) => !bytes.has(directory))) continue;
    usages.set(pod.metadata.uid, {
      containers: new Map(
        [...place.logs].map(([name, directory]) => {
          const layer = newestOf(containers, name);
          return [name, { layer: (layer && layers.get(layer.id)) ?? NOTHING, logs: sizeOf(directory) }];
        }),
      ),
      volumes: new Map([...place.volumes].map(([name, directory]) => [name, sizeOf(directory)])),
    });
  }
  return usages;
}

/** The directories of a pod, by container and by volume. */
function placesOf(
  { dataDirectory, logDirectory }: UsageSources,
  { containers, pod }: MeasuredPod,
): { logs: Map<string, string>; volumes: Map<string, string> } {
  const { name, namespace = '', uid } = pod.metadata;
  const logs = podLogDirectory(logDirectory, { namespace, name, uid });
  return {
    logs: new Map(containers.map((container) => [container.name, `${logs}/${container.name}`])),
    volumes: new Map(
      (pod.spec.volumes ?? [])
        .filter(isOnDisk)
        .map((volume) => [volume.name, podVolumeDirectory(dataDirectory, uid, volume.name)]),
    ),
  };
}

function newestOf(containers: readonly Container[], name: string): Container | undefined {
  return containers
    .filter((container) => container.name === name)
    .reduce<Container | undefined>(
      (best, each) => (best && best.attempt > each.attempt ? best : each),
      undefined,
    );
}
