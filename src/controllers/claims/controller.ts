// The binder: claims and volumes that changed come from one queue, the pure plans decide, and the writes are
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
import { defaultClassOf, isDefaultClass } from '../../api/default-class.ts';
import { orUndefined } from '../../api/errors.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/generated/types.ts';
import { keyOf, type NamespacedName, parseKey, type Stored } from '../../api/objects.ts';
import { claimKeysOf, isPodFinished, PODS_BY_CLAIM } from '../../api/pod-state.ts';
import { persistentVolumeClaims } from '../../api/resources/persistent-volume-claims/definition.ts';
import { persistentVolumes } from '../../api/resources/persistent-volumes/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { storageClasses } from '../../api/resources/storage-classes/definition.ts';
import { assertNever } from '../../base/assert-never.ts';
import { timestamp } from '../../base/clock.ts';
import { present } from '../../base/present.ts';
import { ControllerQueue, type KeyQueue, runControllerOn, watch } from '../../client/controller.ts';
import { createRecorder, type EventRecorder } from '../../client/events.ts';
import { type KindKey, kindKey, kindKeys } from '../../client/queue-keys.ts';
import type { RunContext } from '../../client/run-context.ts';
import {
  boundClaim,
  type ClaimEvent,
  type ClaimObservation,
  claimWithPhase,
  planClaim,
} from './claim-plan.ts';
import { planVolume, releasedPhase, unboundVolume, type VolumePlan } from './volume-plan.ts';

const UNBOUND_BY_CLASS = 'unboundClass';

type Key = KindKey<'claim' | 'volume'>;

/** Runs the claim binder until the context's signal. */
export async function runClaimsController(context: RunContext): Promise<void> {
  await new ClaimsController(context).run();
}

class ClaimsController {
  readonly #context: RunContext;
  readonly #recorder: EventRecorder;
  /** The last event of each claim: the same one is not told again at every look. */
  readonly #lastEvent = new Map<NamespacedName, string>();

  constructor(context: RunContext) {
    this.#context = context;
    this.#recorder = createRecorder(context, 'persistentvolume-controller');
    const { informers } = context;
    informers.of(persistentVolumes).addIndex(VOLUMES_BY_CLAIM, claimRefKeys);
    informers.of(persistentVolumes).addIndex(UNCLAIMED_VOLUMES_BY_CLASS, unclaimedClassKeys);
    informers
      .of(persistentVolumeClaims)
      .addIndex(UNBOUND_BY_CLASS, (claim) => (isFullyBound(claim) ? [] : [classNameOf(claim)]));
    informers.of(pods).addIndex(PODS_BY_CLAIM, claimKeysOf);
  }

  run(): Promise<void> {
    const { informers } = this.#context;
    const ofVolume = (volume: Stored<PersistentVolume>): Key[] => this.#ofVolume(volume);
    const ofPod = (pod: Stored<Pod>): Key[] => claimKeysOf(pod).flatMap((key) => this.#unbound(key));
    const queue = new ControllerQueue(this.#context, 'claims', kindKeys('claim', 'volume'));
    return runControllerOn(queue, this.#context, {
      workers: 8,
      watches: [
        watch(informers.of(persistentVolumeClaims), {
          changed: (claim) => [kindKey('claim', claim.metadata)],
          deleted: (claim) => this.#volumesLeftBy(keyOf(claim)),
        }),
        watch(informers.of(persistentVolumes), { changed: ofVolume, deleted: ofVolume }),
        watch(informers.of(storageClasses), {
          changed: (storageClass) => [
            ...this.#unboundOf(storageClass.metadata.name),
            ...(isDefaultClass(storageClass) ? this.#unboundOf('') : []),
          ],
        }),
        watch(informers.of(pods), {
          added: ofPod,
          updated: (pod, old) => (pod.spec.nodeName === old.spec.nodeName ? undefined : ofPod(pod)),
          deleted: ofPod,
        }),
      ],
      reconcile: (key, queue) => this.#reconcile(key, queue),
    });
  }

  #reconcile({ kind, namespace, name }: Key, queue: KeyQueue<Key>): Promise<void> {
    switch (kind) {
      case 'claim':
        return this.#syncClaim(namespace, name);
      case 'volume':
        return this.#syncVolume(name, queue);
      default:
        return assertNever(kind);
    }
  }

  #unbound(claimKey: NamespacedName): Key[] {
    const { namespace, name } = parseKey(claimKey);
    const claim = this.#context.informers.of(persistentVolumeClaims).get(namespace, name);
    return claim && !isFullyBound(claim) ? [kindKey('claim', claim.metadata)] : [];
  }

  #volumesLeftBy(claimKey: NamespacedName): Key[] {
    this.#lastEvent.delete(claimKey);
    const volumes = this.#context.informers.of(persistentVolumes).byIndex(VOLUMES_BY_CLAIM, claimKey);
    return volumes.map((volume) => kindKey('volume', volume.metadata));
  }

  #ofVolume(volume: Stored<PersistentVolume>): Key[] {
    return [
      kindKey('volume', volume.metadata),
      ...claimRefKeys(volume).map((key) => kindKey('claim', parseKey(key))),
      ...unclaimedClassKeys(volume).flatMap((className) => this.#unboundOf(className)),
    ];
  }

  #unboundOf(className: string): Key[] {
    const claims = this.#context.informers.of(persistentVolumeClaims).byIndex(UNBOUND_BY_CLASS, className);
    return claims.map((claim) => kindKey('claim', claim.metadata));
  }

  // ---- claims -----------------------------------------------------------------------------------------------

  #observe(claim: Stored<PersistentVolumeClaim>): ClaimObservation {
    const { informers } = this.#context;
    const volumes = informers.of(persistentVolumes);
    const classes = informers.of(storageClasses);
    const className = classNameOf(claim);
    const key = keyOf(claim);
    const users = informers
      .of(pods)
      .byIndex(PODS_BY_CLAIM, key)
      .filter((pod) => !isPodFinished(pod));
    const waitingPods = users.filter(({ spec }) => !spec.nodeName).map(({ metadata }) => metadata.name);
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
      defaultClassName: className ? undefined : defaultClassOf(classes.list())?.metadata.name,
      waitingPods: waitingPods.sort(),
      usedOn: users.find(({ spec }) => spec.nodeName)?.spec.nodeName,
    };
  }

  async #syncClaim(namespace: string | undefined, name: string): Promise<void> {
    const { client, informers } = this.#context;
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
        return;
      }
      default:
        assertNever(plan);
    }
  }

  async #volumeBelongsTo(claim: Stored<PersistentVolumeClaim>): Promise<boolean> {
    const name = claim.spec.volumeName ?? '';
    const volume = await orUndefined(this.#context.client.get(persistentVolumes, { name }));
    return volume?.spec.claimRef?.uid === claim.metadata.uid;
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

  async #syncVolume(name: string, queue: KeyQueue<Key>): Promise<void> {
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
        return queue.add({ kind: 'claim', namespace: reference?.namespace, name: reference?.name ?? '' });
      case 'unbind':
        await client.update(persistentVolumes, unboundVolume(volume));
        return;
      case 'release':
        if (await this.#isStillClaimed(volume)) throw new Error('claims not up to date');
        return this.#writeVolumePhase(volume, releasedPhase(volume));
      default:
        assertNever(plan);
    }
  }

  /** Asks the API itself: a cache that lags behind must not cost anybody their data. */
  async #isStillClaimed(volume: Stored<PersistentVolume>): Promise<boolean> {
    const { namespace, name = '', uid } = volume.spec.claimRef ?? {};
    const claim = await orUndefined(this.#context.client.get(persistentVolumeClaims, { namespace, name }));
    const elsewhere = claim?.spec.volumeName && claim.spec.volumeName !== volume.metadata.name;
    return claim !== undefined && claim.metadata.uid === uid && !elsewhere;
  }

  async #writeVolumePhase(
    volume: Stored<PersistentVolume>,
    plan: VolumePlan & { type: 'phase' },
  ): Promise<void> {
    if (volume.status?.phase === plan.phase) return;
    const lastPhaseTransitionTime = timestamp(this.#context.clock.now());
    const { phase, message } = plan;
    const said = { ...volume.status, phase, message, lastPhaseTransitionTime };
    const status: PersistentVolume['status'] = present(said);
    await this.#context.client.update(persistentVolumes, { ...volume, status }, { subresource: 'status' });
    if (plan.event) this.#recorder.event(volume, 'Warning', plan.event.reason, plan.event.message);
  }
}
