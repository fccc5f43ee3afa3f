// Rules of containers and init containers (pkg/apis/core/validation, validateContainerCommon, validateContainers,
// validateInitContainers). Their parts, such as ports and probes, stand beside.
import { duplicate, type FieldError, forbiddenField } from '../../../errors.ts';
import type { Container, PodSpec, Volume } from '../../../generated/types.ts';
import { isSidecar } from '../../../pod-state.ts';
import { oneOf, requiredLabel, requiredText } from '../../../validation/field-rules.ts';
import { validateContainerPorts, validateHostPorts } from './container-ports.ts';
import { validateResizePolicies, validateRestartPolicy } from './container-restart.ts';
import { validateEnv, validateEnvFrom } from './env.ts';
import { validateLifecycle, validateReadinessProbe, validateRestartingProbe } from './handlers.ts';
import { validateResources } from './resources.ts';
import { validateSecurityContext } from './security-context.ts';
import { validateVolumeDevices, validateVolumeMounts } from './volume-mounts.ts';

/** What a container's rules depend on, of the pod that it is in. */
export interface PodSurroundings {
  spec: PodSpec;
  /** By name, those that are in order. */
  volumes: ReadonlyMap<string, Volume>;
  /** The names of the pod's claims of devices. */
  claimNames: ReadonlySet<string>;
}

const PROBES_AND_HOOKS = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const;
const MESSAGE_POLICIES: readonly string[] = ['File', 'FallbackToLogsOnError'];
export const PULL_POLICIES: readonly string[] = ['Always', 'IfNotPresent', 'Never'];

export function validateContainers(
  containers: readonly Container[],
  pod: PodSurroundings,
  path: string,
): FieldError[] {
  const names = new Set<string>();
  const errors: FieldError[] = [];
  for (const [index, container] of containers.entries()) {
    const at = `${path}[${index}]`;
    errors.push(
      ...validateContainer(container, pod, at),
      ...validateUniqueName(container, names, at),
      ...validateProbesAndHooks(container, pod, at),
    );
  }
  errors.push(...validateHostPorts(containers, path));
  return errors;
}

/** @param containers the main containers, which share their names with the init containers. */
export function validateInitContainers(
  initContainers: readonly Container[],
  containers: readonly Container[],
  pod: PodSurroundings,
  path: string,
): FieldError[] {
  if (initContainers.length === 0) return [];
  const names = new Set(containers.map(({ name }) => name));
  return initContainers.flatMap((container, index) => {
    const at = `${path}[${index}]`;
    const errors = validateContainer(container, pod, at);
    // These run one after another, so that each may have a port for itself.
    errors.push(...validateUniqueName(container, names, at), ...validateHostPorts([container], path));
    if (isSidecar(container)) {
      errors.push(...validateProbesAndHooks(container, pod, at));
      return errors;
    }
    for (const field of PROBES_AND_HOOKS) {
      if (container[field] === undefined) continue;
      const reason = 'may not be set for init containers without restartPolicy=Always';
      errors.push(forbiddenField(`${at}.${field}`, reason));
    }
    return errors;
  });
}

function validateUniqueName({ name }: Container, names: Set<string>, path: string): FieldError[] {
  const again = name !== '' && names.has(name);
  names.add(name);
  return again ? [duplicate(`${path}.name`, name)] : [];
}

/** What holds for containers of every kind, the ephemeral ones too. */
export function validateContainer(container: Container, pod: PodSurroundings, path: string): FieldError[] {
  const { spec, volumes, claimNames } = pod;
  return [
    ...requiredLabel(container.name, `${path}.name`),
    ...requiredText(container.image, `${path}.image`),
    ...oneOf(container.terminationMessagePolicy, `${path}.terminationMessagePolicy`, MESSAGE_POLICIES),
    ...validateContainerPorts(container.ports ?? [], `${path}.ports`),
    ...validateEnv(container.env ?? [], `${path}.env`),
    ...validateEnvFrom(container.envFrom ?? [], `${path}.envFrom`),
    ...validateVolumeMounts(container, volumes, `${path}.volumeMounts`),
    ...validateVolumeDevices(container, volumes, `${path}.volumeDevices`),
    ...oneOf(container.imagePullPolicy, `${path}.imagePullPolicy`, PULL_POLICIES),
    ...validateResources(container.resources, claimNames, `${path}.resources`),
    ...validateResizePolicies(container.resizePolicy ?? [], spec.restartPolicy, `${path}.resizePolicy`),
    ...validateRestartPolicy(container, path),
    ...validateSecurityContext(
      container.securityContext,
      spec.hostUsers !== false,
      `${path}.securityContext`,
    ),
  ];
}

function validateProbesAndHooks(container: Container, pod: PodSurroundings, path: string): FieldError[] {
  return [
    ...validateLifecycle(container.lifecycle, pod.spec, `${path}.lifecycle`),
    ...validateRestartingProbe(container.livenessProbe, `${path}.livenessProbe`),
    ...validateReadinessProbe(container.readinessProbe, `${path}.readinessProbe`),
    ...validateRestartingProbe(container.startupProbe, `${path}.startupProbe`),
  ];
}
