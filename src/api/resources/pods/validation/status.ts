// What a node may report of a Pod: nothing that the pod is not, and no container that has ended for good and runs
// again (pkg/apis/core/validation, ValidatePodStatusUpdate).
import { duplicate, type FieldError, forbiddenField, invalidValue } from '../../../errors.ts';
import type { Container, ContainerStatus, Pod, PodCondition, PodSpec } from '../../../generated/types.ts';
import { dns1123Subdomain, qualifiedName } from '../../../names.ts';
import { checked, immutable } from '../../../validation/field-rules.ts';
import { ipAddress, isDualStack } from '../../../validation/ip-rules.ts';
import { validatePodAnnotationsUpdate } from './annotations.ts';

const SYSTEM_CONDITIONS: readonly string[] = ['Initialized', 'PodScheduled', 'Ready'];

export function validatePodStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors = validatePodAnnotationsUpdate(pod.metadata, old.metadata, 'metadata.annotations');
  const { status = {}, spec } = pod;
  const before = old.status ?? {};
  if (status.conditions !== before.conditions) errors.push(...validateConditions(status.conditions ?? []));
  if (spec.nodeName !== old.spec.nodeName) {
    errors.push(forbiddenField('status.nodeName', 'may not be changed directly'));
  }
  const { nominatedNodeName: nominated } = status;
  if (nominated && nominated !== before.nominatedNodeName) {
    errors.push(...checked(nominated, 'status.nominatedNodeName', dns1123Subdomain));
  }
  if (before.qosClass) errors.push(...immutable(status.qosClass, before.qosClass, 'status.qosClass'));
  errors.push(
    ...validateEnded(status.containerStatuses, before.containerStatuses, old.spec, 'containers'),
    ...validateEnded(status.initContainerStatuses, before.initContainerStatuses, old.spec, 'initContainers'),
    ...validateEnded(
      status.ephemeralContainerStatuses,
      before.ephemeralContainerStatuses,
      old.spec,
      'ephemeralContainers',
    ),
    ...validateAddresses(status.podIPs ?? [], 'status.podIPs'),
  );
  const hosts = status.hostIPs ?? [];
  if (hosts[0] && hosts[0].ip !== status.hostIP) {
    errors.push(invalidValue('status.hostIPs[0].ip', hosts[0].ip, 'must be equal to `hostIP`'));
  }
  errors.push(...validateAddresses(hosts, 'status.hostIPs'));
  return errors;
}

function validateConditions(conditions: readonly PodCondition[]): FieldError[] {
  return conditions.flatMap(({ type }, index) =>
    SYSTEM_CONDITIONS.includes(type)
      ? []
      : checked(type, `metadata.conditions[${index}].Type`, qualifiedName),
  );
}

/** Upstream's name of a list of statuses. */
const STATUSES = {
  containers: 'containerStatuses',
  initContainers: 'initContainerStatuses',
  ephemeralContainers: 'ephemeralContainerStatuses',
} as const;

function validateEnded(
  statuses: readonly ContainerStatus[] | undefined,
  old: readonly ContainerStatus[] | undefined,
  spec: PodSpec,
  list: keyof typeof STATUSES,
): FieldError[] {
  if (!statuses || !old || statuses === old) return [];
  if (list !== 'ephemeralContainers' && restartsEverything(spec)) return [];
  const errors: FieldError[] = [];
  // By name once: with thousands of containers, a search for each takes their square.
  const containers = new Map(spec[list]?.map((container) => [container.name, container]));
  const reported = new Map(statuses.map((status) => [status.name, status]));
  for (const [index, { name, state }] of old.entries()) {
    const finished = state?.terminated;
    if (!finished) continue;
    // Nobody starts an ephemeral container again.
    const mayRun =
      list !== 'ephemeralContainers' && mayRunAgain(containers.get(name), finished.exitCode, spec);
    if (mayRun) continue;
    const now = reported.get(name);
    if (!now || now.state?.terminated) continue;
    const path = `status.${STATUSES[list]}[${index}].state`;
    errors.push(forbiddenField(path, 'may not be transitioned to non-terminated state'));
  }
  return errors;
}

function mayRunAgain(container: Container | undefined, exitCode: number, spec: PodSpec): boolean {
  if (container?.restartPolicyRules?.length) return true;
  const policy = container?.restartPolicy ?? spec.restartPolicy;
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

function restartsEverything({ containers, initContainers = [] }: PodSpec): boolean {
  return [...containers, ...initContainers].some(restartsAll);
}

function restartsAll({ restartPolicyRules }: Container): boolean {
  return restartPolicyRules?.some(({ action }) => action === 'RestartAllContainers') ?? false;
}

/** At most one address of each family. */
function validateAddresses(list: readonly { ip?: string }[], path: string): FieldError[] {
  if (list.length === 0) return [];
  const addresses = list.map(({ ip = '' }) => ip);
  const errors = addresses.flatMap((address, index) => ipAddress(address, `${path}[${index}]`));
  if (addresses.length === 1) return errors;
  if (addresses.length > 2 || !isDualStack(addresses)) {
    errors.push(invalidValue(path, list, 'may specify no more than one IP for each IP family'));
  }
  const seen = new Set<string>();
  for (const [index, address] of addresses.entries()) {
    if (seen.has(address)) errors.push(duplicate(`${path}[${index}]`, list[index]));
    seen.add(address);
  }
  return errors;
}
