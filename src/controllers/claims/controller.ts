// The binder's loop: claims and volumes that changed come from one queue, the pure plans decide, and the writes are
// made here, volume first. Two claims that reach for one volume at once are told apart by its resourceVersion.

import {
  boundVolume,
  claimRefKeys,
  classNameOf,
  isFullyBound,
  UNCLAIMED_VOLUMES_BY_CLASS,
  unclaimedClassKeys,
  VOLUMES_BY_CLAIM,
} from '../../api/between/volume-binding.ts';
import { isNotFound } from '../../api/errors.ts';
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../api/generated/types.ts';
import { keyOf, parseKey, type Stored } from '../../api/objects.ts';
import { claimKeysOf, isPodFinished, PODS_BY_CLAIM } from '../../api/pod-state.ts';
import { persistentVolumeClaims } from '../../api/resources/persistent-volume-claims/definition.ts';
import { persistentVolumes } from '../../api/resources/persistent-volumes/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { storageClasses } from '../../api/resources/storage-classes/definition.ts';
import { timestamp } from '../../base/clock.ts';
import { createRecorder, type EventRecorder } from '../../client/events.ts';
import type { RunContext } from '../../client/run-context.ts';
import { runWorkers } from '../../client/run-workers.ts';
import { WorkQueue } from '../../client/work-queue.ts';
import {
  boundClaim,
  type ClaimEvent,
  type ClaimObservation,
  claimWithPhase,
  planClaim,
} from './claim-plan.ts';
import { planVolume, releasedPhase, unboundVolume, type VolumePlan } from './volume-plan.ts';

const WORKERS = 8;
const UNBOUND_BY_CLASS = 'unboundClass';
const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';
/** In front of the keys in the queue: claims have a namespace, volumes have none. */
const VOLUME = 'volume:';

/** Runs the claim binder until the context's signal. */
export async function runClaimsController(context: RunContext): Promise<void> {
  await new ClaimsController(context).run();
}

class ClaimsController {
  readonly #context: RunContext;
  readonly #queue: WorkQueue;
  readonly #recorder: EventRecorder;
  /** The last event of each claim: the same one is not told again at every look. */
  readonly #lastEvent = new Map<string, string>();

  constructor(context: RunContext) {
    this.#context = context;
    const { client, clock, random, log, informers, signal } = context;
    this.#queue = new WorkQueue(clock, context.queues?.named('claims'));
    this.#recorder = createRecorder(client, clock, random, 'persistentvolume-controller', '', log, signal);
    informers.of(persistentVolumes).addIndex(VOLUMES_BY_CLAIM, claimRefKeys);
    informers.of(persistentVolumes).addIndex(UNCLAIMED_VOLUMES_BY_CLASS, unclaimedClassKeys);
    informers
      .of(persistentVolumeClaims)
      .addIndex(UNBOUND_BY_CLASS, (claim) => (isFullyBound(claim) ? [] : [classNameOf(claim)]));
    informers.of(pods).addIndex(PODS_BY_CLAIM, claimKeysOf);
  }

  async run(): Promise<void> {
    const { informers, log, signal } = this.#context;
    const [claims, volumes, classes, podInformer] = [
      informers.of(persistentVolumeClaims),
      informers.of(persistentVolumes),
      informers.of(storageClasses),
      informers.of(pods),
    ];
    try {
      await Promise.all([claims.synced(), volumes.synced(), classes.synced(), podInformer.synced()]);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    const volumeChanged = (volume: Stored<PersistentVolume>): void => this.#volumeChanged(volume);
    const classChanged = (storageClass: Stored<StorageClass>): void => this.#classChanged(storageClass);
    const podChanged = (pod: Parameters<typeof claimKeysOf>[0]): void => {
      for (const key of claimKeysOf(pod)) if (this.#isUnbound(key)) this.#queue.add(key);
    };
    const unsubscribe = [
      claims.subscribe({
        added: (claim) => this.#queue.add(keyOf(claim)),
        updated: (claim) => this.#queue.add(keyOf(claim)),
        deleted: (claim) => this.#claimGone(keyOf(claim)),
      }),
      volumes.subscribe({ added: volumeChanged, updated: volumeChanged, deleted: volumeChanged }),
      classes.subscribe({ added: classChanged, updated: classChanged }),
      podInformer.subscribe({ added: podChanged, deleted: podChanged }),
    ];
    await runWorkers(this.#queue, WORKERS, (key) => this.#reconcile(key), log, signal);
    for (const end of unsubscribe) end();
  }

  #isUnbound(claimKey: string): boolean {
    const { namespace, name } = parseKey(claimKey);
    const claim = this.#context.informers.of(persistentVolumeClaims).get(namespace, name);
    return claim !== undefined && !isFullyBound(claim);
  }

  #claimGone(key: string): void {
    this.#lastEvent.delete(key);
    for (const volume of this.#context.informers.of(persistentVolumes).byIndex(VOLUMES_BY_CLAIM, key)) {
      this.#queue.add(VOLUME + volume.metadata.name);
    }
  }

  #volumeChanged(volume: Stored<PersistentVolume>): void {
    this.#queue.add(VOLUME + volume.metadata.name);
    for (const key of claimRefKeys(volume)) this.#queue.add(key);
    for (const className of unclaimedClassKeys(volume)) this.#addUnbound(className);
  }

  #classChanged(storageClass: Stored<StorageClass>): void {
    this.#addUnbound(storageClass.metadata.name);
    if (isDefault(storageClass)) this.#addUnbound('');
  }

  #addUnbound(className: string): void {
    const claims = this.#context.informers.of(persistentVolumeClaims).byIndex(UNBOUND_BY_CLASS, className);
    for (const claim of claims) this.#queue.add(keyOf(claim));
  }

  #reconcile(key: string): Promise<void> {
    return key.startsWith(VOLUME) ? this.#syncVolume(key.slice(VOLUME.length)) : this.#syncClaim(key);
  }

  // ---- claims -----------------------------------------------------------------------------------------------

  #observe(claim: Stored<PersistentVolumeClaim>): ClaimObservation {
    const { informers } = this.#context;
    const volumes = informers.of(persistentVolumes);
    const classes = informers.of(storageClasses);
    const className = classNameOf(claim);
    const key = keyOf(claim);
    const waitingPods = informers
      .of(pods)
      .byIndex(PODS_BY_CLAIM, key)
      .filter((pod) => !pod.spec.nodeName && !isPodFinished(pod))
      .map((pod) => pod.metadata.name);
    return {
      claim,
      named: claim.spec.volumeName ? volumes.get(undefined, claim.spec.volumeName) : undefined,
      candidates: isFullyBound(claim)
        ? []
        : [
            ...volumes.byIndex(VOLUMES_BY_CLAIM, key),
            ...volumes.byIndex(UNCLAIMED_VOLUMES_BY_CLASS, className),
          ],
      storageClass: className ? classes.get(undefined, className) : undefined,
      defaultClassName: className ? undefined : newestDefault(classes.list())?.metadata.name,
      waitingPods: waitingPods.sort(),
    };
  }

  async #syncClaim(key: string): Promise<void> {
    const { client, informers } = this.#context;
    const { namespace, name } = parseKey(key);
    const claim = informers.of(persistentVolumeClaims).get(namespace, name);
    if (!claim) return;
    const plan = planClaim(this.#observe(claim));
    switch (plan.type) {
      case 'bind':
        return this.#bind(claim, plan.volume);
      case 'assignClass': {
        const spec = { ...claim.spec, storageClassName: plan.className };
        await client.update(persistentVolumeClaims, { ...claim, spec });
        return;
      }
      case 'lose': {
        if (claim.status?.phase === 'Lost') return;
        // The cache of volumes may lag behind that of claims: only the API itself can say that one is lost.
        if (claim.spec.volumeName && (await this.#volumeBelongsTo(claim)))
          throw new Error('volumes not up to date');
        await this.#writePhase(claim, 'Lost');
        return this.#tell(claim, plan.event);
      }
      case 'wait': {
        const annotated = await this.#annotate(claim, plan.annotations);
        await this.#writePhase(annotated, 'Pending');
        if (plan.event) this.#tell(claim, plan.event);
      }
    }
  }

  async #volumeBelongsTo(claim: Stored<PersistentVolumeClaim>): Promise<boolean> {
    try {
      const volume = await this.#context.client.get(persistentVolumes, { name: claim.spec.volumeName ?? '' });
      return volume.spec.claimRef?.uid === claim.metadata.uid;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async #annotate(
    claim: Stored<PersistentVolumeClaim>,
    wanted: Record<string, string> = {},
  ): Promise<Stored<PersistentVolumeClaim>> {
    const annotations = claim.metadata.annotations ?? {};
    if (Object.entries(wanted).every(([key, value]) => annotations[key] === value)) return claim;
    const metadata = { ...claim.metadata, annotations: { ...annotations, ...wanted } };
    return this.#context.client.update(persistentVolumeClaims, { ...claim, metadata });
  }

  async #writePhase(
    claim: Stored<PersistentVolumeClaim>,
    phase: 'Pending' | 'Bound' | 'Lost',
    volume?: Stored<PersistentVolume>,
  ): Promise<void> {
    const changed = claimWithPhase(claim, phase, volume);
    if (changed)
      await this.#context.client.update(persistentVolumeClaims, changed, { subresource: 'status' });
  }

  /** Volume first, then the claim: whatever is cut off in between, the next look finishes it. */
  async #bind(claim: Stored<PersistentVolumeClaim>, found: Stored<PersistentVolume>): Promise<void> {
    const { client } = this.#context;
    const reserved = boundVolume(found, claim);
    const volume = reserved ? await client.update(persistentVolumes, reserved) : found;
    await this.#writeVolumePhase(volume, { type: 'phase', phase: 'Bound' });
    const bound = boundClaim(claim, volume);
    const current = bound ? await client.update(persistentVolumeClaims, bound) : claim;
    await this.#writePhase(current, 'Bound', volume);
  }

  #tell(claim: Stored<PersistentVolumeClaim>, event: ClaimEvent): void {
    const said = `${claim.metadata.uid} ${event.reason} ${event.message}`;
    if (this.#lastEvent.get(keyOf(claim)) === said) return;
    this.#lastEvent.set(keyOf(claim), said);
    this.#recorder.event(claim, event.type, event.reason, event.message);
  }

  // ---- volumes ----------------------------------------------------------------------------------------------

  async #syncVolume(name: string): Promise<void> {
    const { client, informers } = this.#context;
    const volume = informers.of(persistentVolumes).get(undefined, name);
    if (!volume) return;
    const reference = volume.spec.claimRef;
    const claim = reference
      ? informers.of(persistentVolumeClaims).get(reference.namespace, reference.name ?? '')
      : undefined;
    const plan = planVolume(volume, claim);
    switch (plan.type) {
      case 'phase':
        return this.#writeVolumePhase(volume, plan);
      case 'claim':
        return this.#queue.add(`${reference?.namespace}/${reference?.name}`);
      case 'unbind':
        await client.update(persistentVolumes, unboundVolume(volume));
        return;
      case 'release':
        if (await this.#isStillClaimed(volume)) throw new Error('claims not up to date');
        return this.#writeVolumePhase(volume, releasedPhase(volume));
    }
  }

  /** Asks the API itself: a cache that lags behind must not cost anybody their data. */
  async #isStillClaimed(volume: Stored<PersistentVolume>): Promise<boolean> {
    const { namespace, name = '', uid } = volume.spec.claimRef ?? {};
    try {
      const claim = await this.#context.client.get(persistentVolumeClaims, { namespace, name });
      const elsewhere = claim.spec.volumeName && claim.spec.volumeName !== volume.metadata.name;
      return claim.metadata.uid === uid && !elsewhere;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async #writeVolumePhase(
    volume: Stored<PersistentVolume>,
    plan: VolumePlan & { type: 'phase' },
  ): Promise<void> {
    if (volume.status?.phase === plan.phase) return;
    const lastPhaseTransitionTime = timestamp(this.#context.clock.now());
    const status = { ...volume.status, phase: plan.phase, message: plan.message, lastPhaseTransitionTime };
    await this.#context.client.update(persistentVolumes, { ...volume, status }, { subresource: 'status' });
    if (plan.event) this.#recorder.event(volume, 'Warning', plan.event.reason, plan.event.message);
  }
}

const isDefault = (storageClass: StorageClass): boolean =>
  storageClass.metadata.annotations?.[DEFAULT_CLASS] === 'true';

/** Of several default classes the newest counts, as at admission. */
function newestDefault(classes: readonly Stored<StorageClass>[]): Stored<StorageClass> | undefined {
  return classes
    .filter(isDefault)
    .sort((a, b) => b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp))[0];
}
