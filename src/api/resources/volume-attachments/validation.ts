// What may stand in a VolumeAttachment; what is asked for never changes (pkg/apis/storage/validation). Volumes that are
// written out in the attachment itself are let through: nothing here makes or reads one.
import { type FieldError, forbiddenField, invalidValue, required, tooLong } from '../../errors.ts';
import type { VolumeAttachment, VolumeError } from '../../generated/types.ts';
import { dns1123Subdomain } from '../../names.ts';
import { csiDriverName } from '../../validation/csi-names.ts';
import { checked, immutable } from '../../validation/field-rules.ts';

const MAX_METADATA = 256 * 1024;
const MAX_MESSAGE = 1024;

export function validateVolumeAttachment({ spec, status }: VolumeAttachment): FieldError[] {
  const { inlineVolumeSpec, persistentVolumeName: volume } = spec.source;
  const source = 'spec.source';
  const either = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';
  const errors = csiDriverName(spec.attacher, 'spec.attacher');
  if (!inlineVolumeSpec && volume === undefined) errors.push(required(source, either));
  else if (inlineVolumeSpec && volume !== undefined) errors.push(forbiddenField(source, either));
  else if (volume === '') {
    errors.push(required(`${source}.persistentVolumeName`, 'must specify non empty persistentVolumeName'));
  } else if (volume !== undefined) {
    errors.push(...checked(volume, `${source}.persistentVolumeName`, dns1123Subdomain));
  }
  errors.push(...checked(spec.nodeName, 'spec.nodeName', dns1123Subdomain));
  return [
    ...errors,
    ...validateMetadata(status?.attachmentMetadata ?? {}, 'status.attachmentMetadata'),
    ...validateError(status?.attachError, 'status.attachError'),
    ...validateError(status?.detachError, 'status.detachError'),
  ];
}

function validateMetadata(metadata: Record<string, string>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(metadata)) {
    if (key === '') errors.push(invalidValue(path, key, 'field can not be empty.'));
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (size > MAX_METADATA) errors.push(tooLong(path, MAX_METADATA));
  return errors;
}

function validateError(error: VolumeError | undefined, path: string): FieldError[] {
  const long = Buffer.byteLength(error?.message ?? '') > MAX_MESSAGE;
  return long ? [tooLong(`${path}.message`, MAX_MESSAGE)] : [];
}

export function validateVolumeAttachmentUpdate(
  object: VolumeAttachment,
  old: VolumeAttachment,
): FieldError[] {
  return [...validateVolumeAttachment(object), ...immutable(object.spec, old.spec, 'spec')];
}
