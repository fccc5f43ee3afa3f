// Rules of containers and init containers (pkg/apis/core/validation, validateContainerCommon, validateInitContainers).
// Their parts, such as ports and probes, stand beside.
import { duplicate, type FieldError, forbiddenField, required } from '../errors.ts';
import type { Container } from '../generated/types.ts';
import { dns1123Label } from '../names.ts';
import { validateContainerPorts, validateHostPorts } from './container-ports.ts';
import { validateEnv, validateEnvFrom } from './env.ts';
import { checked, oneOf, optionalOneOf, requiredText } from './field-rules.ts';
import { validateLifecycle, validateReadinessProbe, validateRestartingProbe } from './handlers.ts';
import { validateResources } from './resources.ts';
import { validateSecurityContext } from './security-context.ts';
import { validateVolumeDevices, validateVolumeMounts } from './volume-mounts.ts';

/** What a container's rules depend on, of the pod that it is in. */
export interface PodSurroundings {
  volumeNames: ReadonlySet<string>;
  hostNetwork: boolean;
  /** The pod's terminationGracePeriodSeconds. */
  graceSeconds: number | undefined;
}

const PROBES_AND_HOOKS = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const;
const RESTART_POLICIES: readonly string[] = ['Always', 'Never', 'OnFailure'];

export function validateContainers(
  containers: readonly Container[],
  pod: PodSurroundings,
  path: string,
): FieldError[] {
  if (containers.length === 0) return [required(path)];
  const names = new Set<string>();
  return [
    ...containers.flatMap((container, index) => [
      ...validateContainer(container, pod, `${path}[${index}]`),
      ...validateUniqueName(container, names, `${path}[${index}]`),
      ...validateProbesAndHooks(container, pod, `${path}[${index}]`),
    ]),
    ...validateHostPorts(containers, pod.hostNetwork, path),
  ];
}

/** @param containers the main containers, which share their names with the init containers. */
export function validateInitContainers(
  initContainers: readonly Container[],
  containers: readonly Container[],
  pod: PodSurroundings,
  path: string,
): FieldError[] {
  const names = new Set(containers.map(({ name }) => name));
  return initContainers.flatMap((container, index) => {
    const at = `${path}[${index}]`;
    const errors = validateContainer(container, pod, at);
    errors.push(...validateUniqueName(container, names, at));
    if (container.restartPolicy === 'Always') {
      errors.push(...validateProbesAndHooks(container, pod, at));
    } else {
      for (const field of PROBES_AND_HOOKS) {
        if (container[field] === undefined) continue;
        const reason = 'may not be set for init containers without restartPolicy=Always';
        errors.push(forbiddenField(`${at}.${field}`, reason));
      }
    }
    return [...errors, ...validateHostPorts([container], pod.hostNetwork, path)];
  });
}

function validateUniqueName({ name }: Container, names: Set<string>, path: string): FieldError[] {
  const again = name !== '' && names.has(name);
  names.add(name);
  return again ? [duplicate(`${path}.name`, name)] : [];
}

function validateContainer(container: Container, pod: PodSurroundings, path: string): FieldError[] {
  return [
    ...(container.name ? checked(container.name, `${path}.name`, dns1123Label) : [required(`${path}.name`)]),
    ...requiredText(container.image, `${path}.image`),
    ...oneOf(container.terminationMessagePolicy, `${path}.terminationMessagePolicy`, [
      'File',
      'FallbackToLogsOnError',
    ]),
    ...oneOf(container.imagePullPolicy, `${path}.imagePullPolicy`, ['Always', 'IfNotPresent', 'Never']),
    ...optionalOneOf(container.restartPolicy, `${path}.restartPolicy`, RESTART_POLICIES),
    ...validateContainerPorts(container.ports ?? [], `${path}.ports`),
    ...validateEnv(container.env ?? [], `${path}.env`),
    ...validateEnvFrom(container.envFrom ?? [], `${path}.envFrom`),
    ...validateVolumeMounts(container, pod.volumeNames, `${path}.volumeMounts`),
    ...validateVolumeDevices(container, pod.volumeNames, `${path}.volumeDevices`),
    ...validateResources(container.resources ?? {}, `${path}.resources`),
    ...validateSecurityContext(container.securityContext, `${path}.securityContext`),
  ];
}

function validateProbesAndHooks(container: Container, pod: PodSurroundings, path: string): FieldError[] {
  return [
    ...validateLifecycle(container.lifecycle, pod.graceSeconds, `${path}.lifecycle`),
    ...validateRestartingProbe(container.livenessProbe, `${path}.livenessProbe`),
    ...validateReadinessProbe(container.readinessProbe, `${path}.readinessProbe`),
    ...validateRestartingProbe(container.startupProbe, `${path}.startupProbe`),
  ];
}
