// What may stand in a PersistentVolume; its source never changes (pkg/apis/core/validation,
// ValidatePersistentVolume…).
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '../../errors.ts';
import type {
  CSIPersistentVolumeSource,
  PersistentVolume,
  PersistentVolumeSpec,
  SecretReference,
} from '../../generated/types.ts';
import { initiatorProblem } from '../../validation/block-sources.ts';
import { csiDriverName } from '../../validation/csi-names.ts';
import { semanticallyEqual } from '../../validation/equality.ts';
import { describeDifference } from '../../validation/field-difference.ts';
import {
  immutable,
  optionalLabel,
  optionalOneOf,
  optionalSubdomain,
  positiveQuantity,
  requiredLabel,
  requiredSubdomain,
  requiredText,
} from '../../validation/field-rules.ts';
import { validateNodeSelector } from '../../validation/node-affinity.ts';
import { noBacksteps } from '../../validation/paths.ts';
import { validateVolumeSource } from '../../validation/volume-sources.ts';

const ACCESS_MODES: readonly string[] = [
  'ReadOnlyMany',
  'ReadWriteMany',
  'ReadWriteOnce',
  'ReadWriteOncePod',
];
export const VOLUME_MODES: readonly string[] = ['Block', 'Filesystem'];
const RECLAIM_POLICIES: readonly string[] = ['Delete', 'Recycle', 'Retain'];

/** In upstream's order: of several, the first is checked and the others are refused. */
const SOURCES = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'flocker',
  'nfs',
  'rbd',
  'quobyte',
  'cephfs',
  'iscsi',
  'cinder',
  'fc',
  'flexVolume',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'scaleIO',
  'local',
  'storageos',
  'csi',
] as const satisfies readonly (keyof PersistentVolumeSpec)[];
type Source = (typeof SOURCES)[number];

/** Modes of a volume or claim: known ones, and ReadWriteOncePod only by itself. */
export function validateAccessModes(modes: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const mode of modes) {
    if (!ACCESS_MODES.includes(mode)) errors.push(notSupported(path, mode, ACCESS_MODES));
  }
  const others = modes.some((mode) => mode !== 'ReadWriteOncePod' && ACCESS_MODES.includes(mode));
  if (others && modes.includes('ReadWriteOncePod')) {
    errors.push(forbiddenField(path, 'may not use ReadWriteOncePod with other access modes'));
  }
  return errors;
}

export function validatePersistentVolume(volume: PersistentVolume): FieldError[] {
  return validatePersistentVolumeSpec(volume.spec, volume.metadata.name ?? '');
}

function validatePersistentVolumeSpec(spec: PersistentVolumeSpec, name: string): FieldError[] {
  const modes = spec.accessModes ?? [];
  const errors = modes.length === 0 ? [required('spec.accessModes')] : [];
  errors.push(
    ...validateAccessModes(modes, 'spec.accessModes'),
    ...validateCapacity(spec.capacity ?? {}),
    ...optionalOneOf(
      spec.persistentVolumeReclaimPolicy,
      'spec.persistentVolumeReclaimPolicy',
      RECLAIM_POLICIES,
    ),
  );
  if (spec.nodeAffinity) {
    const { required: needed } = spec.nodeAffinity;
    const at = 'spec.nodeAffinity.required';
    errors.push(
      ...(needed
        ? validateNodeSelector(needed, at)
        : [required(at, 'must specify required node constraints')]),
    );
  }
  errors.push(...validateSources(spec, name));
  if (spec.persistentVolumeReclaimPolicy === 'Recycle' && /^\/+$/.test(spec.hostPath?.path ?? '')) {
    const why = "may not be 'recycle' for a hostPath mount of '/'";
    errors.push(forbiddenField('spec.persistentVolumeReclaimPolicy', why));
  }
  errors.push(
    ...optionalSubdomain(spec.storageClassName, 'spec.storageClassName'),
    ...optionalOneOf(spec.volumeMode, 'spec.volumeMode', VOLUME_MODES),
  );
  const { volumeAttributesClassName: attributes } = spec;
  if (attributes === undefined) return errors;
  const at = 'spec.volumeAttributesClassName';
  if (attributes === '') errors.push(required(at, 'an empty string is disallowed'));
  errors.push(...optionalSubdomain(attributes, at));
  if (!spec.csi) {
    errors.push(required('spec.csi', 'has to be specified when using volumeAttributesClassName'));
  }
  return errors;
}

function validateCapacity(capacity: Record<string, string>): FieldError[] {
  const names = Object.keys(capacity);
  const errors = names.length === 0 ? [required('spec.capacity')] : [];
  if (names.length !== 1 || names[0] !== 'storage') {
    errors.push(notSupported('spec.capacity', capacity, ['storage']));
  }
  for (const name of names) errors.push(...positiveQuantity(capacity[name] ?? '', `spec.capacity[${name}]`));
  return errors;
}

function validateSources(spec: PersistentVolumeSpec, name: string): FieldError[] {
  const [source, ...more] = SOURCES.filter((it) => spec[it] !== undefined);
  if (source === undefined) return [required('spec', 'must specify a volume type')];
  return [
    ...validateSource(source, spec, name),
    ...more.map((it) => forbiddenField(`spec.${it}`, 'may not specify more than 1 volume type')),
  ];
}

function validateSource(source: Source, spec: PersistentVolumeSpec, name: string): FieldError[] {
  const path = `spec.${source}`;
  switch (source) {
    case 'csi':
      return spec.csi ? validateCsi(spec.csi, path) : [];
    case 'local': {
      const at = `${path}.path`;
      const errors = spec.local?.path ? noBacksteps(spec.local.path, at) : [required(at)];
      if (!spec.nodeAffinity) {
        errors.push(required('spec.nodeAffinity', 'Local volume requires node affinity'));
      }
      return errors;
    }
    case 'iscsi': {
      const problem = initiatorProblem(spec.iscsi, name);
      const portal = spec.iscsi?.targetPortal;
      return [
        ...validateVolumeSource(source, spec, 'spec'),
        ...(problem ? [invalidValue(`${path}.targetportal`, portal, problem)] : []),
        ...(spec.iscsi?.secretRef ? requiredText(spec.iscsi.secretRef.name, `${path}.secretRef.name`) : []),
      ];
    }
    default:
      return [...validateVolumeSource(source, spec, 'spec'), ...validateNamespaces(source, spec, path)];
  }
}

/** A volume is of no namespace, so what it needs from one says which. */
function validateNamespaces(source: Source, spec: PersistentVolumeSpec, path: string): FieldError[] {
  const { glusterfs, azureFile, cinder, storageos } = spec;
  if (source === 'glusterfs' && glusterfs?.endpointsNamespace !== undefined) {
    const at = `${path}.endpointsNamespace`;
    const why = 'if the endpointnamespace is set, it must be a valid namespace name';
    return glusterfs.endpointsNamespace === ''
      ? [invalidValue(at, '', why)]
      : optionalLabel(glusterfs.endpointsNamespace, at);
  }
  if (source === 'azureFile' && azureFile?.secretNamespace !== undefined) {
    return requiredText(azureFile.secretNamespace, `${path}.secretNamespace`);
  }
  const secret =
    source === 'cinder' ? cinder?.secretRef : source === 'storageos' ? storageos?.secretRef : undefined;
  return secret ? requiredText(secret.namespace, `${path}.secretRef.namespace`) : [];
}

const SECRETS = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
] as const satisfies readonly (keyof CSIPersistentVolumeSource)[];

function validateCsi(source: CSIPersistentVolumeSource, path: string): FieldError[] {
  return [
    ...csiDriverName(source.driver, `${path}.driver`),
    ...requiredText(source.volumeHandle, `${path}.volumeHandle`),
    ...SECRETS.flatMap((field) => validateSecretReference(source[field], `${path}.${field}`)),
  ];
}

function validateSecretReference(secret: SecretReference | undefined, path: string): FieldError[] {
  if (!secret) return [];
  return [
    ...requiredSubdomain(secret.name, `${path}.name`),
    ...requiredLabel(secret.namespace, `${path}.namespace`),
  ];
}

export function validatePersistentVolumeUpdate(
  volume: PersistentVolume,
  old: PersistentVolume,
): FieldError[] {
  const { spec } = volume;
  const errors = validatePersistentVolume(volume);
  const [now, before] = [sourceOf(spec, old.spec), sourceOf(old.spec, old.spec)];
  if (!semanticallyEqual(now, before)) {
    const why = `spec.persistentvolumesource is immutable after creation\n${describeDifference(before, now)}`;
    errors.push(forbiddenField('spec.persistentvolumesource', why));
  }
  errors.push(...immutable(spec.volumeMode, old.spec.volumeMode, 'volumeMode'));
  if (old.spec.nodeAffinity && !semanticallyEqual(spec.nodeAffinity, old.spec.nodeAffinity)) {
    const why = 'field is immutable, except for updating from beta label to GA';
    errors.push(invalidValue('nodeAffinity', spec.nodeAffinity, why));
  }
  if (old.spec.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined) {
    const why = 'update from non-nil value to nil is forbidden';
    errors.push(forbiddenField('spec.volumeAttributesClassName', why));
  }
  return errors;
}

/** Only a secret to grow with may be added. */
function sourceOf(spec: PersistentVolumeSpec, old: PersistentVolumeSpec): Partial<PersistentVolumeSpec> {
  const sources: Partial<PersistentVolumeSpec> = Object.fromEntries(
    SOURCES.flatMap((name) => (spec[name] === undefined ? [] : [[name, spec[name]]])),
  );
  if (!sources.csi || !old.csi || old.csi.controllerExpandSecretRef) return sources;
  const { controllerExpandSecretRef: _, ...csi } = sources.csi;
  return { ...sources, csi };
}
