// A claim that says nothing of a class gets the default one, the newest if several are marked. Follows
// plugin/pkg/admission/storage/storageclass/setdefault/admission.go.
import type { PersistentVolumeClaim, StorageClass } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { type AdmissionPlugin, objectOf } from './admission.ts';

const MARKS = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

export const defaultStorageClass: AdmissionPlugin = {
  name: 'DefaultStorageClass',
  async admit(request, context) {
    if (request.operation !== 'CREATE') return;
    const claim = objectOf<PersistentVolumeClaim>(request, '', 'PersistentVolumeClaim');
    if (!claim?.spec || claim.spec.storageClassName !== undefined) return;
    if (claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] !== undefined) return;
    const classes = (await context.list('storage.k8s.io', 'storageclasses')) as Stored<StorageClass>[];
    const newest = classes
      .filter(({ metadata }) => MARKS.some((mark) => metadata.annotations?.[mark] === 'true'))
      .sort(newestFirst)[0];
    if (newest) claim.spec.storageClassName = newest.metadata.name;
  },
};

function newestFirst({ metadata: a }: Stored, { metadata: b }: Stored): number {
  if (a.creationTimestamp !== b.creationTimestamp) return a.creationTimestamp < b.creationTimestamp ? 1 : -1;
  return a.name < b.name ? -1 : 1;
}
