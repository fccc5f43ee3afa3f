// The note that a pod carries while its containers are being restarted with other images: until they run, the pod
// counts neither as updated nor as ready, whatever its conditions still say of the old ones. When it is written is
// in-place.ts's, when it is removed replicas.ts's.
import type { Pod } from '../../api/generated/types.ts';

/** Annotation of the pod that holds the note. */
export const IN_PLACE_RECORD = 'stead.dev/in-place-update';

/** What ran before the update. */
export interface Before {
  image: string;
  /** The container that has to go; left out if it may already be the wanted one, after a rollback. */
  id?: string;
}

/** What ran before, by name of the container; undefined if no update in place is under way. */
export function inPlaceRecord(pod: Pod): Map<string, Before> | undefined {
  const text = pod.metadata.annotations?.[IN_PLACE_RECORD];
  if (text === undefined) return undefined;
  try {
    return new Map(Object.entries(JSON.parse(text)).flatMap(([name, value]) => entryOf(name, value)));
  } catch {
    // Somebody else wrote it: it names no container that could be waited for, and goes.
    return new Map();
  }
}

function entryOf(name: string, value: unknown): [string, Before][] {
  if (typeof value !== 'object' || value === null || !('image' in value)) return [];
  const before: Before = { image: String(value.image) };
  if ('id' in value) before.id = String(value.id);
  return [[name, before]];
}

/**
 * The note for a pod whose containers get other images.
 * @param images the new ones, by name of the container.
 */
export function recordFor(pod: Pod, images: ReadonlyMap<string, string>): string {
  const record = inPlaceRecord(pod) ?? new Map<string, Before>();
  for (const [name, image] of images) {
    // Of an update that is still on, it is not known how far it has come: what ran before it may run still.
    const before = record.get(name) ?? running(pod, name);
    record.set(name, before.image === image ? { image } : before);
  }
  return JSON.stringify(Object.fromEntries(record));
}

function running(pod: Pod, name: string): Before {
  const image = pod.spec.containers.find((container) => container.name === name)?.image ?? '';
  const id = statusOf(pod, name)?.containerID;
  return id === undefined ? { image } : { image, id };
}

const statusOf = (pod: Pod, name: string) =>
  pod.status?.containerStatuses?.find((status) => status.name === name);

/** The name of a container that does not run with its new image yet; undefined if there is none. */
export function restartingContainer(pod: Pod): string | undefined {
  const record = inPlaceRecord(pod);
  if (!record) return undefined;
  const [first] = record.keys();
  const { observedGeneration } = pod.status ?? {};
  // The node speaks of the pod as it was before.
  if (observedGeneration !== undefined && observedGeneration < (pod.metadata.generation ?? 0)) return first;
  for (const [name, before] of record) {
    const status = statusOf(pod, name);
    if (!status?.state?.running || (before.id !== undefined && status.containerID === before.id)) return name;
  }
  return undefined;
}
