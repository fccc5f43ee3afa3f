// The scheduler's loop: pods without a node come from a queue, a pure plan decides about each against the state of
// the cluster, and the decision is counted in before it is carried out, so that many can be carried out at once.
// Nothing waits inside: a pod whose claims are still being provisioned comes again when they change.
import { type Cause, isWaiting, rootCause, type Waiting } from '../api/between/waiting.ts';
import { conditionOf } from '../api/conditions.ts';
import { isNotFound, orUndefined } from '../api/errors.ts';
import type { Node, PersistentVolume, Pod } from '../api/generated/types.ts';
import { keyOf, type NamespacedName, parseKey, type Stored } from '../api/objects.ts';
import { claimKeysOf, isPodFinished, PODS_BY_CLAIM } from '../api/pod-state.ts';
import { namespaces } from '../api/resources/namespaces/definition.ts';
import { nodes } from '../api/resources/nodes/definition.ts';
import { persistentVolumeClaims } from '../api/resources/persistent-volume-claims/definition.ts';
import { persistentVolumes } from '../api/resources/persistent-volumes/definition.ts';
import { pods } from '../api/resources/pods/definition.ts';
import { storageClasses } from '../api/resources/storage-classes/definition.ts';
import { restAfter } from '../base/rest.ts';
import { sameJson } from '../base/same-json.ts';
import { ControllerQueue, runControllerOn, type Watch, watch } from '../client/controller.ts';
import { createRecorder, type EventRecorder } from '../client/events.ts';
import { namespacedNames } from '../client/queue-keys.ts';
import type { RunContext } from '../client/run-context.ts';
import type { ReconcileResult } from '../client/run-workers.ts';
import { ClusterState } from './cluster-state.ts';
import { bindPod, reportUnschedulable, startVolumes } from './effects.ts';
import { isForScheduler, planPod, SCHEDULER_NAME } from './plan.ts';
import { storageView } from './storage-view.ts';
import { FLUSH_MS, UnschedulablePods } from './unschedulable-pods.ts';
import type { StorageView, VolumeChoice } from './volumes.ts';

/** From how many claims on a look on a pod is followed by a rest: each of them tells of itself several times. */
const MANY_CLAIMS = 50;

/** Decisions are made one at a time; so many of them are carried out at once. */
const WRITERS = 100;

/** Runs the scheduler until the context's signal. */
export async function runScheduler(context: RunContext): Promise<void> {
  const scheduler = new Scheduler(context);
  await scheduler.run();
}

class Scheduler {
  readonly #context: RunContext;
  readonly #queue: ControllerQueue<NamespacedName>;
  readonly #recorder: EventRecorder;
  readonly #cluster: ClusterState;
  readonly #storage: StorageView;
  readonly #waiting: UnschedulablePods;
  /** When each waiting pod's reason was last told in an event, ms. */
  readonly #toldAtMs = new Map<NamespacedName, number>();
  /** Until when pods with many claims are not looked at again, ms. */
  readonly #restUntil = new Map<NamespacedName, number>();

  constructor(context: RunContext) {
    this.#context = context;
    const { clock, informers } = context;
    this.#queue = new ControllerQueue(context, 'scheduler', namespacedNames);
    this.#recorder = createRecorder(context, SCHEDULER_NAME);
    const namespaceLister = informers.of(namespaces);
    this.#cluster = new ClusterState((name) => namespaceLister.get(undefined, name)?.metadata.labels);
    this.#storage = storageView(informers);
    this.#waiting = new UnschedulablePods(clock, this.#queue);
    informers.of(pods).addIndex(PODS_BY_CLAIM, claimKeysOf);
  }

  async run(): Promise<void> {
    await runControllerOn(this.#queue, this.#context, {
      workers: WRITERS,
      watches: this.#watches(),
      reconcile: (key) => this.#schedule(key),
    });
    this.#waiting.stop();
  }

  /** All caches are complete first: a pod must not be placed because the pods beside it were not known yet. */
  #watches(): Watch<NamespacedName>[] {
    const { informers } = this.#context;
    const retryAll = (): undefined => this.#waiting.retryAll();
    const nodeNews = (node: Stored<Node>): undefined => {
      this.#cluster.setNode(node);
      retryAll();
    };
    const claimNews = (claim: Stored): undefined => this.#claimChanged(keyOf(claim));
    // Of volumes only those that nobody claims can help a pod; the others are heard of through their claims.
    const volumeNews = ({ spec: { claimRef } }: PersistentVolume): undefined =>
      claimRef ? undefined : retryAll();
    return [
      watch(informers.of(nodes), {
        added: nodeNews,
        updated: (node, old) => {
          this.#cluster.setNode(node);
          if (nodeFacts(node) !== nodeFacts(old)) retryAll();
        },
        deleted: (node) => {
          this.#cluster.removeNode(node.metadata.name);
          retryAll();
        },
      }),
      watch(informers.of(pods), {
        added: (pod) => this.#podChanged(pod),
        updated: (pod, old) => this.#podChanged(pod, old),
        deleted: (pod) => this.#podGone(pod),
      }),
      watch(informers.of(namespaces), {
        updated: (namespace, old) => {
          if (sameJson(namespace.metadata.labels, old.metadata.labels)) return;
          this.#cluster.recountAffinity();
          retryAll();
        },
      }),
      watch(informers.of(persistentVolumeClaims), { changed: claimNews, deleted: claimNews }),
      watch(informers.of(persistentVolumes), { changed: volumeNews }),
      watch(informers.of(storageClasses), { added: retryAll }),
    ];
  }

  #podChanged(pod: Stored<Pod>, old?: Stored<Pod>): NamespacedName[] | undefined {
    const key = keyOf(pod);
    if (pod.spec.nodeName) {
      this.#forget(key);
      if (isPodFinished(pod)) this.#podGone(pod);
      else this.#cluster.placePod(pod, pod.spec.nodeName);
      return undefined;
    }
    if (!isForScheduler(pod)) return this.#podGone(pod);
    return !old || needsAnotherLook(pod, old) ? [key] : undefined;
  }

  #podGone(pod: Stored<Pod>): undefined {
    this.#forget(keyOf(pod));
    if (this.#cluster.nodeOf(pod.metadata.uid) === undefined) return;
    this.#cluster.removePod(pod.metadata.uid);
    this.#waiting.retryAll();
  }

  #forget(key: NamespacedName): void {
    this.#waiting.remove(key);
    this.#toldAtMs.delete(key);
    this.#restUntil.delete(key);
  }

  #claimChanged(claimKey: NamespacedName): undefined {
    for (const pod of this.#context.informers.of(pods).byIndex(PODS_BY_CLAIM, claimKey)) {
      if (isForScheduler(pod)) this.#waiting.retry(keyOf(pod));
    }
  }

  async #schedule(key: NamespacedName): Promise<ReconcileResult> {
    const { clock, informers } = this.#context;
    const { namespace, name } = parseKey(key);
    const pod = informers.of(pods).get(namespace, name);
    if (!pod || !isForScheduler(pod)) {
      this.#forget(key);
      return {};
    }
    const startedMs = clock.now();
    const restMs = (this.#restUntil.get(key) ?? 0) - startedMs;
    if (restMs > 0) return { requeueAfterMs: restMs };
    await this.#decide(key, pod);
    const lookedMs = clock.now() - startedMs;
    if (claimKeysOf(pod).length >= MANY_CLAIMS && informers.of(pods).get(namespace, name)) {
      this.#restUntil.set(key, clock.now() + restAfter(lookedMs));
    }
    return {};
  }

  async #decide(key: NamespacedName, pod: Stored<Pod>): Promise<void> {
    const { namespace, name } = parseKey(key);
    // Nothing is awaited from here to the counting-in: decisions do not overlap.
    this.#cluster.removePod(pod.metadata.uid);
    const decision = planPod(pod, this.#cluster, this.#storage);
    if (decision.type === 'unschedulable') return this.#report(key, pod, decision.because);
    this.#cluster.placePod(pod, decision.nodeName);
    try {
      await this.#carryOut(key, pod, decision.nodeName, decision.volumes);
    } catch (error) {
      // The informer may have told of the pod on its node meanwhile; then it stays counted.
      if (!this.#context.informers.of(pods).get(namespace, name)?.spec.nodeName) {
        this.#cluster.removePod(pod.metadata.uid);
      }
      if (!isNotFound(error)) throw error;
    }
  }

  async #carryOut(
    key: NamespacedName,
    pod: Stored<Pod>,
    nodeName: string,
    volumes: VolumeChoice,
  ): Promise<void> {
    const { client } = this.#context;
    if (volumes.reserve.length > 0 || volumes.provision.length > 0 || volumes.settling) {
      await startVolumes(client, volumes, nodeName);
      this.#context.log.debug('pod waits for its claims to be bound', { key, node: nodeName });
      return;
    }
    await bindPod(client, pod, nodeName);
    this.#forget(key);
    this.#recorder.event(
      pod,
      'Normal',
      'Scheduled',
      `Successfully assigned ${key} to ${nodeName}`,
      'Binding',
    );
  }

  async #report(key: NamespacedName, pod: Stored<Pod>, because: Cause | Waiting): Promise<void> {
    const { client, clock } = this.#context;
    this.#waiting.add(key, isWaiting(because));
    const cause = rootCause(because);
    const news = await orUndefined(reportUnschedulable(client, clock, pod, cause));
    if (news === undefined) return;
    const toldAtMs = this.#toldAtMs.get(key);
    if (!news && toldAtMs !== undefined && clock.now() - toldAtMs < FLUSH_MS) return;
    this.#toldAtMs.set(key, clock.now());
    this.#recorder.event(pod, 'Warning', 'FailedScheduling', cause.message, 'Scheduling');
  }
}

/** What of a node can make room for a pod; its heartbeat cannot. */
function nodeFacts(node: Stored<Node>): string {
  const ready = conditionOf(node, 'Ready')?.status;
  return JSON.stringify([node.metadata.labels, node.spec, node.status?.allocatable, ready]);
}

/** Whether the pod changed in a way that can make it schedulable; its own status cannot. */
function needsAnotherLook(pod: Stored<Pod>, old: Stored<Pod>): boolean {
  return (
    pod.metadata.uid !== old.metadata.uid ||
    !sameJson(pod.spec, old.spec) ||
    !sameJson(pod.metadata.labels, old.metadata.labels)
  );
}
