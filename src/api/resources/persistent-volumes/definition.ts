// The PersistentVolume resource.
import { timestamp } from '../../../base/clock.ts';
import type { PersistentVolume } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { volumeWarnings } from '../persistent-volume-claims/warnings.ts';
import { ageColumn, column, formatAccessModes, nameColumn, wideColumn } from '../shared/columns.ts';
import { keepStatus } from '../shared/status-strategy.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { persistentVolumeTypes } from './types.ts';
import { validatePersistentVolume, validatePersistentVolumeUpdate } from './validation.ts';

/** `namespace/name` of the claim that the volume is bound to, or set aside for. */
function claimCell({ spec: { claimRef } }: PersistentVolume): string {
  return claimRef ? `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}` : '';
}

export const persistentVolumes: ResourceDefinition<PersistentVolume> = {
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  singular: 'persistentvolume',
  shortNames: ['pv'],
  categories: [],
  namespaced: false,
  schema: 'PersistentVolume',
  types: [persistentVolumeTypes],
  verbs: ALL_VERBS,
  hasStatus: true,
  returnsDeleted: true,
  columns: [
    nameColumn(),
    column('Capacity', 'How much it holds.', (volume) => volume.spec.capacity?.storage ?? '0'),
    column('Access Modes', 'How it can be mounted.', (volume) => formatAccessModes(volume.spec.accessModes)),
    column(
      'Reclaim Policy',
      'What happens to it when its claim is deleted.',
      (volume) => volume.spec.persistentVolumeReclaimPolicy ?? '',
    ),
    column('Status', 'Whether a claim has it.', (volume) =>
      volume.metadata.deletionTimestamp === undefined ? (volume.status?.phase ?? '') : 'Terminating',
    ),
    column('Claim', 'The claim that has it.', claimCell),
    column('StorageClass', 'StorageClass of the pv', (volume) => volume.spec.storageClassName ?? ''),
    column(
      'VolumeAttributesClass',
      'VolumeAttributesClass of the pv',
      (volume) => volume.spec.volumeAttributesClassName || '<unset>',
    ),
    column('Reason', 'Why it is in this status.', (volume) => volume.status?.reason ?? ''),
    ageColumn(),
    wideColumn('VolumeMode', 'Filesystem or Block.', (volume) => volume.spec.volumeMode ?? '<unset>'),
  ],
  strategy: {
    prepareForCreate(volume, { nowMs }) {
      volume.status = { phase: 'Pending', lastPhaseTransitionTime: timestamp(nowMs) };
    },
    validateCreate: validatePersistentVolume,
    warnings: volumeWarnings,
    prepareForUpdate: keepStatus,
    validateUpdate: validatePersistentVolumeUpdate,
    prepareForStatusUpdate(volume, old, { nowMs }) {
      volume.spec = old.spec;
      if (volume.status && volume.status.phase !== old.status?.phase) {
        volume.status = { ...volume.status, lastPhaseTransitionTime: timestamp(nowMs) };
      }
    },
  },
};
