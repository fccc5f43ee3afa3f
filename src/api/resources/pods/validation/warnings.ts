// What is allowed in a pod or template and yet most likely not meant (pkg/api/pod/warnings.go): the client gets these
// in Warning headers. Pods are spared on updates, as upstream spares them.

import type { Container, ObjectMeta, PodSpec, PodTemplateSpec, Volume } from '../../../generated/types.ts';
import { dns1123Label } from '../../../names.ts';
import { claimSpecWarnings, fractionWarnings } from '../../persistent-volume-claims/warnings.ts';
import { eachContainer } from './all-containers.ts';
import { portWarnings } from './port-warnings.ts';
import { schedulingWarnings } from './scheduling-warnings.ts';

const OLD_ANNOTATIONS: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod':
    'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
};
const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';
const APP_ARMOR_CONTAINER = 'container.apparmor.security.beta.kubernetes.io/';
const USE_SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead';
/** Sources of volumes that no longer work → since when. */
const OLD_VOLUMES: readonly (readonly [source: keyof Volume, reported: string, since: string])[] = [
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];

/** Of a pod that is being made. */
export function podWarnings({ metadata, spec }: { metadata: ObjectMeta; spec: PodSpec }): string[] {
  const warnings = specWarnings(metadata, spec, '');
  const reasons = dns1123Label(metadata.name ?? '');
  if (reasons.length > 0) {
    warnings.push(
      "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is " +
        `recommended: [${reasons.join(' ')}]`,
    );
  }
  return warnings;
}

/** @param path of the template. */
export function templateWarnings({ metadata = {}, spec }: PodTemplateSpec, path: string): string[] {
  return spec ? specWarnings(metadata, spec, `${path}.`) : [];
}

/** @param prefix stands before `spec` and `metadata`. */
function specWarnings({ annotations }: ObjectMeta, spec: PodSpec, prefix: string): string[] {
  const path = `${prefix}spec`;
  const warnings = [
    ...schedulingWarnings(spec, path),
    ...volumeWarnings(spec.volumes ?? [], `${path}.volumes`),
  ];
  if (annotations) warnings.push(...annotationWarnings(annotations, spec, prefix));
  warnings.push(...nameWarnings(spec, path), ...fractionWarnings(spec.overhead, `${path}.overhead`));
  for (const [container, at] of eachContainer(spec, path)) {
    warnings.push(
      ...fractionWarnings(container.resources?.limits, `${at}.resources.limits`),
      ...fractionWarnings(container.resources?.requests, `${at}.resources.requests`),
      ...variableWarnings(container, at),
    );
  }
  warnings.push(...portWarnings(spec, path));
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    const what = 'must be >= 0; negative values are invalid and will be treated as 1';
    warnings.push(`${path}.terminationGracePeriodSeconds: ${what}`);
  }
  return warnings;
}

function annotationWarnings(annotations: Record<string, string>, spec: PodSpec, prefix: string): string[] {
  const warnings: string[] = [];
  const warn = (key: string, message: string): void => {
    if (annotations[key] !== undefined) warnings.push(`${prefix}metadata.annotations[${key}]: ${message}`);
  };
  for (const [key, message] of Object.entries(OLD_ANNOTATIONS)) warn(key, message);
  if (!spec.securityContext?.seccompProfile) warn(SECCOMP_POD, USE_SECCOMP);
  for (const [{ name, securityContext }] of eachContainer(spec, '')) {
    if (!securityContext?.seccompProfile) warn(`${SECCOMP_CONTAINER}${name}`, USE_SECCOMP);
    if (prefix === '' || securityContext?.appArmorProfile || spec.securityContext?.appArmorProfile) continue;
    warn(`${APP_ARMOR_CONTAINER}${name}`, 'deprecated since v1.30; use the "appArmorProfile" field instead');
  }
  return warnings;
}

function volumeWarnings(volumes: readonly Volume[], path: string): string[] {
  const tokens = new Set<string>();
  const warnings = volumes.flatMap((volume, index) => {
    for (const { serviceAccountToken } of volume.projected?.sources ?? []) {
      if (serviceAccountToken) tokens.add(serviceAccountToken.path);
    }
    const template = volume.ephemeral?.volumeClaimTemplate;
    const at = `${path}[${index}]`;
    return [
      ...OLD_VOLUMES.flatMap(([source, reported, since]) =>
        volume[source] === undefined ? [] : [`${at}.${reported}: ${since}`],
      ),
      ...(template ? claimSpecWarnings(template.spec, `${at}.ephemeral.volumeClaimTemplate.spec`) : []),
    ];
  });
  if (tokens.size > 0) {
    for (const [index, volume] of volumes.entries()) {
      warnings.push(...hiddenTokenWarnings(volume, tokens, `${path}[${index}].projected.sources`));
    }
  }
  return warnings;
}

/** Files of a projected volume that a token is written over, or that hide it. */
function hiddenTokenWarnings({ projected }: Volume, tokens: ReadonlySet<string>, path: string): string[] {
  const named: readonly (readonly [source: 'configMap' | 'secret' | 'downwardAPI', reported: string])[] = [
    ['configMap', 'configMap'],
    ['secret', 'secrets'],
    ['downwardAPI', 'downwardAPI'],
  ];
  const why = (file: string): string =>
    `has duplicated path with ServiceAccountToken ${JSON.stringify(file)}`;
  return (projected?.sources ?? []).flatMap((source) => [
    ...named.flatMap(([name, reported]) =>
      (source[name]?.items ?? []).flatMap(({ path: file }, index) =>
        tokens.has(file) ? [`${path}.${reported}[${index}]: ${why(file)}`] : [],
      ),
    ),
    ...(source.clusterTrustBundle && tokens.has(source.clusterTrustBundle.path)
      ? [`${path}.ClusterTrustBundle: ${why(source.clusterTrustBundle.path)}`]
      : []),
  ]);
}

function nameWarnings({ hostAliases = [], imagePullSecrets = [] }: PodSpec, path: string): string[] {
  const warnings: string[] = [];
  const seen = new Set<string>();
  for (const [index, { ip }] of hostAliases.entries()) {
    if (seen.has(ip)) warnings.push(`${path}.hostAliases[${index}].ip: duplicate ip ${JSON.stringify(ip)}`);
    seen.add(ip);
  }
  const names = new Set<string>();
  for (const [index, { name = '' }] of imagePullSecrets.entries()) {
    const at = `${path}.imagePullSecrets[${index}].name`;
    if (names.has(name)) warnings.push(`${at}: duplicate name ${JSON.stringify(name)}`);
    if (name === '') warnings.push(`${at}: invalid empty name ""`);
    names.add(name);
  }
  return warnings;
}

/** A variable twice is fine if the second builds on the first; apply knows one of a name only. */
function variableWarnings({ env = [] }: Container, path: string): string[] {
  if (env.length < 2) return [];
  const names = new Set<string>();
  const warnings: string[] = [];
  for (const [index, { name, value = '', valueFrom }] of env.entries()) {
    const reference = `$(${name})`;
    const hides = valueFrom !== undefined || value === reference || !value.includes(reference);
    if (names.has(name) && hides) {
      const what = `hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`;
      warnings.push(`${path}.env[${index}]: ${what}`);
    }
    names.add(name);
  }
  return warnings;
}
