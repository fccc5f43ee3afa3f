// Warnings about claims, volumes and storage classes (pkg/api/persistentvolumeclaim, pkg/api/persistentvolume,
// pkg/api/storage), and about amounts of bytes that are no whole ones.

import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  StorageClass,
} from '../../generated/types.ts';
import { canonicalQuantity, parseQuantity } from '../../quantity.ts';
import { renamedLabel, selectorWarnings } from '../../validation/node-label-warnings.ts';
import { BETA_CLASS } from './validation.ts';

const NANO = 1_000_000_000n;
const OLD_CLASS = `metadata.annotations[${BETA_CLASS}]: deprecated since v1.8; use "storageClassName" attribute instead`;
const MOUNT_OPTIONS = 'volume.beta.kubernetes.io/mount-options';
const OLD_SOURCES: readonly (readonly [source: keyof PersistentVolume['spec'], since: string])[] = [
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['storageos', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];

/** Bytes come whole; of `names`, those that are bytes. */
export function fractionWarnings(
  amounts: Readonly<Record<string, string>> | undefined,
  path: string,
  names: readonly string[] = ['memory', 'ephemeral-storage'],
): string[] {
  if (!amounts) return [];
  return names.flatMap((name) => {
    const text = amounts[name];
    // Only these could say a part of one.
    if (text === undefined || !/[.munE-]/.test(text) || (parseQuantity(text) ?? 0n) % NANO === 0n) return [];
    const shown = JSON.stringify(canonicalQuantity(text));
    return [`${path}[${name}]: fractional byte value ${shown} is invalid, must be an integer`];
  });
}

export function claimSpecWarnings({ resources }: PersistentVolumeClaimSpec, path: string): string[] {
  return [
    ...fractionWarnings(resources?.requests, `${path}.resources.requests`, ['storage']),
    ...fractionWarnings(resources?.limits, `${path}.resources.limits`, ['storage']),
  ];
}

export function claimWarnings({ metadata, spec }: PersistentVolumeClaim): string[] {
  const warnings = metadata.annotations?.[BETA_CLASS] === undefined ? [] : [OLD_CLASS];
  return [...warnings, ...claimSpecWarnings(spec, 'spec')];
}

export function volumeWarnings({ metadata, spec }: PersistentVolume): string[] {
  const warnings = selectorWarnings(spec.nodeAffinity?.required, 'spec.nodeAffinity.required');
  if (metadata.annotations?.[BETA_CLASS] !== undefined) warnings.push(OLD_CLASS);
  if (metadata.annotations?.[MOUNT_OPTIONS] !== undefined) {
    const what = 'deprecated since v1.31; use "mountOptions" attribute instead';
    warnings.push(`metadata.annotations[${MOUNT_OPTIONS}]: ${what}`);
  }
  warnings.push(...fractionWarnings(spec.capacity, 'spec.capacity', ['storage']));
  if (spec.persistentVolumeReclaimPolicy === 'Recycle') {
    warnings.push(
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended ' +
        'approach is to use dynamic provisioning.',
    );
  }
  for (const [source, since] of OLD_SOURCES) {
    if (spec[source] !== undefined) warnings.push(`spec.${source}: ${since}`);
  }
  return warnings;
}

export function storageClassWarnings({ allowedTopologies = [] }: StorageClass): string[] {
  return allowedTopologies.flatMap(({ matchLabelExpressions = [] }, index) =>
    matchLabelExpressions.flatMap(({ key }, at) => {
      const message = renamedLabel(key);
      const path = `allowedTopologies[${index}].matchLabelExpressions[${at}].key`;
      return message ? [`${path}: ${key} is ${message}`] : [];
    }),
  );
}
