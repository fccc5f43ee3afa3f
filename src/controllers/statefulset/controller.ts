// The shell around plan: watches sets, pods, claims and revisions, gathers what plan needs to see, executes what it
// says, writes the status. It decides nothing. One set is worked on by one worker at a time.

import { isAlreadyExists, orUndefined } from '../../api/errors.ts';
import type { StatefulSet, StatefulSetStatus } from '../../api/generated/types.ts';
import {
  controllerOf,
  keyOf,
  type NamespacedName,
  nameOf,
  type ObjectKey,
  type Stored,
} from '../../api/objects.ts';
import { controllerRevisions } from '../../api/resources/controller-revisions/definition.ts';
import { persistentVolumeClaims } from '../../api/resources/persistent-volume-claims/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { statefulSets } from '../../api/resources/stateful-sets/definition.ts';
import { storageClasses } from '../../api/resources/storage-classes/definition.ts';
import { restAfter } from '../../base/rest.ts';
import { sameJson } from '../../base/same-json.ts';
import { itself, runController, type Watch, watch } from '../../client/controller.ts';
import { createRecorder, type EventRecorder } from '../../client/events.ts';
import type { RunContext } from '../../client/run-context.ts';
import type { ReconcileResult } from '../../client/run-workers.ts';
import { OwnWrites } from '../own-writes.ts';
import { RevisionCollision } from '../write-revision.ts';
import type { Plan } from './actions.ts';
import { Executor } from './execute.ts';
import { type Caches, gather, namesOfSets, prepareIndexes } from './gather.ts';
import { parentOf } from './identity.ts';
import { addSetMetrics } from './metrics.ts';
import { plan } from './plan.ts';
import { StuckNews } from './stuck-news.ts';

/** Sets worked on at once; as upstream's --concurrent-statefulset-syncs. */
const WORKERS = 5;
/** How soon to look again when the cache does not show the controller's own writes yet. */
const CACHE_POLL_MS = 1_000;
/** How soon to look again when a pod to be created is there already. */
const CACHE_RETRY_MS = 100;
/** From how many pods on a look on a set is followed by a rest. */
const MANY_PODS = 500;

/**
 * Runs the controller until the context's signal.
 * @param decide the rules; others only in tests that must see rules broken.
 */
export async function runStatefulSetController(context: RunContext, decide = plan): Promise<void> {
  const { informers, metrics } = context;
  const caches: Caches = {
    sets: informers.of(statefulSets),
    pods: informers.of(pods),
    claims: informers.of(persistentVolumeClaims),
    revisions: informers.of(controllerRevisions),
    classes: informers.of(storageClasses),
  };
  prepareIndexes(caches);
  if (metrics) addSetMetrics(metrics, caches.sets);
  const controller = new Controller(context, caches, decide);
  await runController(context, 'statefulset', {
    workers: WORKERS,
    watches: controller.watches(),
    reconcile: (key) => controller.reconcile(key),
  });
}

class Controller {
  readonly #context: RunContext;
  readonly #caches: Caches;
  readonly #ownWrites = new OwnWrites();
  readonly #stuckNews = new StuckNews();
  readonly #events: EventRecorder;
  readonly #decide: typeof plan;
  /** Until when large sets are left alone, ms since the epoch. */
  readonly #restUntil = new Map<NamespacedName, number>();

  constructor(context: RunContext, caches: Caches, decide: typeof plan) {
    this.#context = context;
    this.#caches = caches;
    this.#events = createRecorder(context, 'statefulset-controller');
    this.#decide = decide;
  }

  /** Every event that can matter to a set brings the set's key into the queue. */
  watches(): Watch<ObjectKey>[] {
    const { sets, pods: allPods, claims, classes, revisions } = this.#caches;
    const known = (key: ObjectKey): ObjectKey[] => (sets.get(key.namespace, key.name) ? [key] : []);
    const ofPod = (pod: Stored): ObjectKey[] => parentKeyOf(pod).flatMap(known);
    const ofClaim = ({ metadata: { namespace, name } }: Stored): ObjectKey[] =>
      namesOfSets(name).flatMap((set) => known({ namespace, name: set }));
    return [
      watch(sets, {
        changed: itself,
        deleted: (set) => {
          this.#ownWrites.forget(keyOf(set));
          return itself(set);
        },
      }),
      watch(allPods, {
        changed: ofPod,
        deleted: (pod) => {
          for (const key of parentKeyOf(pod)) this.#ownWrites.gone(nameOf(key), pod);
          return ofPod(pod);
        },
      }),
      watch(claims, { changed: ofClaim, deleted: ofClaim }),
      watch(classes, {
        updated: () => sets.list().flatMap((set) => (set.spec.volumeClaimTemplates ? itself(set) : [])),
      }),
      watch(revisions, {
        deleted: (revision) => {
          const owner = controllerOf(revision);
          const { namespace } = revision.metadata;
          return owner?.kind === 'StatefulSet' ? known({ namespace, name: owner.name }) : [];
        },
      }),
    ];
  }

  async reconcile({ namespace, name }: ObjectKey): Promise<ReconcileResult> {
    const key = nameOf({ namespace, name });
    const set = this.#caches.sets.get(namespace, name);
    if (!set) {
      this.#ownWrites.forget(key);
      this.#restUntil.delete(key);
      this.#stuckNews.forget(key);
      return {};
    }
    const { client, clock } = this.#context;
    const restMs = (this.#restUntil.get(key) ?? 0) - clock.now();
    if (restMs > 0) return { requeueAfterMs: restMs };
    if (await this.#cacheIsBehind(key, set)) return { requeueAfterMs: CACHE_POLL_MS };
    const startedMs = clock.now();
    const observed = await gather(client, this.#caches, set, startedMs);
    const planned = this.#decide(observed);
    if (observed.pods.length >= MANY_PODS) this.#rest(key, clock.now() - startedMs);
    const executor = new Executor(client, this.#events, set, (type, pod) =>
      this.#ownWrites.note(key, type, pod, clock.now()),
    );
    // Which revision a set began with is on record before a pod bears it: had the record been lost to a change of the
    // template that came meanwhile, the pods below the partition would be made at the new one.
    const isFirst = !set.status?.currentRevision;
    try {
      await executor.execute(planned, isFirst ? () => this.#show(set, planned) : undefined);
    } catch (error) {
      return this.#afterFailure(key, set, planned, error);
    }
    if (!isFirst) await this.#show(set, planned);
    return planned.wakeAt === undefined ? {} : { requeueAfterMs: Math.max(1, planned.wakeAt - clock.now()) };
  }

  /**
   * A set so large that looking at it takes its time is not looked at without pause while its pods change all the
   * time: the news of that time are one pass. A small one does not rest because others were busy while it was looked
   * at. @param lookedMs how long the last look took.
   */
  #rest(key: NamespacedName, lookedMs: number): void {
    const restMs = restAfter(lookedMs);
    if (restMs > 0) this.#restUntil.set(key, this.#context.clock.now() + restMs);
  }

  /** What was done so far shows in the status all the same; then the failure is told to the queue. */
  async #afterFailure(
    key: NamespacedName,
    set: Stored<StatefulSet>,
    planned: Plan,
    error: unknown,
  ): Promise<ReconcileResult> {
    const { log } = this.#context;
    if (error instanceof RevisionCollision) {
      // Nothing else was done: the name comes first. With another count the next pass makes another name.
      log.warn(error.message, { key });
      const collisionCount = (planned.status.collisionCount ?? 0) + 1;
      await this.#writeStatus(set, { replicas: 0, ...set.status, collisionCount });
      return {};
    }
    try {
      await this.#show(set, planned);
    } catch (statusError) {
      log.debug('status not written', { key, why: String(statusError) });
    }
    // A pod that the cache does not show yet: it will.
    if (isAlreadyExists(error)) return { requeueAfterMs: CACHE_RETRY_MS };
    throw error;
  }

  /** Whether the cache of pods does not show yet what this controller has done to the set's pods. */
  #cacheIsBehind(key: NamespacedName, { metadata: { namespace } }: Stored<StatefulSet>): Promise<boolean> {
    const { client, clock } = this.#context;
    return this.#ownWrites.isAhead(
      key,
      (name) => this.#caches.pods.get(namespace, name),
      (name) => orUndefined(client.get(pods, { namespace, name })),
      clock.now(),
    );
  }

  async #writeStatus(set: Stored<StatefulSet>, status: StatefulSetStatus): Promise<void> {
    if (sameJson(status, set.status)) return;
    const body = structuredClone({ ...set, status });
    await this.#context.client.update(statefulSets, body, { subresource: 'status' });
  }

  /** Writes the planned status, and tells what the set waits for if that is worth an event. */
  async #show(set: Stored<StatefulSet>, { status, waiting }: Plan): Promise<void> {
    await this.#writeStatus(set, status);
    const news = this.#stuckNews.of(set, waiting);
    if (news) this.#events.event(set, 'Warning', 'Waiting', news);
  }
}

/** The set whose pod it is by its name. */
function parentKeyOf({ metadata: { namespace, name } }: Stored): ObjectKey[] {
  const parent = parentOf(name);
  return parent ? [{ namespace, name: parent.set }] : [];
}
