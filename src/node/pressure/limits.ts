// The pods that use more than they said they would: emptyDirs with a size limit, pods and containers with a limit of
// ephemeral storage, in upstream's order and words (kubelet eviction_manager.go, localStorageEviction). Pure.
import type { Pod } from '../../api/generated/types.ts';
import { podLimits } from '../../api/pod-resources.ts';
import { formatQuantity, parseQuantity } from '../../api/quantity.ts';
import { isOnDisk, type PodUsage, usedIn } from './usage.ts';

export interface Excess {
  /** For the metric, as upstream. */
  signal: 'emptydirfs.limit' | 'ephemeralpodfs.limit' | 'ephemeralcontainerfs.limit';
  message: string;
}

const STORAGE = 'ephemeral-storage';
const NANO = 1_000_000_000n;

/** @param imagesApart whether containers' own files lie on another disk: then they do not count, as upstream. */
export function excessOf(pod: Pod, usage: PodUsage, imagesApart: boolean): Excess | undefined {
  return (
    excessOfVolumes(pod, usage) ??
    excessOfPod(pod, usage, imagesApart) ??
    excessOfContainers(pod, usage, imagesApart)
  );
}

function excessOfVolumes(pod: Pod, usage: PodUsage): Excess | undefined {
  for (const volume of pod.spec.volumes ?? []) {
    const limit = volume.emptyDir?.sizeLimit;
    const used = usage.volumes.get(volume.name);
    if (limit === undefined || used === undefined || !isOnDisk(volume)) continue;
    if (parseQuantity(limit) === 0n || !exceeds(used.bytes, parseQuantity(limit))) continue;
    return {
      signal: 'emptydirfs.limit',
      message: `Usage of EmptyDir volume "${volume.name}" exceeds the limit "${limit}". `,
    };
  }
  return undefined;
}

function excessOfPod(pod: Pod, usage: PodUsage, imagesApart: boolean): Excess | undefined {
  const limit = podLimits(pod).get(STORAGE);
  const { bytes } = usedIn(usage, imagesApart ? ['logs', 'volumes'] : ['layers', 'logs', 'volumes']);
  if (limit === undefined || !exceeds(bytes, limit)) return undefined;
  return {
    signal: 'ephemeralpodfs.limit',
    message: `Pod ephemeral local storage usage exceeds the total limit of containers ${limitText(pod, limit)}. `,
  };
}

/** The sum, written as the manifest writes its parts. */
function limitText(pod: Pod, limit: bigint): string {
  const written = pod.spec.containers.map(({ resources }) => resources?.limits?.[STORAGE]).find(Boolean);
  return formatQuantity(limit, written?.endsWith('i') ? 'BinarySI' : 'DecimalSI');
}

function excessOfContainers(pod: Pod, usage: PodUsage, imagesApart: boolean): Excess | undefined {
  for (const { name, resources } of pod.spec.containers) {
    const limit = resources?.limits?.[STORAGE];
    const used = usage.containers.get(name);
    if (limit === undefined || used === undefined || parseQuantity(limit) === 0n) continue;
    const bytes = used.logs.bytes + (imagesApart ? 0 : used.layer.bytes);
    if (!exceeds(bytes, parseQuantity(limit))) continue;
    return {
      signal: 'ephemeralcontainerfs.limit',
      message: `Container ${name} exceeded its local ephemeral storage limit "${limit}". `,
    };
  }
  return undefined;
}

function exceeds(bytes: number, limit: bigint | undefined): boolean {
  return limit !== undefined && BigInt(bytes) * NANO > limit;
}
