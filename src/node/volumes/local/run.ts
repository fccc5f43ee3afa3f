// Removes the bytes of PersistentVolumes whose objects are being deleted, and then lets the objects go; grows those
// whose objects say more. Making and mounting is the pods' business: see local-volumes.ts.

import { PROVISIONED_BY } from '../../../api/between/volume-binding.ts';
import { isNotFound } from '../../../api/errors.ts';
import type { PersistentVolume } from '../../../api/generated/types.ts';
import { isTerminating, type Stored } from '../../../api/objects.ts';
import { persistentVolumes } from '../../../api/resources/persistent-volumes/definition.ts';
import { createRecorder } from '../../../client/events.ts';
import type { RunContext } from '../../../client/run-context.ts';
import { type ReconcileResult, runWorkers } from '../../../client/run-workers.ts';
import { WorkQueue } from '../../../client/work-queue.ts';
import { growForClaim } from './grow.ts';
import { localVolumeOf, PROVISIONER, VOLUME_FINALIZER } from './layout.ts';
import type { LocalVolumes } from './local-volumes.ts';

/** Other volumes need not wait for one with very many files. */
const WORKERS = 4;

/** What is needed of whoever keeps the bytes. */
export type VolumeKeeper = Pick<LocalVolumes, 'volumesDirectory' | 'grow' | 'remove' | 'onReleased'>;

/**
 * Runs until the context's signal. A volume that a pod still uses is removed when the pod has gone.
 * @param options.nodeName only volumes that name this node are touched.
 */
export async function runLocalVolumes(
  context: RunContext,
  options: { nodeName: string; volumes: VolumeKeeper },
): Promise<void> {
  const { volumes, nodeName } = options;
  const log = context.log.named('local-volumes');
  const queue = new WorkQueue(context.clock);
  const informer = context.informers.of(persistentVolumes);
  const events = createRecorder({ ...context, log }, 'kubelet', nodeName);
  const add = (volume: Stored<PersistentVolume>): void => {
    if (isBeingRemovedHere(volume, nodeName) || isOurs(volume)) queue.add(volume.metadata.name);
  };
  const isOurs = (volume: PersistentVolume): boolean =>
    !isTerminating(volume) &&
    volume.metadata.annotations?.[PROVISIONED_BY] === PROVISIONER &&
    nodesOf(volume).includes(nodeName);
  const unsubscribe = informer.subscribe({
    added: add,
    updated: (volume, old) => {
      const same = volume.spec.capacity?.storage === old.spec.capacity?.storage;
      if (!same || isTerminating(volume)) add(volume);
    },
  });
  const unlisten = volumes.onReleased((name) => queue.add(name));
  const reconcile = async (name: string): Promise<ReconcileResult> => {
    const volume = informer.get(undefined, name);
    if (!volume) return {};
    if (isBeingRemovedHere(volume, nodeName)) {
      const local = localVolumeOf(volume, volumes.volumesDirectory);
      if (local && (await volumes.remove(local))) await letGo(volume);
      return {};
    }
    const local = isOurs(volume) ? localVolumeOf(volume, volumes.volumesDirectory) : undefined;
    return (local && (await growForClaim(context, events, volumes, volume, local))) ?? {};
  };
  const letGo = async (volume: Stored<PersistentVolume>): Promise<void> => {
    const finalizers = (volume.metadata.finalizers ?? []).filter((name) => name !== VOLUME_FINALIZER);
    // With its version, so that a finalizer that somebody added meanwhile is not lost.
    const metadata = { resourceVersion: volume.metadata.resourceVersion, finalizers };
    try {
      const key = { name: volume.metadata.name };
      await context.client.patch(persistentVolumes, key, { type: 'merge', body: { metadata } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };
  try {
    await runWorkers(queue, WORKERS, reconcile, log, context.signal);
  } finally {
    unsubscribe();
    unlisten();
  }
}

/** Whether it is for this node to remove a volume's bytes now. */
export function isBeingRemovedHere(volume: PersistentVolume, nodeName: string): boolean {
  return (
    isTerminating(volume) &&
    volume.metadata.finalizers?.includes(VOLUME_FINALIZER) === true &&
    nodesOf(volume).includes(nodeName)
  );
}

/** The nodes that a volume's required affinity names by host name; the provisioner writes exactly one. */
function nodesOf(volume: PersistentVolume): string[] {
  const terms = volume.spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  return terms
    .flatMap((term) => [...(term.matchExpressions ?? []), ...(term.matchFields ?? [])])
    .filter(({ key, operator }) => operator === 'In' && NODE_KEYS.includes(key))
    .flatMap(({ values }) => values ?? []);
}

const NODE_KEYS = ['kubernetes.io/hostname', 'metadata.name'];
