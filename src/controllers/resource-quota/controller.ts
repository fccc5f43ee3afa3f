// Keeps the status of ResourceQuotas: what is used of what is allowed. Kinds are watched from the moment that a quota names
// them. It refuses nothing; that is admission's.
import { orUndefined } from '../../api/errors.ts';
import type { ObjectKey, Stored } from '../../api/objects.ts';
import type { Counted } from '../../api/quota/usage.ts';
import { resourceQuotas } from '../../api/resources/resource-quotas/definition.ts';
import { itself, type KeyQueue, runController, type Watch, watch } from '../../client/controller.ts';
import type { Informer } from '../../client/informers.ts';
import type { Kinds } from '../../client/kinds.ts';
import type { RunContext } from '../../client/run-context.ts';
import { kindsOf, planQuotaStatus } from './plan.ts';

/** A burst of changes is counted once. */
const GATHER_MS = 200;

/** Runs until the context's signal. @param kinds everything that may be counted. */
export async function runResourceQuotaController(context: RunContext, kinds: Kinds): Promise<void> {
  const { client, informers } = context;
  const quotas = informers.of(resourceQuotas);
  const watched = new Map<string, { informer: Informer<Stored>; end: () => void }>();
  const ofNamespace = ({ metadata }: Stored): ObjectKey[] => quotas.list(metadata.namespace).flatMap(itself);

  /** The objects of a kind, once they are all known; undefined for a kind that is not served. */
  const informerOf = async (
    kind: Counted,
    queue: KeyQueue<ObjectKey>,
  ): Promise<Informer<Stored> | undefined> => {
    const path = `${kind.group}/${kind.plural}`;
    const known = watched.get(path);
    if (known) return known.informer;
    const resource = kinds
      .resources()
      .find((each) => each.group === kind.group && each.plural === kind.plural);
    if (!resource?.namespaced || !resource.verbs.includes('watch')) return undefined;
    const informer = informers.of(resource) as Informer<Stored>;
    await informer.synced();
    if (!watched.has(path)) {
      const news = { changed: ofNamespace, deleted: ofNamespace };
      watched.set(path, { informer, end: watch(informer, news, () => GATHER_MS).start(queue) });
    }
    return informer;
  };

  /** What is served no longer is not counted, and what has come may be. */
  const servedKinds: Watch<ObjectKey> = {
    start: (queue) =>
      kinds.onResourcesChange(() => {
        const served = new Set(kinds.resources().map(({ group, plural }) => `${group}/${plural}`));
        for (const [path, { end }] of watched) {
          if (served.has(path)) continue;
          watched.delete(path);
          end();
        }
        for (const { metadata } of quotas.list()) queue.addAfter(metadata, GATHER_MS);
      }),
  };
  const running = runController(context, 'resourcequota_primary', {
    workers: 2,
    watches: [watch(quotas, { changed: itself }), servedKinds],
    async reconcile({ namespace, name }, queue) {
      const quota = quotas.get(namespace, name);
      if (!quota) return;
      const lists = new Map<string, readonly Stored[]>();
      for (const kind of kindsOf(quota)) {
        const informer = await informerOf(kind, queue);
        if (informer) lists.set(`${kind.group}/${kind.plural}`, informer.list(namespace));
      }
      const status = planQuotaStatus(quota, ({ group, plural }) => lists.get(`${group}/${plural}`));
      if (!status) return;
      await orUndefined(client.update(resourceQuotas, { ...quota, status }, { subresource: 'status' }));
    },
  });
  await running.finally(() => {
    for (const { end } of watched.values()) end();
  });
}
