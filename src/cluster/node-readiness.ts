// Waits until the API says that nodes are Ready: only then a pod that is made is placed at once, and not after the
// back-off of a first refusal.
import { nodes } from '../api/resources/nodes.ts';
import type { Informers } from '../client/informers.ts';

/** Resolves when all the nodes have their Ready condition. */
export async function nodesReady(informers: Informers, names: readonly string[]): Promise<void> {
  const cache = informers.of(nodes);
  await cache.synced();
  await new Promise<void>((resolve) => {
    let unsubscribe: (() => void) | undefined;
    const check = (): void => {
      const ready = names.every((name) =>
        cache
          .get(undefined, name)
          ?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
      );
      if (!ready) return;
      unsubscribe?.();
      resolve();
    };
    unsubscribe = cache.subscribe({ added: check, updated: check });
    check();
  });
}
