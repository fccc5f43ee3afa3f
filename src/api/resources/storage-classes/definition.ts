// The StorageClass resource.

import { isDefaultClass } from '../../default-class.ts';
import type { StorageClass } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { storageClassWarnings } from '../persistent-volume-claims/warnings.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { storageClassTypes } from './types.ts';
import { validateStorageClass, validateStorageClassUpdate } from './validation.ts';

export const storageClasses: ResourceDefinition<StorageClass> = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  singular: 'storageclass',
  shortNames: ['sc'],
  categories: [],
  namespaced: false,
  schema: 'StorageClass',
  types: [storageClassTypes],
  verbs: ALL_VERBS,
  hasStatus: false,
  returnsDeleted: true,
  columns: [
    nameColumn((object) => (isDefaultClass(object) ? ' (default)' : '')),
    column('Provisioner', 'Who makes the volumes.', (object) => object.provisioner),
    column(
      'ReclaimPolicy',
      'What happens to a volume when its claim is deleted.',
      (object) => object.reclaimPolicy ?? 'Delete',
    ),
    column(
      'VolumeBindingMode',
      'When a volume is made: at once, or when a pod needs it.',
      (object) => object.volumeBindingMode ?? 'Immediate',
    ),
    column(
      'AllowVolumeExpansion',
      'Whether volumes may grow.',
      (object) => object.allowVolumeExpansion ?? false,
      'boolean',
    ),
    ageColumn(),
  ],
  strategy: {
    validateCreate: validateStorageClass,
    validateUpdate: validateStorageClassUpdate,
    warnings: storageClassWarnings,
  },
};
