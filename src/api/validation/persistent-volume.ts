// What may stand in a PersistentVolume; its source never changes (pkg/apis/core/validation,
// ValidatePersistentVolume…).
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '../errors.ts';
import type { PersistentVolume, PersistentVolumeSpec } from '../generated/types.ts';
import { semanticallyEqual } from './equality.ts';
import {
  immutable,
  optionalOneOf,
  optionalSubdomain,
  positiveQuantity,
  requiredText,
} from './field-rules.ts';
import { validateNodeSelector } from './node-affinity.ts';

export const ACCESS_MODES: readonly string[] = [
  'ReadOnlyMany',
  'ReadWriteMany',
  'ReadWriteOnce',
  'ReadWriteOncePod',
];
export const VOLUME_MODES: readonly string[] = ['Block', 'Filesystem'];

const SOURCES = [
  'awsElasticBlockStore',
  'azureDisk',
  'azureFile',
  'cephfs',
  'cinder',
  'csi',
  'fc',
  'flexVolume',
  'flocker',
  'gcePersistentDisk',
  'glusterfs',
  'hostPath',
  'iscsi',
  'local',
  'nfs',
  'photonPersistentDisk',
  'portworxVolume',
  'quobyte',
  'rbd',
  'scaleIO',
  'storageos',
  'vsphereVolume',
] as const satisfies readonly (keyof PersistentVolumeSpec)[];

/** Modes of a volume or claim: known ones, and ReadWriteOncePod only by itself. */
export function validateAccessModes(modes: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (modes.length === 0) errors.push(required(path, 'at least 1 access mode is required'));
  for (const mode of modes) {
    if (!ACCESS_MODES.includes(mode)) errors.push(notSupported(path, mode, ACCESS_MODES));
  }
  if (modes.includes('ReadWriteOncePod') && modes.some((mode) => mode !== 'ReadWriteOncePod')) {
    errors.push(forbiddenField(path, 'may not use ReadWriteOncePod with other access modes'));
  }
  return errors;
}

export function validatePersistentVolume(volume: PersistentVolume): FieldError[] {
  const { spec } = volume;
  const capacity = spec.capacity ?? {};
  const errors = validateAccessModes(spec.accessModes ?? [], 'spec.accessModes');
  if (Object.keys(capacity).length === 0) errors.push(required('spec.capacity'));
  else if (capacity.storage === undefined) {
    errors.push(notSupported('spec.capacity', Object.keys(capacity).join(', '), ['storage']));
  } else errors.push(...positiveQuantity(capacity.storage, 'spec.capacity[storage]'));
  return [
    ...errors,
    ...optionalOneOf(spec.persistentVolumeReclaimPolicy, 'spec.persistentVolumeReclaimPolicy', [
      'Delete',
      'Recycle',
      'Retain',
    ]),
    ...(spec.nodeAffinity?.required
      ? validateNodeSelector(spec.nodeAffinity.required, 'spec.nodeAffinity.required')
      : []),
    ...validateSource(spec),
    ...optionalSubdomain(spec.storageClassName, 'spec.storageClassName'),
    ...optionalOneOf(spec.volumeMode, 'spec.volumeMode', VOLUME_MODES),
  ];
}

function validateSource(spec: PersistentVolumeSpec): FieldError[] {
  const [source, ...more] = SOURCES.filter((name) => spec[name] !== undefined);
  if (source === undefined) return [required('spec', 'must specify a volume type')];
  const errors = more.map((name) =>
    forbiddenField(`spec.${name}`, 'may not specify more than one volume type'),
  );
  if (spec.hostPath) errors.push(...validatePath(spec.hostPath.path, 'spec.hostPath.path'));
  if (spec.local) {
    errors.push(...validatePath(spec.local.path, 'spec.local.path'));
    if (spec.nodeAffinity?.required === undefined) {
      errors.push(required('spec.nodeAffinity', 'Local volume requires node affinity'));
    }
  }
  if (spec.csi) {
    errors.push(
      ...requiredText(spec.csi.driver, 'spec.csi.driver'),
      ...requiredText(spec.csi.volumeHandle, 'spec.csi.volumeHandle'),
    );
  }
  if (spec.nfs) {
    errors.push(
      ...requiredText(spec.nfs.server, 'spec.nfs.server'),
      ...requiredText(spec.nfs.path, 'spec.nfs.path'),
    );
  }
  return errors;
}

function validatePath(path: string, at: string): FieldError[] {
  if (!path) return [required(at)];
  return path.split('/').includes('..') ? [invalidValue(at, path, "must not contain '..'")] : [];
}

export function validatePersistentVolumeUpdate(
  volume: PersistentVolume,
  old: PersistentVolume,
): FieldError[] {
  const errors = validatePersistentVolume(volume);
  if (SOURCES.some((name) => !semanticallyEqual(volume.spec[name], old.spec[name]))) {
    errors.push(
      forbiddenField(
        'spec.persistentvolumesource',
        'spec.persistentvolumesource is immutable after creation',
      ),
    );
  }
  errors.push(...immutable(volume.spec.volumeMode, old.spec.volumeMode, 'volumeMode'));
  if (old.spec.nodeAffinity !== undefined) {
    errors.push(...immutable(volume.spec.nodeAffinity, old.spec.nodeAffinity, 'spec.nodeAffinity'));
  }
  return errors;
}
