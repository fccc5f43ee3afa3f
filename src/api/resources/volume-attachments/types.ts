// The types of volume attachments, as far as they are not shared: what the client's models do not say of them.
import { embedded, pointer } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';

export const volumeAttachmentTypes = generatedTypes('io.k8s.api.storage.v1', {
  VolumeAttachment: { numbers: 'metadata spec status' },
  VolumeAttachmentSource: {
    numbers: 'persistentVolumeName inlineVolumeSpec',
    fields: { persistentVolumeName: pointer },
  },
  VolumeAttachmentSpec: { numbers: 'attacher source nodeName', fields: { source: embedded } },
  VolumeAttachmentStatus: { numbers: 'attached attachmentMetadata attachError detachError' },
  VolumeError: { numbers: 'time message errorCode', fields: { errorCode: pointer } },
});
