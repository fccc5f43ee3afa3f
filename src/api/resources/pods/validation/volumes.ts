// Rules of a pod's volumes: one source each, and what the sources that the node makes by itself need
// (pkg/apis/core/validation, ValidateVolumes). Sources from outside the node stand in volume-sources.ts.
import { duplicate, type FieldError, forbiddenField, invalidValue, required } from '../../../errors.ts';
import type { KeyToPath, PersistentVolumeClaimTemplate, Volume } from '../../../generated/types.ts';
import { dns1123Subdomain } from '../../../names.ts';
import { parseQuantity } from '../../../quantity.ts';
import { validateLabels } from '../../../selectors.ts';
import { initiatorProblem } from '../../../validation/block-sources.ts';
import { oneOf, requiredLabel, requiredText } from '../../../validation/field-rules.ts';
import { validateAnnotations } from '../../../validation/metadata.ts';
import { fileMode } from '../../../validation/paths.ts';
import { validateVolumeSource } from '../../../validation/volume-sources.ts';
import { validatePersistentVolumeClaimSpec } from '../../persistent-volume-claims/validation.ts';
import { PULL_POLICIES } from './containers.ts';
import { validateDownwardFiles, validateItems, validateProjections } from './projections.ts';

/** In the order in which upstream looks for them: of several, the first is checked and the others are refused. */
const SOURCES = [
  'emptyDir',
  'hostPath',
  'gitRepo',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'secret',
  'nfs',
  'iscsi',
  'glusterfs',
  'flocker',
  'persistentVolumeClaim',
  'rbd',
  'cinder',
  'cephfs',
  'quobyte',
  'downwardAPI',
  'fc',
  'flexVolume',
  'configMap',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'storageos',
  'projected',
  'scaleIO',
  'csi',
  'ephemeral',
  'image',
] as const satisfies readonly (keyof Volume)[];
type Source = (typeof SOURCES)[number];
const sourceNames: ReadonlySet<string> = new Set(SOURCES);
const isSource = (field: string): field is Source => sourceNames.has(field);

/**
 * Checks the volumes of a pod or template.
 * @param podName the pod's, after which the claims of ephemeral volumes are named; undefined in a template.
 * @param valid gets those that are in order.
 */
export function validateVolumes(
  volumes: readonly Volume[],
  podName: string | undefined,
  valid: Map<string, Volume>,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const ephemeral = podName ? volumes.filter((volume) => volume.ephemeral) : [];
  const made = new Set(ephemeral.map(({ name }) => `${podName}-${name}`));
  for (const [index, volume] of volumes.entries()) {
    const at = `${path}[${index}]`;
    const { name, persistentVolumeClaim: claim } = volume;
    const own = validateVolume(volume, podName, at);
    own.push(...requiredLabel(name, `${at}.name`));
    if (valid.has(name)) own.push(duplicate(`${at}.name`, name));
    if (own.length === 0) valid.set(name, volume);
    else errors.push(...own);
    if (claim && made.has(claim.claimName)) {
      const reason = 'must not reference a PVC that gets created for an ephemeral volume';
      errors.push(invalidValue(`${at}.persistentVolumeClaim.claimName`, claim.claimName, reason));
    }
  }
  return errors;
}

function validateVolume(volume: Volume, podName: string | undefined, path: string): FieldError[] {
  // A volume has two fields: to look for each of the sources in it would cost more than all the rest.
  const named = Object.keys(volume)
    .filter(isSource)
    .filter((name) => volume[name] !== undefined);
  if (named.length > 1) named.sort((a, b) => SOURCES.indexOf(a) - SOURCES.indexOf(b));
  const [source, ...more] = named;
  if (source === undefined) return [required(path, 'must specify a volume type')];
  const errors = validateSource(volume, source, podName, path);
  for (const name of more) {
    errors.push(forbiddenField(`${path}.${name}`, 'may not specify more than 1 volume type'));
  }
  return errors;
}

function validateSource(
  volume: Volume,
  source: Source,
  podName: string | undefined,
  path: string,
): FieldError[] {
  const at = `${path}.${source}`;
  const { configMap, secret, emptyDir, downwardAPI, projected, persistentVolumeClaim, ephemeral, image } =
    volume;
  switch (source) {
    case 'configMap':
      return configMap ? [...requiredText(configMap.name, `${at}.name`), ...validateKeys(configMap, at)] : [];
    case 'secret':
      return secret
        ? [...requiredText(secret.secretName, `${at}.secretName`), ...validateKeys(secret, at)]
        : [];
    case 'emptyDir':
      return emptyDir?.sizeLimit !== undefined && (parseQuantity(emptyDir.sizeLimit) ?? -1n) < 0n
        ? [forbiddenField(`${at}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
        : [];
    case 'downwardAPI':
      return downwardAPI
        ? [
            ...fileMode(downwardAPI.defaultMode, `${at}.defaultMode`),
            ...validateDownwardFiles(downwardAPI.items ?? [], at),
          ]
        : [];
    case 'projected':
      return projected ? validateProjections(projected, at) : [];
    case 'persistentVolumeClaim':
      return requiredText(persistentVolumeClaim?.claimName, `${at}.claimName`);
    case 'ephemeral':
      return [
        ...validateClaimTemplate(ephemeral?.volumeClaimTemplate, `${at}.volumeClaimTemplate`),
        ...validateClaimName(podName, volume.name, `${path}.name`),
      ];
    case 'image':
      return [
        // A template may leave it for whoever uses it to fill in.
        ...(podName === undefined ? [] : requiredText(image?.reference, `${at}.reference`)),
        ...oneOf(image?.pullPolicy, `${at}.pullPolicy`, PULL_POLICIES),
      ];
    default: {
      const problem = initiatorProblem(volume.iscsi, volume.name);
      return [
        ...validateVolumeSource(source, volume, path),
        ...(problem ? [invalidValue(`${path}.name`, volume.name, problem)] : []),
      ];
    }
  }
}

function validateClaimTemplate(
  template: PersistentVolumeClaimTemplate | undefined,
  path: string,
): FieldError[] {
  if (!template) return [required(path)];
  const { labels, annotations, ...others } = template.metadata ?? {};
  const errors = [
    ...validateAnnotations(annotations, `${path}.metadata.annotations`),
    ...validateLabels(labels, `${path}.metadata.labels`),
  ];
  for (const [field, value] of Object.entries(others)) {
    if (value !== undefined) errors.push(forbiddenField(`${path}.metadata.${field}`, 'cannot be set'));
  }
  return [...errors, ...validatePersistentVolumeClaimSpec(template.spec, `${path}.spec`)];
}

function validateClaimName(podName: string | undefined, volumeName: string, path: string): FieldError[] {
  if (!podName || !volumeName) return [];
  const claimName = `${podName}-${volumeName}`;
  return dns1123Subdomain(claimName).map((reason) =>
    invalidValue(path, volumeName, `PVC name ${JSON.stringify(claimName)}: ${reason}`),
  );
}

/** The files that a ConfigMap or Secret becomes. */
function validateKeys(
  { defaultMode, items = [] }: { defaultMode?: number; items?: readonly KeyToPath[] },
  path: string,
): FieldError[] {
  return [...fileMode(defaultMode, `${path}.defaultMode`), ...validateItems(items, `${path}.items`)];
}
