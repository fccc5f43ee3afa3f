// The PersistentVolumeClaim resource.

import type { PersistentVolumeClaim } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { ageColumn, column, formatAccessModes, nameColumn, wideColumn } from '../shared/columns.ts';
import { keepStatus } from '../shared/status-strategy.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { withDataSources } from './data-source.ts';
import { validatePersistentVolumeClaimStatusUpdate } from './status-validation.ts';
import { persistentVolumeClaimTypes } from './types.ts';
import { validatePersistentVolumeClaim, validatePersistentVolumeClaimUpdate } from './validation.ts';
import { claimWarnings } from './warnings.ts';

/** A claim without a volume shows neither size nor modes: it has none yet. */
function whenBound(cell: (claim: PersistentVolumeClaim) => string): (claim: PersistentVolumeClaim) => string {
  return (claim) => (claim.spec.volumeName ? cell(claim) : '');
}

export const persistentVolumeClaims: ResourceDefinition<PersistentVolumeClaim> = {
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  singular: 'persistentvolumeclaim',
  shortNames: ['pvc'],
  categories: [],
  namespaced: true,
  schema: 'PersistentVolumeClaim',
  types: [persistentVolumeClaimTypes],
  verbs: ALL_VERBS,
  hasStatus: true,
  returnsDeleted: true,
  columns: [
    nameColumn(),
    column('Status', 'Whether it has a volume.', (claim) =>
      claim.metadata.deletionTimestamp === undefined ? (claim.status?.phase ?? '') : 'Terminating',
    ),
    column('Volume', 'The volume that it is bound to.', (claim) => claim.spec.volumeName ?? ''),
    column(
      'Capacity',
      'How much its volume holds.',
      whenBound((claim) => claim.status?.capacity?.storage ?? '0'),
    ),
    column(
      'Access Modes',
      'How its volume can be mounted.',
      whenBound((claim) => formatAccessModes(claim.status?.accessModes)),
    ),
    column('StorageClass', 'StorageClass of the pvc', (claim) => claim.spec.storageClassName ?? ''),
    column(
      'VolumeAttributesClass',
      'VolumeAttributesClass of the pvc',
      (claim) => claim.spec.volumeAttributesClassName || '<unset>',
    ),
    ageColumn(),
    wideColumn('VolumeMode', 'Filesystem or Block.', (claim) => claim.spec.volumeMode ?? '<unset>'),
  ],
  strategy: {
    prepareForUpdate: keepStatus,
    prepareForCreate(claim) {
      claim.status = { phase: 'Pending' };
      claim.spec = withDataSources(claim.spec);
    },
    validateCreate: validatePersistentVolumeClaim,
    warnings: claimWarnings,
    validateUpdate: validatePersistentVolumeClaimUpdate,
    validateStatusUpdate: validatePersistentVolumeClaimStatusUpdate,
  },
};
