// The provisioner of local volumes: makes the PersistentVolume of a claim, and deletes it when the claim is gone and
// the reclaim policy says so. Bytes are not made or removed here but by the node that the volume names; its
// finalizer keeps the object until they are gone. Follows sig-storage-lib-external-provisioner.

import { classNameOf, isFullyBound, SELECTED_NODE } from '../api/between/volume-binding.ts';
import { isAlreadyExists, isNotFound } from '../api/errors.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../api/generated/types.ts';
import { keyOf, parseKey, type Stored } from '../api/objects.ts';
import { nodes } from '../api/resources/nodes/definition.ts';
import { persistentVolumeClaims } from '../api/resources/persistent-volume-claims/definition.ts';
import { persistentVolumes } from '../api/resources/persistent-volumes/definition.ts';
import { storageClasses } from '../api/resources/storage-classes/definition.ts';
import { createRecorder, type EventRecorder } from '../client/events.ts';
import type { RunContext } from '../client/run-context.ts';
import { runWorkers } from '../client/run-workers.ts';
import { WorkQueue } from '../client/work-queue.ts';
import { LOCAL_PROVISIONER } from './default-class.ts';
import { isToBeDeleted, type ProvisionObservation, planProvision } from './provision-plan.ts';

const WORKERS = 8;
const BY_HOSTNAME = 'localVolumeNode';
const UNBOUND = 'unbound';
/** In front of the keys in the queue: claims have a namespace, volumes have none. */
const VOLUME = 'volume:';

/** Runs the provisioner of local volumes until the context's signal. */
export async function runLocalProvisioner(context: RunContext): Promise<void> {
  await new LocalProvisioner(context).run();
}

class LocalProvisioner {
  readonly #context: RunContext;
  readonly #queue: WorkQueue;
  readonly #recorder: EventRecorder;
  /** The last refusal of each claim: the same one is not told again. */
  readonly #lastRefusal = new Map<string, string>();

  constructor(context: RunContext) {
    this.#context = context;
    const { client, clock, random, log, informers, signal } = context;
    this.#queue = new WorkQueue(clock, context.queues?.named('provisioner'));
    this.#recorder = createRecorder(client, clock, random, LOCAL_PROVISIONER, '', log, signal);
    informers.of(persistentVolumes).addIndex(BY_HOSTNAME, hostnamesOf);
    informers.of(persistentVolumeClaims).addIndex(UNBOUND, (claim) => (isFullyBound(claim) ? [] : ['']));
  }

  async run(): Promise<void> {
    const { informers, log, signal } = this.#context;
    const claims = informers.of(persistentVolumeClaims);
    const volumes = informers.of(persistentVolumes);
    const [nodeInformer, classes] = [informers.of(nodes), informers.of(storageClasses)];
    try {
      await Promise.all([claims.synced(), volumes.synced(), nodeInformer.synced(), classes.synced()]);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    const retryUnbound = (): void => {
      for (const claim of claims.byIndex(UNBOUND, '')) this.#queue.add(keyOf(claim));
    };
    const claimChanged = (claim: Stored<PersistentVolumeClaim>): void => {
      if (!isFullyBound(claim)) this.#queue.add(keyOf(claim));
    };
    const volumeChanged = (volume: Stored<PersistentVolume>): void => {
      if (isToBeDeleted(volume)) this.#queue.add(VOLUME + volume.metadata.name);
    };
    const unsubscribe = [
      claims.subscribe({
        added: claimChanged,
        updated: claimChanged,
        deleted: (claim) => void this.#lastRefusal.delete(keyOf(claim)),
      }),
      volumes.subscribe({ added: volumeChanged, updated: volumeChanged }),
      nodeInformer.subscribe({
        added: retryUnbound,
        updated: (node, old) => {
          const facts = (n: typeof node): string =>
            JSON.stringify([
              n.metadata.annotations,
              n.spec.unschedulable,
              n.status?.conditions?.map((c) => c.status),
            ]);
          if (facts(node) !== facts(old)) retryUnbound();
        },
        deleted: retryUnbound,
      }),
      classes.subscribe({ added: retryUnbound }),
    ];
    await runWorkers(this.#queue, WORKERS, (key) => this.#reconcile(key), log, signal);
    for (const end of unsubscribe) end();
  }

  #reconcile(key: string): Promise<void> {
    return key.startsWith(VOLUME) ? this.#deleteVolume(key.slice(VOLUME.length)) : this.#provision(key);
  }

  #observe(claim: Stored<PersistentVolumeClaim>): ProvisionObservation {
    const { informers } = this.#context;
    const selected = claim.metadata.annotations?.[SELECTED_NODE];
    const volumes = informers.of(persistentVolumes);
    return {
      claim,
      storageClass: informers.of(storageClasses).get(undefined, classNameOf(claim)),
      selectedNode: selected === undefined ? undefined : informers.of(nodes).get(undefined, selected),
      nodes:
        selected === undefined
          ? informers
              .of(nodes)
              .list()
              .map((node) => ({
                node,
                volumes: volumes.byIndex(BY_HOSTNAME, node.metadata.labels?.['kubernetes.io/hostname'] ?? '')
                  .length,
              }))
          : [],
    };
  }

  async #provision(key: string): Promise<void> {
    const { client, informers } = this.#context;
    const { namespace, name } = parseKey(key);
    const claim = informers.of(persistentVolumeClaims).get(namespace, name);
    if (!claim) return;
    const plan = planProvision(this.#observe(claim));
    if (plan.type === 'nothing') return;
    if (plan.type === 'refuse') return this.#refuse(claim, plan.message, plan.reschedule);
    const volumeName = plan.volume.metadata.name ?? '';
    if (informers.of(persistentVolumes).get(undefined, volumeName)) return;
    this.#tell(
      claim,
      'Normal',
      'Provisioning',
      `External provisioner is provisioning volume for claim "${key}"`,
    );
    try {
      await client.create(persistentVolumes, plan.volume);
    } catch (error) {
      // Made before, by a run that was cut off.
      if (isAlreadyExists(error)) return;
      throw error;
    }
    this.#lastRefusal.delete(key);
    this.#tell(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${volumeName}`);
  }

  async #refuse(claim: Stored<PersistentVolumeClaim>, message: string, reschedule: boolean): Promise<void> {
    const key = keyOf(claim);
    const said = `${claim.metadata.uid} ${message}`;
    if (this.#lastRefusal.get(key) !== said) this.#tell(claim, 'Warning', 'ProvisioningFailed', message);
    this.#lastRefusal.set(key, said);
    if (!reschedule || (await this.#nodeExists(claim.metadata.annotations?.[SELECTED_NODE] ?? ''))) return;
    const { [SELECTED_NODE]: _, ...annotations } = claim.metadata.annotations ?? {};
    await this.#context.client.update(persistentVolumeClaims, {
      ...claim,
      metadata: { ...claim.metadata, annotations },
    });
  }

  async #nodeExists(name: string): Promise<boolean> {
    try {
      await this.#context.client.get(nodes, { name });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async #deleteVolume(name: string): Promise<void> {
    const { client, informers } = this.#context;
    const volume = informers.of(persistentVolumes).get(undefined, name);
    if (!volume || !isToBeDeleted(volume)) return;
    const { uid, resourceVersion } = volume.metadata;
    try {
      await client.delete(persistentVolumes, { name }, { preconditions: { uid, resourceVersion } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  #tell(
    claim: Stored<PersistentVolumeClaim>,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
  ): void {
    this.#recorder.event(claim, type, reason, message);
  }
}

/** The nodes (by hostname) that a local volume is on. */
function hostnamesOf(volume: PersistentVolume): string[] {
  const terms = volume.spec.local ? (volume.spec.nodeAffinity?.required?.nodeSelectorTerms ?? []) : [];
  return terms.flatMap((term) =>
    (term.matchExpressions ?? [])
      .filter((requirement) => requirement.key === 'kubernetes.io/hostname' && requirement.operator === 'In')
      .flatMap((requirement) => requirement.values ?? []),
  );
}
