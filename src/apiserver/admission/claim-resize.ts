// A claim may ask for more room only if it has a volume and its class says so. Follows
// plugin/pkg/admission/storage/persistentvolume/resize/admission.go; whether the volume itself can grow, who makes it
// larger says on the claim.
import { forbidden } from '../../api/errors.ts';
import type { PersistentVolumeClaim, StorageClass } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { compareQuantities } from '../../api/quantity.ts';
import { type AdmissionContext, type AdmissionPlugin, objectOf } from './admission.ts';

const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';

export const claimResize: AdmissionPlugin = {
  name: 'PersistentVolumeClaimResize',
  async validate(request, context) {
    if (request.operation !== 'UPDATE') return;
    const claim = objectOf<PersistentVolumeClaim>(request, '', 'PersistentVolumeClaim');
    // The resource decides the type of both.
    const old = request.old as Stored<PersistentVolumeClaim> | undefined;
    if (!claim || !old || compareQuantities(storageOf(claim), storageOf(old)) <= 0) return;
    if (old.status?.phase !== 'Bound') {
      const why = 'Only bound persistent volume claims can be expanded';
      throw forbidden(request.resource, request.key.name, why);
    }
    if (await mayGrow(claim, old, context)) return;
    const why =
      'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';
    throw forbidden(request.resource, request.key.name, why);
  },
};

const storageOf = ({ spec }: PersistentVolumeClaim): string => spec.resources?.requests?.storage ?? '0';

function classOf({ metadata, spec }: PersistentVolumeClaim): string {
  return metadata.annotations?.[BETA_CLASS] ?? spec.storageClassName ?? '';
}

async function mayGrow(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
  context: AdmissionContext,
): Promise<boolean> {
  const name = classOf(claim);
  if (!name || name !== classOf(old)) return false;
  const found = await context.find('storage.k8s.io', 'storageclasses', { name });
  return (found as Stored<StorageClass> | undefined)?.allowVolumeExpansion === true;
}
