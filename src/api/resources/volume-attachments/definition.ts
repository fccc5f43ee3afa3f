// The VolumeAttachment resource.

import type { VolumeAttachment } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { persistentVolumeTypes } from '../persistent-volumes/types.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { statusStrategy } from '../shared/status-strategy.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { volumeAttachmentTypes } from './types.ts';
import { validateVolumeAttachment, validateVolumeAttachmentUpdate } from './validation.ts';

export const volumeAttachments: ResourceDefinition<VolumeAttachment> = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  singular: 'volumeattachment',
  shortNames: [],
  categories: [],
  namespaced: false,
  schema: 'VolumeAttachment',
  types: [volumeAttachmentTypes, persistentVolumeTypes],
  verbs: ALL_VERBS,
  hasStatus: true,
  returnsDeleted: true,
  needsVersionToUpdate: true,
  columns: [
    nameColumn(),
    column('Attacher', 'Who attaches the volume.', (attachment) => attachment.spec.attacher),
    column('PV', 'The volume.', (attachment) => attachment.spec.source.persistentVolumeName ?? ''),
    column('Node', 'The node that it is attached to.', (attachment) => attachment.spec.nodeName),
    column(
      'Attached',
      'Whether it is attached.',
      (attachment) => attachment.status?.attached ?? false,
      'boolean',
    ),
    ageColumn(),
  ],
  strategy: {
    ...statusStrategy<VolumeAttachment>(() => ({ attached: false })),
    validateCreate: validateVolumeAttachment,
    validateUpdate: validateVolumeAttachmentUpdate,
    validateStatusUpdate: validateVolumeAttachment,
  },
};
