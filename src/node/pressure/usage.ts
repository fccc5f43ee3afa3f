// What the pods of a node use of its disks, as a value, and the sums that rules are about. Pure; it is measured in
// measure-usage.ts.
import type { Pod, Volume } from '../../api/generated/types.ts';

export interface Used {
  bytes: number;
  inodes: number;
}

export interface PodUsage {
  /** By container name: what it wrote into its own root file system, and its logs. */
  containers: ReadonlyMap<string, { layer: Used; logs: Used }>;
  /** By name, of the volumes that lie on the node's disk and go with the pod. */
  volumes: ReadonlyMap<string, Used>;
}

export const NOTHING: Used = { bytes: 0, inodes: 0 };

/** Parts of a pod's usage. They lie on different disks if images have one of their own. */
export type Part = 'layers' | 'logs' | 'volumes';

/** Everything that a pod uses of some parts. */
export function usedIn(usage: PodUsage, parts: readonly Part[]): Used {
  const sum = { ...NOTHING };
  const add = (used: Used): void => {
    sum.bytes += used.bytes;
    sum.inodes += used.inodes;
  };
  for (const { layer, logs } of usage.containers.values()) {
    if (parts.includes('layers')) add(layer);
    if (parts.includes('logs')) add(logs);
  }
  if (parts.includes('volumes')) for (const used of usage.volumes.values()) add(used);
  return sum;
}

/** Whether a volume lies on the node's disk and goes with its pod (upstream's IsLocalEphemeralVolume). */
export function isOnDisk(volume: Volume): boolean {
  return (volume.emptyDir !== undefined && !volume.emptyDir.medium) || volume.configMap !== undefined;
}

/** Whether anything of the pod has a limit that its usage must be measured for. */
export function hasStorageLimits(pod: Pod): boolean {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  return (
    containers.some(({ resources }) => resources?.limits?.['ephemeral-storage'] !== undefined) ||
    (pod.spec.volumes ?? []).some((volume) => isOnDisk(volume) && volume.emptyDir?.sizeLimit !== undefined)
  );
}
