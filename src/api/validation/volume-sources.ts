// Rules of storage that comes from the node's disk or from outside, which pods name directly and PersistentVolumes
// stand for (pkg/apis/core/validation, validateHostPathVolumeSource and those after it). Most of it no node here can
// mount; that is said when the pod runs, not here.
import { type FieldError, invalidValue, notSupported, required } from '../errors.ts';
import type { Volume } from '../generated/types.ts';
import { dns1123Subdomain } from '../names.ts';
import { type Iscsi, validateAzureDisk, validateIscsi, validateQuobyte } from './block-sources.ts';
import { csiDriverName } from './csi-names.ts';
import { checked, optionalLabel, requiredLabel, requiredText } from './field-rules.ts';
import { descendingPath, noBacksteps } from './paths.ts';

/** What this file looks into, of a pod's volume or of a PersistentVolume. */
export type StorageSource = Pick<
  Volume,
  | 'awsElasticBlockStore'
  | 'azureDisk'
  | 'cinder'
  | 'csi'
  | 'fc'
  | 'flexVolume'
  | 'flocker'
  | 'gcePersistentDisk'
  | 'gitRepo'
  | 'hostPath'
  | 'nfs'
  | 'quobyte'
  | 'storageos'
> & { iscsi?: Iscsi };

const HOST_PATH_TYPES: readonly string[] = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

/** What a source must say, and nothing more is asked of it. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  awsElasticBlockStore: ['volumeID'],
  azureFile: ['secretName', 'shareName'],
  cephfs: ['monitors'],
  cinder: ['volumeID'],
  gcePersistentDisk: ['pdName'],
  gitRepo: ['repository'],
  glusterfs: ['endpoints', 'path'],
  photonPersistentDisk: ['pdID'],
  portworxVolume: ['volumeID'],
  rbd: ['monitors', 'image'],
  scaleIO: ['gateway', 'system', 'volumeName'],
  vsphereVolume: ['volumePath'],
};
/** Where upstream's errors name a field by another name than the manifest. */
const REPORTED_AS: Readonly<Record<string, string>> = { gcePersistentDisk: 'persistentDisk' };

/**
 * Checks one source of storage.
 * @param source its field's name.
 * @param holder the volume or PersistentVolume's spec.
 */
export function validateVolumeSource(source: string, holder: StorageSource, path: string): FieldError[] {
  const at = `${path}.${REPORTED_AS[source] ?? source}`;
  const value: unknown = Reflect.get(holder, source);
  const errors = (REQUIRED[source] ?? []).flatMap((field) =>
    isSaid(value, field) ? [] : [required(`${at}.${field}`)],
  );
  errors.push(...validateDetails(source, holder, at));
  return errors;
}

function isSaid(value: unknown, field: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const said: unknown = Reflect.get(value, field);
  return Array.isArray(said) ? said.length > 0 : Boolean(said);
}

function validateDetails(source: string, holder: StorageSource, at: string): FieldError[] {
  switch (source) {
    case 'hostPath':
      return holder.hostPath ? validateHostPath(holder.hostPath, at) : [];
    case 'gitRepo':
      return descendingPath(holder.gitRepo?.directory ?? '', `${at}.directory`);
    case 'gcePersistentDisk':
      return partition(holder.gcePersistentDisk?.partition, `${at}.partition`);
    case 'awsElasticBlockStore':
      return partition(holder.awsElasticBlockStore?.partition, `${at}.partition`);
    case 'nfs':
      return validateNfs(holder.nfs?.server, holder.nfs?.path ?? '', at);
    case 'iscsi':
      return holder.iscsi ? validateIscsi(holder.iscsi, at) : [];
    case 'fc':
      return holder.fc ? validateFibreChannel(holder.fc, at) : [];
    case 'flocker':
      return validateFlocker(holder.flocker ?? {}, at);
    case 'quobyte':
      return holder.quobyte ? validateQuobyte(holder.quobyte, at) : [];
    case 'flexVolume':
      return holder.flexVolume ? validateFlex(holder.flexVolume, at) : [];
    case 'azureDisk':
      return holder.azureDisk ? validateAzureDisk(holder.azureDisk, at) : [];
    case 'cinder':
      return holder.cinder?.secretRef
        ? requiredText(holder.cinder.secretRef.name, `${at}.secretRef.name`)
        : [];
    case 'storageos':
      return validateStorageOs(holder.storageos ?? {}, at);
    case 'csi':
      return holder.csi ? validateCsi(holder.csi, at) : [];
    default:
      return [];
  }
}

function validateHostPath({ path, type }: NonNullable<StorageSource['hostPath']>, at: string): FieldError[] {
  if (!path) return [required(`${at}.path`)];
  const errors = noBacksteps(path, `${at}.path`);
  if (type !== undefined && !HOST_PATH_TYPES.includes(type)) {
    errors.push(notSupported(`${at}.type`, type, HOST_PATH_TYPES));
  }
  return errors;
}

function partition(number: number | undefined, at: string): FieldError[] {
  if (number === undefined || (number >= 0 && number <= 255)) return [];
  return [invalidValue(at, number, 'must be between 1 and 255, inclusive')];
}

function validateNfs(server: string | undefined, path: string, at: string): FieldError[] {
  const errors = [...requiredText(server, `${at}.server`), ...requiredText(path, `${at}.path`)];
  if (!path.startsWith('/')) errors.push(invalidValue(`${at}.path`, path, 'must be an absolute path'));
  return errors;
}

function validateFibreChannel(
  { targetWWNs = [], wwids = [], lun }: NonNullable<StorageSource['fc']>,
  at: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const names = `${at}.targetWWNs`;
  if (targetWWNs.length === 0 && wwids.length === 0) {
    errors.push(required(names, 'must specify either targetWWNs or wwids, but not both'));
  }
  if (targetWWNs.length > 0 && wwids.length > 0) {
    const reason = 'targetWWNs and wwids can not be specified simultaneously';
    errors.push(invalidValue(names, targetWWNs, reason));
  }
  if (targetWWNs.length === 0) return errors;
  if (lun === undefined) errors.push(required(`${at}.lun`, 'lun is required if targetWWNs is specified'));
  else if (lun < 0 || lun > 255) {
    errors.push(invalidValue(`${at}.lun`, lun, 'must be between 0 and 255, inclusive'));
  }
  return errors;
}

function validateFlocker(
  { datasetName = '', datasetUUID = '' }: NonNullable<StorageSource['flocker']>,
  at: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (!datasetName && !datasetUUID) {
    errors.push(required(at, 'one of datasetName and datasetUUID is required'));
  }
  if (datasetName && datasetUUID) {
    const reason = 'datasetName and datasetUUID can not be specified simultaneously';
    errors.push(invalidValue(at, 'resource', reason));
  }
  if (datasetName.includes('/')) {
    errors.push(invalidValue(`${at}.datasetName`, datasetName, "must not contain '/'"));
  }
  return errors;
}

function validateFlex(
  { driver, options = {} }: NonNullable<StorageSource['flexVolume']>,
  at: string,
): FieldError[] {
  const errors = requiredText(driver, `${at}.driver`);
  for (const key of Object.keys(options)) {
    const domain = `.${(key.includes('/') ? key.slice(0, key.indexOf('/')) : key).toLowerCase()}`;
    if (!domain.endsWith('.kubernetes.io') && !domain.endsWith('.k8s.io')) continue;
    const reason = 'kubernetes.io and k8s.io namespaces are reserved';
    errors.push(invalidValue(`${at}.options[${key}]`, key, reason));
  }
  return errors;
}

function validateStorageOs(
  { volumeName, volumeNamespace, secretRef }: NonNullable<StorageSource['storageos']>,
  at: string,
): FieldError[] {
  return [
    ...requiredLabel(volumeName, `${at}.volumeName`),
    ...optionalLabel(volumeNamespace, `${at}.volumeNamespace`),
    ...(secretRef ? requiredText(secretRef.name, `${at}.secretRef.name`) : []),
  ];
}

function validateCsi(
  { driver, nodePublishSecretRef: secret }: NonNullable<StorageSource['csi']>,
  at: string,
): FieldError[] {
  const errors = csiDriverName(driver, `${at}.driver`);
  if (!secret) return errors;
  if (!secret.name) errors.push(required(`${at}.nodePublishSecretRef.name`));
  else errors.push(...checked(secret.name, `${at}.name`, dns1123Subdomain));
  return errors;
}
