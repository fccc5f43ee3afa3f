// Waits until the API says that nodes are Ready, and they have lost the taint that they begin with: only then a pod that
// is made is placed at once, and not after the back-off of a first refusal.

import { isReady } from '../../api/conditions.ts';
import type { Node } from '../../api/generated/types.ts';
import { nodes } from '../../api/resources/nodes/definition.ts';
import { TAINT_NOT_READY } from '../../api/taints.ts';
import type { Informers } from '../../client/informers.ts';

function takesPods(node: Node | undefined): boolean {
  return isReady(node) && !node?.spec?.taints?.some(({ key }) => key === TAINT_NOT_READY);
}

/** Resolves when all the nodes are Ready and take pods. */
export async function nodesReady(informers: Informers, names: readonly string[]): Promise<void> {
  const cache = informers.of(nodes);
  await cache.synced();
  await new Promise<void>((resolve) => {
    let unsubscribe: (() => void) | undefined;
    const check = (): void => {
      if (!names.every((name) => takesPods(cache.get(undefined, name)))) return;
      unsubscribe?.();
      resolve();
    };
    unsubscribe = cache.subscribe({ added: check, updated: check });
    check();
  });
}
