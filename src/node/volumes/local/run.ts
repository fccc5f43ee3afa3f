// Removes the bytes of PersistentVolumes whose objects are being deleted, and then lets the objects go. Making and
// mounting is the pods' business: see local-volumes.ts.
import { isNotFound } from '../../../api/errors.ts';
import type { PersistentVolume } from '../../../api/generated/types.ts';
import { isTerminating, type Stored } from '../../../api/objects.ts';
import { persistentVolumes } from '../../../api/resources/persistent-volumes.ts';
import type { RunContext } from '../../../client/run-context.ts';
import { runWorkers } from '../../../client/run-workers.ts';
import { WorkQueue } from '../../../client/work-queue.ts';
import { localVolumeOf, VOLUME_FINALIZER } from './layout.ts';
import type { LocalVolumes } from './local-volumes.ts';

/** Other volumes need not wait for one with very many files. */
const REMOVALS_AT_ONCE = 4;

/**
 * Runs until the context's signal. A volume that a pod still uses is removed when the pod has gone.
 * @param options.nodeName only volumes that name this node are touched.
 */
export async function runLocalVolumes(
  context: RunContext,
  options: { nodeName: string; volumes: LocalVolumes },
): Promise<void> {
  const { volumes, nodeName } = options;
  const log = context.log.named('local-volumes');
  const queue = new WorkQueue(context.clock);
  const informer = context.informers.of(persistentVolumes);
  const add = (volume: Stored<PersistentVolume>): void => {
    if (isBeingRemovedHere(volume, nodeName)) queue.add(volume.metadata.name);
  };
  const unsubscribe = informer.subscribe({ added: add, updated: add });
  const unlisten = volumes.onReleased((name) => queue.add(name));
  const reconcile = async (name: string): Promise<void> => {
    const volume = informer.get(undefined, name);
    if (!volume || !isBeingRemovedHere(volume, nodeName)) return;
    const local = localVolumeOf(volume, volumes.volumesDirectory);
    if (local && (await volumes.remove(local))) await letGo(volume);
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
    await runWorkers(queue, REMOVALS_AT_ONCE, reconcile, log, context.signal);
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
