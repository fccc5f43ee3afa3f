// Rules of the storage sources that have rules of their own for names and addresses: iSCSI, Quobyte, Azure disks
// (pkg/apis/core/validation, validateISCSIVolumeSource and others).
import { type FieldError, invalidValue, notSupported, required } from '../errors.ts';
import type { AzureDiskVolumeSource, ISCSIVolumeSource, QuobyteVolumeSource } from '../generated/types.ts';
import { optionalOneOf, requiredText } from './field-rules.ts';

/** What a name of iSCSI begins with → what it must look like. */
const QUALIFIED_NAMES: readonly (readonly [prefix: string, pattern: RegExp])[] = [
  ['iqn', /^iqn\.\d{4}-\d{2}\.([a-zA-Z0-9\-.]+)(:[^,;*&$|\s]+)$/],
  ['eui', /^eui.[a-zA-Z0-9]{16}$/],
  ['naa', /^naa.[a-zA-Z0-9]{32}$/],
];
const MAX_INITIATOR = 64;
const HOST_AND_PORT = /^(\[[^\]]*\]|[^:[\]]*):[^:]*$/;
const PAIRS = 'must be a host:port pair or multiple pairs separated by commas';
const CACHING_MODES: readonly string[] = ['None', 'ReadOnly', 'ReadWrite'];
const DISK_KINDS: readonly string[] = ['Dedicated', 'Managed', 'Shared'];
const MANAGED_DISK =
  '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}';
const BLOB_DISK = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';

function qualifiedName(name: string, path: string): FieldError[] {
  const known = QUALIFIED_NAMES.find(([prefix]) => name.startsWith(prefix));
  if (!known) return [invalidValue(path, name, 'must be valid format starting with iqn, eui, or naa')];
  return known[1].test(name) ? [] : [invalidValue(path, name, 'must be valid format')];
}

/** Of a pod's volume or of a PersistentVolume. */
export type Iscsi = Omit<ISCSIVolumeSource, 'secretRef'> & { secretRef?: { name?: string } };

export function validateIscsi(source: Iscsi, path: string): FieldError[] {
  const { targetPortal, iqn, lun, initiatorName, chapAuthDiscovery, chapAuthSession, secretRef } = source;
  const errors = requiredText(targetPortal, `${path}.targetPortal`);
  errors.push(...(iqn ? qualifiedName(iqn, `${path}.iqn`) : [required(`${path}.iqn`)]));
  if (lun < 0 || lun > 255) {
    errors.push(invalidValue(`${path}.lun`, lun, 'must be between 0 and 255, inclusive'));
  }
  if ((chapAuthDiscovery || chapAuthSession) && !secretRef) errors.push(required(`${path}.secretRef`));
  if (initiatorName !== undefined) errors.push(...qualifiedName(initiatorName, `${path}.initiatorname`));
  return errors;
}

/** Why a volume's name and its portal do not go together, if they do not: both are part of a name of iSCSI. */
export function initiatorProblem(source: Iscsi | undefined, volumeName: string): string | undefined {
  if (source?.initiatorName === undefined) return undefined;
  if (`${volumeName}:${source.targetPortal}`.length <= MAX_INITIATOR) return undefined;
  return (
    'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is ' +
    'specified.'
  );
}

export function validateQuobyte(source: QuobyteVolumeSource, path: string): FieldError[] {
  const { registry, tenant = '', volume } = source;
  const errors: FieldError[] = [];
  if (!registry) errors.push(required(`${path}.registry`, PAIRS));
  else if (tenant.length >= 65) {
    const reason = 'must be a UUID and may not exceed a length of 64 characters';
    errors.push(required(`${path}.tenant`, reason));
  } else {
    for (const pair of registry.split(',')) {
      if (!HOST_AND_PORT.test(pair)) errors.push(invalidValue(`${path}.registry`, registry, PAIRS));
    }
  }
  return [...errors, ...requiredText(volume, `${path}.volume`)];
}

export function validateAzureDisk(source: AzureDiskVolumeSource, path: string): FieldError[] {
  const { diskName, diskURI, cachingMode, kind } = source;
  const errors = [
    ...requiredText(diskName, `${path}.diskName`),
    ...requiredText(diskURI, `${path}.diskURI`),
    ...optionalOneOf(cachingMode, `${path}.cachingMode`, CACHING_MODES),
    ...optionalOneOf(kind, `${path}.kind`, DISK_KINDS),
  ];
  if (kind === 'Managed' && !diskURI.startsWith('/subscriptions/')) {
    errors.push(notSupported(`${path}.diskURI`, diskURI, [MANAGED_DISK]));
  }
  if (kind !== undefined && kind !== 'Managed' && !diskURI.startsWith('https://')) {
    errors.push(notSupported(`${path}.diskURI`, diskURI, [BLOB_DISK]));
  }
  return errors;
}
