// The rules of a pod's spec as a whole (pkg/apis/core/validation, ValidatePodSpec). Containers, volumes and
// scheduling stand beside.
import { type FieldError, forbiddenField, invalidValue, required } from '../errors.ts';
import type { PodDNSConfig, PodSpec } from '../generated/types.ts';
import { qualifiedName } from '../names.ts';
import { validateLabels } from '../selectors.ts';
import { type PodSurroundings, validateContainers, validateInitContainers } from './containers.ts';
import {
  checked,
  ipAddress,
  labelName,
  oneOf,
  optionalLabel,
  optionalOneOf,
  optionalSubdomain,
  requiredText,
} from './field-rules.ts';
import { validateAffinity, validateTolerations, validateTopologySpread } from './scheduling.ts';
import { validatePodSecurityContext } from './security-context.ts';
import { validateVolumes } from './volumes.ts';

const MAX_NAMESERVERS = 3;
const MAX_SEARCH_DOMAINS = 32;
const MAX_INT32 = 2 ** 31 - 1;

/**
 * Checks a pod's spec.
 * @param claimNames volumes that are added before the pod is made (a set's claim templates).
 */
export function validatePodSpec(
  spec: PodSpec,
  path: string,
  claimNames: readonly string[] = [],
): FieldError[] {
  const volumes = spec.volumes ?? [];
  const containers = spec.containers ?? [];
  const pod: PodSurroundings = {
    volumeNames: new Set([...volumes.map(({ name }) => name), ...claimNames]),
    hostNetwork: spec.hostNetwork === true,
    graceSeconds: spec.terminationGracePeriodSeconds,
  };
  return [
    ...validateVolumes(volumes, `${path}.volumes`),
    ...validateContainers(containers, pod, `${path}.containers`),
    ...validateInitContainers(spec.initContainers ?? [], containers, pod, `${path}.initContainers`),
    ...oneOf(spec.restartPolicy, `${path}.restartPolicy`, ['Always', 'OnFailure', 'Never']),
    ...validateDns(spec, path),
    ...validateNames(spec, path),
    ...validateHost(spec, path),
    ...validateScheduling(spec, path),
    ...validatePodSecurityContext(spec.securityContext, `${path}.securityContext`),
    ...validateDeadline(spec.activeDeadlineSeconds, 1, `${path}.activeDeadlineSeconds`),
  ];
}

/** @param least the fewest seconds allowed. */
export function validateDeadline(seconds: number | undefined, least: 0 | 1, path: string): FieldError[] {
  if (seconds === undefined || (seconds >= least && seconds <= MAX_INT32)) return [];
  return [invalidValue(path, seconds, `must be between ${least} and ${MAX_INT32}, inclusive`)];
}

function validateDns(spec: PodSpec, path: string): FieldError[] {
  return [
    ...oneOf(spec.dnsPolicy, `${path}.dnsPolicy`, [
      'ClusterFirstWithHostNet',
      'ClusterFirst',
      'Default',
      'None',
    ]),
    ...(spec.dnsPolicy === 'None' && !spec.dnsConfig?.nameservers?.length
      ? [
          required(
            `${path}.dnsConfig.nameservers`,
            'must provide at least one DNS nameserver when `dnsPolicy` is None',
          ),
        ]
      : []),
    ...(spec.dnsConfig ? validateDnsConfig(spec.dnsConfig, `${path}.dnsConfig`) : []),
  ];
}

function validateDnsConfig(config: PodDNSConfig, path: string): FieldError[] {
  const { nameservers = [], searches = [], options = [] } = config;
  const errors: FieldError[] = [];
  if (nameservers.length > MAX_NAMESERVERS) {
    const reason = `must not have more than ${MAX_NAMESERVERS} nameservers`;
    errors.push(invalidValue(`${path}.nameservers`, nameservers, reason));
  }
  if (searches.length > MAX_SEARCH_DOMAINS) {
    const reason = `must not have more than ${MAX_SEARCH_DOMAINS} search paths`;
    errors.push(invalidValue(`${path}.searches`, searches, reason));
  }
  return [
    ...errors,
    ...nameservers.flatMap((address, index) => ipAddress(address, `${path}.nameservers[${index}]`)),
    ...searches.flatMap((domain, index) =>
      // A lone dot is the root, and a trailing one says "from the root".
      domain === '.' ? [] : optionalSubdomain(domain.replace(/\.$/, ''), `${path}.searches[${index}]`),
    ),
    ...options.flatMap(({ name }, index) =>
      name ? [] : [required(`${path}.options[${index}]`, 'must not be empty')],
    ),
  ];
}

function validateNames(spec: PodSpec, path: string): FieldError[] {
  return [
    ...optionalSubdomain(spec.serviceAccountName, `${path}.serviceAccountName`),
    ...optionalSubdomain(spec.nodeName, `${path}.nodeName`),
    ...optionalLabel(spec.hostname, `${path}.hostname`),
    ...optionalLabel(spec.subdomain, `${path}.subdomain`),
    ...optionalSubdomain(spec.priorityClassName, `${path}.priorityClassName`),
    ...optionalSubdomain(spec.runtimeClassName, `${path}.runtimeClassName`),
    ...(spec.imagePullSecrets ?? []).flatMap(({ name }, index) =>
      requiredText(name, `${path}.imagePullSecrets[${index}].name`),
    ),
    ...(spec.hostAliases ?? []).flatMap(({ ip, hostnames = [] }, index) => [
      ...ipAddress(ip, `${path}.hostAliases[${index}].ip`),
      ...hostnames.flatMap((name) => optionalSubdomain(name, `${path}.hostAliases[${index}].hostnames`)),
    ]),
  ];
}

/** What a pod may share with its node or among its containers, at most one way. */
function validateHost(spec: PodSpec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    const reason = 'ShareProcessNamespace and HostPID cannot both be enabled';
    errors.push(invalidValue(`${path}.shareProcessNamespace`, true, reason));
  }
  if (spec.hostUsers === false) {
    for (const field of ['hostNetwork', 'hostPID', 'hostIPC'] as const) {
      if (spec[field] !== true) continue;
      const reason = `when \`hostUsers\` is false, \`${field}\` must also be false`;
      errors.push(forbiddenField(`${path}.${field}`, reason));
    }
  }
  return errors;
}

function validateScheduling(spec: PodSpec, path: string): FieldError[] {
  const gates = new Set<string>();
  const readinessGates = spec.readinessGates ?? [];
  return [
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validateAffinity(spec.affinity, `${path}.affinity`),
    ...validateTolerations(spec.tolerations ?? [], `${path}.tolerations`),
    ...validateTopologySpread(spec.topologySpreadConstraints ?? [], `${path}.topologySpreadConstraints`),
    ...readinessGates.flatMap(({ conditionType }, index) =>
      checked(conditionType, `${path}.readinessGates[${index}].conditionType`, qualifiedName),
    ),
    ...(spec.schedulingGates ?? []).flatMap(({ name }, index) => {
      const again = gates.has(name);
      gates.add(name);
      const at = `${path}.schedulingGates[${index}]`;
      return again ? [invalidValue(at, name, 'must be unique')] : labelName(name, `${at}.name`);
    }),
    ...optionalOneOf(spec.preemptionPolicy, `${path}.preemptionPolicy`, ['Never', 'PreemptLowerPriority']),
  ];
}
