// Removes the bytes of PersistentVolumes whose objects are being deleted, and then lets the objects go; grows those
// whose objects say more. Making and mounting is the pods' business: see local-volumes.ts.
import { LOCAL_PROVISIONER, LOCAL_VOLUME_FINALIZER } from '../../../api/between/local-volumes.ts';
import { nodesOfVolume, PROVISIONED_BY } from '../../../api/between/volume-binding.ts';
import { orUndefined } from '../../../api/errors.ts';
import type { PersistentVolume } from '../../../api/generated/types.ts';
import { isTerminating, type ObjectKey, type Stored } from '../../../api/objects.ts';
import { persistentVolumes } from '../../../api/resources/persistent-volumes/definition.ts';
import { itself, runController, watch } from '../../../client/controller.ts';
import { createRecorder } from '../../../client/events.ts';
import type { RunContext } from '../../../client/run-context.ts';
import { growForClaim } from './grow.ts';
import { localVolumeOf } from './layout.ts';
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
  const informer = context.informers.of(persistentVolumes);
  const events = createRecorder({ ...context, log }, 'kubelet', nodeName);
  const isOurs = (volume: PersistentVolume): boolean =>
    !isTerminating(volume) &&
    volume.metadata.annotations?.[PROVISIONED_BY] === LOCAL_PROVISIONER &&
    nodesOfVolume(volume).includes(nodeName);
  const keys = (volume: Stored<PersistentVolume>): ObjectKey[] =>
    isBeingRemovedHere(volume, nodeName) || isOurs(volume) ? itself(volume) : [];
  await runController({ ...context, log }, 'local_volumes', {
    workers: WORKERS,
    watches: [
      watch(informer, {
        added: keys,
        updated(volume, old) {
          const same = volume.spec.capacity?.storage === old.spec.capacity?.storage;
          return !same || isTerminating(volume) ? keys(volume) : [];
        },
      }),
      { start: (queue) => volumes.onReleased((name) => queue.add({ name })) },
    ],
    async reconcile({ name }) {
      const volume = informer.get(undefined, name);
      const local = volume && localVolumeOf(volume, volumes.volumesDirectory);
      if (!local) return undefined;
      if (isOurs(volume)) return growForClaim(context, events, volumes, volume, local);
      if (isBeingRemovedHere(volume, nodeName) && (await volumes.remove(local))) await letGo(context, volume);
      return undefined;
    },
  });
}

/** Takes our finalizer from a volume whose bytes are gone. */
async function letGo({ client }: RunContext, { metadata }: Stored<PersistentVolume>): Promise<void> {
  const { name, resourceVersion } = metadata;
  const finalizers = (metadata.finalizers ?? []).filter((each) => each !== LOCAL_VOLUME_FINALIZER);
  // With its version, so that a finalizer that somebody added meanwhile is not lost.
  const patch = { type: 'merge', body: { metadata: { resourceVersion, finalizers } } } as const;
  await orUndefined(client.patch(persistentVolumes, { name }, patch));
}

/** Whether it is for this node to remove a volume's bytes now. */
export function isBeingRemovedHere(volume: PersistentVolume, nodeName: string): boolean {
  return (
    isTerminating(volume) &&
    volume.metadata.finalizers?.includes(LOCAL_VOLUME_FINALIZER) === true &&
    nodesOfVolume(volume).includes(nodeName)
  );
}
