// A claim that says nothing of a class gets the default one, the newest if several are marked. Follows
// plugin/pkg/admission/storage/storageclass/setdefault/admission.go.
import { defaultClassOf } from '../../api/default-class.ts';
import type { PersistentVolumeClaim, StorageClass } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { type AdmissionPlugin, objectOf } from './admission.ts';

export const defaultStorageClass: AdmissionPlugin = {
  name: 'DefaultStorageClass',
  async admit(request, context) {
    const { operation, object } = request;
    if (operation !== 'CREATE') return object;
    const claim = objectOf<PersistentVolumeClaim>(request, '', 'PersistentVolumeClaim');
    if (!claim?.spec || claim.spec.storageClassName !== undefined) return object;
    if (claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] !== undefined) return claim;
    const classes = (await context.list('storage.k8s.io', 'storageclasses')) as Stored<StorageClass>[];
    const newest = defaultClassOf(classes);
    return newest ? { ...claim, spec: { ...claim.spec, storageClassName: newest.metadata.name } } : claim;
  },
};
