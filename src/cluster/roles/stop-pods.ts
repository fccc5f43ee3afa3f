// The orderly stop of everything that a controller keeps: each set's pods are deleted from the highest ordinal down,
// one after another, so that the set comes back in order at the next start. Sets stop side by side. Pods that nobody
// controls are left to the node, which stops them and keeps their objects.

import { isNotFound } from '../../api/errors.ts';
import type { Pod } from '../../api/generated/types.ts';
import { controllerOf, type Stored } from '../../api/objects.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/error-text.ts';
import type { Client } from '../../client/client.ts';
import type { Informers } from '../../client/informers.ts';

/**
 * Call it when the controllers have stopped. Resolves when the pods are gone.
 * @param say gets a line for every pod.
 */
export async function stopPods(
  client: Client,
  informers: Informers,
  clock: Clock,
  say: (line: string) => void,
): Promise<void> {
  const cache = informers.of(pods);
  await cache.synced();
  const byController = new Map<string, Stored<Pod>[]>();
  for (const pod of cache.list()) {
    const owner = controllerOf(pod)?.uid;
    if (owner) byController.set(owner, [...(byController.get(owner) ?? []), pod]);
  }
  await Promise.all(
    [...byController.values()].map(async (family) => {
      for (const pod of family.sort((a, b) => ordinalOf(b) - ordinalOf(a))) {
        const startedMs = clock.now();
        const { namespace, name } = pod.metadata;
        let gone: boolean;
        try {
          gone = await deleteAndWait(client, informers, clock, pod);
        } catch (error) {
          // Nothing else stays up because of one; the node ends what still runs.
          const why = errorText(error);
          say(`${namespace}/${name} cannot be deleted (${why}); going on without it`);
          continue;
        }
        if (gone) say(`stopped ${namespace}/${name} (${clock.now() - startedMs} ms)`);
        else
          say(
            `${namespace}/${name} is stopped or given up, and a finalizer may hold its object; going on without it`,
          );
      }
    }),
  );
}

const ordinalOf = (pod: Stored<Pod>): number => Number(/-(\d+)$/.exec(pod.metadata.name)?.[1] ?? 0);

/** How much longer than its grace period a pod may take, in milliseconds. */
const PATIENCE_MS = 30_000;

/** Whether nothing of the pod runs any more and only a finalizer keeps its object: the node has let go of it. */
function isHeld({ metadata, status }: Stored<Pod>): boolean {
  const runs = status?.containerStatuses?.some(({ state }) => state?.running);
  return metadata.deletionTimestamp !== undefined && metadata.deletionGracePeriodSeconds === 0 && !runs;
}

/** Whether the pod has gone; false as soon as only a finalizer holds it, or when patience has run out. */
function deleteAndWait(
  client: Client,
  informers: Informers,
  clock: Clock,
  pod: Stored<Pod>,
): Promise<boolean> {
  const { namespace, name, uid } = pod.metadata;
  if (isHeld(pod)) return Promise.resolve(false);
  return new Promise((resolve, reject) => {
    const unsubscribe = informers.of(pods).subscribe({
      deleted: (gone) => {
        if (gone.metadata.uid === uid) finish(true);
      },
      updated: (now) => {
        if (now.metadata.uid === uid && isHeld(now)) finish(false);
      },
    });
    const graceMs = (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000;
    const cancel = clock.after(graceMs + PATIENCE_MS, () => finish(false));
    const finish = (gone: boolean): void => {
      cancel();
      unsubscribe();
      resolve(gone);
    };
    client.delete(pods, { namespace, name }, { preconditions: { uid } }).catch((error: unknown) => {
      if (isNotFound(error)) return finish(true);
      cancel();
      unsubscribe();
      reject(error);
    });
  });
}
