// The loop that keeps the status of ResourceQuotas: what is used of what is allowed. Kinds are watched from the moment
// that a quota names them. It refuses nothing; that is admission's.
import { isNotFound } from '../../api/errors.ts';
import type { ResourceQuota } from '../../api/generated/types.ts';
import { keyOf, parseKey, type Stored } from '../../api/objects.ts';
import type { Counted } from '../../api/quota/usage.ts';
import { resourceQuotas } from '../../api/resources/resource-quotas/definition.ts';
import type { Informer } from '../../client/informers.ts';
import type { Kinds } from '../../client/kinds.ts';
import type { RunContext } from '../../client/run-context.ts';
import { runWorkers } from '../../client/run-workers.ts';
import { WorkQueue } from '../../client/work-queue.ts';
import { kindsOf, planQuotaStatus } from './plan.ts';

const WORKERS = 2;
/** A burst of changes is counted once. */
const GATHER_MS = 200;

/** Runs until the context's signal. @param kinds everything that may be counted. */
export async function runResourceQuotaController(context: RunContext, kinds: Kinds): Promise<void> {
  const { client, informers, clock, log, signal } = context;
  const queue = new WorkQueue(clock, context.queues?.named('resourcequota_primary'));
  const quotas = informers.of(resourceQuotas);
  const watched = new Map<string, { informer: Informer<Stored>; end: () => void }>();

  const objectChanged = (object: Stored): void => {
    for (const quota of quotas.list(object.metadata.namespace)) queue.addAfter(keyOf(quota), GATHER_MS);
  };

  /** The objects of a kind, once they are all known; undefined for a kind that is not served. */
  const informerOf = async (kind: Counted): Promise<Informer<Stored> | undefined> => {
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
      const handlers = { added: objectChanged, updated: objectChanged, deleted: objectChanged };
      watched.set(path, { informer, end: informer.subscribe(handlers) });
    }
    return informer;
  };

  const reconcile = async (key: string): Promise<void> => {
    const { namespace, name } = parseKey(key);
    const quota = quotas.get(namespace, name);
    if (!quota) return;
    const lists = new Map<string, readonly Stored[]>();
    for (const kind of kindsOf(quota)) {
      const informer = await informerOf(kind);
      if (informer) lists.set(`${kind.group}/${kind.plural}`, informer.list(namespace));
    }
    const status = planQuotaStatus(quota, ({ group, plural }) => lists.get(`${group}/${plural}`));
    if (!status) return;
    try {
      await client.update(resourceQuotas, { ...quota, status }, { subresource: 'status' });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };

  try {
    await quotas.synced();
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  const quotaChanged = (quota: Stored<ResourceQuota>): void => queue.add(keyOf(quota));
  const unsubscribe = quotas.subscribe({ added: quotaChanged, updated: quotaChanged });
  /** What is served no longer is not counted, and what has come may be. */
  const endFollowing = kinds.onResourcesChange(() => {
    const served = new Set(kinds.resources().map(({ group, plural }) => `${group}/${plural}`));
    for (const [path, { end }] of watched) {
      if (served.has(path)) continue;
      watched.delete(path);
      end();
    }
    for (const quota of quotas.list()) queue.addAfter(keyOf(quota), GATHER_MS);
  });
  await runWorkers(queue, WORKERS, reconcile, log, signal);
  for (const end of [unsubscribe, endFollowing, ...[...watched.values()].map(({ end }) => end)]) end();
}
