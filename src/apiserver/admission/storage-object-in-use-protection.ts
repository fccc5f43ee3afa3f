// Claims and volumes carry a finalizer from the start, so that none goes while it is in use; controllers take it
// off. Follows plugin/pkg/admission/storage/storageobjectinuseprotection/admission.go.
import { CLAIM_PROTECTION, VOLUME_PROTECTION } from '../../api/between/volume-binding.ts';
import type { AdmissionPlugin } from './admission.ts';

const FINALIZERS: Readonly<Record<string, string>> = {
  PersistentVolumeClaim: CLAIM_PROTECTION,
  PersistentVolume: VOLUME_PROTECTION,
};

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  admit({ operation, resource, object }) {
    const finalizer = resource.group === '' ? FINALIZERS[resource.kind] : undefined;
    const finalizers = object.metadata.finalizers ?? [];
    if (operation !== 'CREATE' || !finalizer || finalizers.includes(finalizer)) return object;
    return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } };
  },
};
