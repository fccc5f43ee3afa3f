// The rules of a pod's spec as a whole, in upstream's order (pkg/apis/core/validation, ValidatePodSpec). Containers,
// volumes, DNS, scheduling and security stand beside.
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  required,
  tooLong,
} from '../../../errors.ts';
import type { PodSpec, Volume } from '../../../generated/types.ts';
import { qualifiedName } from '../../../names.ts';
import { validateLabels } from '../../../selectors.ts';
import {
  checked,
  labelName,
  oneOf,
  optionalLabel,
  optionalOneOf,
  optionalSubdomain,
} from '../../../validation/field-rules.ts';
import { ipAddress } from '../../../validation/ip-rules.ts';
import { type PodSurroundings, validateContainers, validateInitContainers } from './containers.ts';
import { validateClaimsOfDevices } from './device-claims.ts';
import { validateDnsConfig } from './dns.ts';
import { validateEphemeralContainers } from './ephemeral-containers.ts';
import { validateOperatingSystem } from './operating-system.ts';
import { validatePodResources, validateResources } from './resources.ts';
import { validateAffinity, validateTolerations, validateTopologySpread } from './scheduling.ts';
import { validatePodSecurityContext } from './security-context.ts';
import { validateVolumes } from './volumes.ts';
import { validateHostProcess } from './windows-options.ts';

const MAX_INT32 = 2 ** 31 - 1;
const MAX_HOSTNAME = 64;
const RESTART_POLICIES: readonly string[] = ['Always', 'OnFailure', 'Never'];
const DNS_POLICIES: readonly string[] = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
const PREEMPTION_POLICIES: readonly string[] = ['PreemptLowerPriority', 'Never'];
const NO_NAMES: ReadonlySet<string> = new Set();

/** What is known of the pod that a spec is for. */
export interface PodContext {
  /** The pod's name; undefined: the spec is a template's. */
  podName?: string;
  /** Volumes that are added before the pod is made: a set's claim templates. */
  claimNames?: readonly string[];
}

/** Checks a pod's spec. */
export function validatePodSpec(spec: PodSpec, path: string, context: PodContext = {}): FieldError[] {
  const { podName, claimNames = [] } = context;
  const volumes = new Map<string, Volume>();
  const errors: FieldError[] = [];
  if (spec.terminationGracePeriodSeconds === undefined) {
    errors.push(required(`${path}.terminationGracePeriodSeconds`));
  }
  errors.push(...validateVolumes(spec.volumes ?? [], podName, volumes, `${path}.volumes`));
  // A claim of the set takes the place of a volume of the same name.
  for (const name of claimNames) volumes.set(name, { name, persistentVolumeClaim: { claimName: name } });
  const claims = spec.resourceClaims ?? [];
  if (claims.length > 0) errors.push(...validateClaimsOfDevices(claims, `${path}.resourceClaims`));
  const pod: PodSurroundings = {
    spec,
    volumes,
    claimNames: claims.length > 0 ? new Set(claims.map(({ name }) => name)) : NO_NAMES,
  };
  errors.push(
    ...validateAllContainers(pod, path),
    ...validatePodResources(spec, `${path}.resources`),
    ...validateHostNetworkPorts(spec, podName !== undefined, `${path}.containers`),
    ...oneOf(spec.restartPolicy, `${path}.restartPolicy`, RESTART_POLICIES),
    ...oneOf(spec.dnsPolicy, `${path}.dnsPolicy`, DNS_POLICIES),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validatePodSecurityContext(spec, path),
    ...validateAffinity(spec.affinity, `${path}.affinity`),
    ...validateDnsConfig(spec.dnsConfig, spec.dnsPolicy, `${path}.dnsConfig`),
    ...validateGates(spec, path),
    ...validateTopologySpread(spec.topologySpreadConstraints ?? [], `${path}.topologySpreadConstraints`),
    ...validateHostProcess(spec, path),
    ...validateHostUsers(spec, path),
    ...validateNames(spec, path),
    ...validateOperatingSystem(spec, path),
  );
  return errors;
}

function validateAllContainers(pod: PodSurroundings, path: string): FieldError[] {
  // A client may leave out what the types call required.
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec;
  if (containers.length === 0) return [required(`${path}.containers`)];
  return [
    ...validateContainers(containers, pod, `${path}.containers`),
    ...validateInitContainers(initContainers, containers, pod, `${path}.initContainers`),
    ...validateEphemeralContainers(ephemeralContainers, pod, `${path}.ephemeralContainers`),
  ];
}

/** On the node's own network both numbers of a port are one; a template may still leave out the node's. */
function validateHostNetworkPorts(spec: PodSpec, isPod: boolean, path: string): FieldError[] {
  if (spec.hostNetwork !== true) return [];
  return (spec.containers ?? []).flatMap(({ ports = [] }, index) =>
    ports.flatMap(({ hostPort = 0, containerPort }, at) => {
      if (hostPort === containerPort || (hostPort === 0 && !isPod)) return [];
      const reason = 'must match `containerPort` when `hostNetwork` is true';
      return [invalidValue(`${path}[${index}].ports[${at}].hostPort`, hostPort, reason)];
    }),
  );
}

/** @param least the fewest seconds allowed. */
export function validateDeadline(seconds: number | undefined, least: 0 | 1, path: string): FieldError[] {
  if (seconds === undefined || (seconds >= least && seconds <= MAX_INT32)) return [];
  return [invalidValue(path, seconds, `must be between ${least} and ${MAX_INT32}, inclusive`)];
}

function validateGates({ readinessGates = [], schedulingGates = [] }: PodSpec, path: string): FieldError[] {
  if (readinessGates.length === 0 && schedulingGates.length === 0) return [];
  const errors = readinessGates.flatMap(({ conditionType }, index) =>
    checked(conditionType, `${path}.readinessGates[${index}].conditionType`, qualifiedName),
  );
  const seen = new Set<string>();
  for (const [index, { name }] of schedulingGates.entries()) {
    const at = `${path}.schedulingGates[${index}]`;
    errors.push(...labelName(name, at));
    if (seen.has(name)) errors.push(duplicate(at, name));
    seen.add(name);
  }
  return errors;
}

/** A pod with users of its own cannot share what is the node's. */
function validateHostUsers(spec: PodSpec, path: string): FieldError[] {
  if (spec.hostUsers !== false) return [];
  const reason = 'when `pod.Spec.HostUsers` is false';
  const errors: FieldError[] = [];
  if (spec.hostNetwork) errors.push(forbiddenField(`${path}.hostNetwork`, reason));
  if (spec.hostPID) errors.push(forbiddenField(`${path}.HostPID`, reason));
  if (spec.hostIPC) errors.push(forbiddenField(`${path}.HostIPC`, reason));
  return errors;
}

function validateNames(spec: PodSpec, path: string): FieldError[] {
  return [
    ...optionalSubdomain(spec.serviceAccountName, `${path}.serviceAccountName`),
    ...optionalSubdomain(spec.nodeName, `${path}.nodeName`),
    ...validateDeadline(spec.activeDeadlineSeconds, 1, `${path}.activeDeadlineSeconds`),
    ...optionalLabel(spec.hostname, `${path}.hostname`),
    ...optionalLabel(spec.subdomain, `${path}.subdomain`),
    ...validateHostnameOverride(spec, `${path}.hostnameOverride`),
    ...validateTolerations(spec.tolerations ?? [], `${path}.tolerations`),
    ...(spec.hostAliases ?? []).flatMap(({ ip, hostnames = [] }, index) => [
      ...ipAddress(ip, `${path}.hostAliases[${index}].ip`),
      ...hostnames.flatMap((name, at) =>
        optionalSubdomain(name, `${path}.hostAliases[${index}].hostnames[${at}]`),
      ),
    ]),
    ...optionalSubdomain(spec.priorityClassName, `${path}.priorityClassName`),
    ...optionalSubdomain(spec.runtimeClassName, `${path}.runtimeClassName`),
    ...optionalOneOf(spec.preemptionPolicy, `${path}.preemptionPolicy`, PREEMPTION_POLICIES),
    ...(spec.overhead ? validateResources({ limits: spec.overhead }, NO_NAMES, `${path}.overhead`) : []),
  ];
}

function validateHostnameOverride(spec: PodSpec, path: string): FieldError[] {
  const { hostnameOverride: name, setHostnameAsFQDN, hostNetwork } = spec;
  if (name === undefined) return [];
  const errors = optionalSubdomain(name, path);
  if (name.length > MAX_HOSTNAME) errors.push(tooLong(path, MAX_HOSTNAME));
  if (setHostnameAsFQDN) {
    errors.push(forbiddenField(path, 'may not be specified when setHostnameAsFQDN is true'));
  }
  if (hostNetwork) errors.push(forbiddenField(path, 'may not be specified when hostNetwork is true'));
  return errors;
}
