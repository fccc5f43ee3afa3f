// What a resize of a pod may change: cpu and memory of containers and sidecars, neither taken away nor so that the
// pod's quality of service changes (pkg/apis/core/validation, ValidatePodResize).
import { type FieldError, forbiddenField, invalidValue } from '../../../errors.ts';
import type { Container, Pod, ResourceRequirements } from '../../../generated/types.ts';
import { computeQosClass, qosClassOf } from '../../../pod-qos.ts';
import { semanticallyEqual } from '../../../validation/equality.ts';

const RESIZABLE: readonly string[] = ['cpu', 'memory'];
const ONLY_CPU_AND_MEMORY = 'only cpu and memory resources are mutable';

export function validatePodResize(pod: Pod, old: Pod): FieldError[] {
  if (isSet(pod.spec.resources) || isSet(old.spec.resources)) {
    return [forbiddenField('', 'pods with pod-level resources cannot be resized')];
  }
  if (old.spec.os?.name === 'windows') return [forbiddenField('', 'windows pods cannot be resized')];
  const errors: FieldError[] = [];
  if (qosClassOf(old) !== computeQosClass(pod)) {
    const reason = 'Pod QOS Class may not change as a result of resizing';
    errors.push(invalidValue('spec', pod.status?.qosClass, reason));
  }
  if (!isSupportedByNode(old)) {
    errors.push(forbiddenField('spec', 'Pod running on node without support for resize'));
  }
  errors.push(
    ...validateList(pod.spec.initContainers ?? [], old.spec.initContainers ?? [], 'initContainers'),
    ...validateList(pod.spec.containers, old.spec.containers, 'containers'),
  );
  return errors;
}

function isSet({ limits = {}, requests = {} }: ResourceRequirements = {}): boolean {
  return Object.keys(limits).length + Object.keys(requests).length > 0;
}

/** A node that resizes says what its containers have. */
function isSupportedByNode(old: Pod): boolean {
  const running = old.status?.containerStatuses?.find((status) => status.state?.running);
  return running === undefined || running.resources !== undefined;
}

function validateList(
  containers: readonly Container[],
  old: readonly Container[],
  list: 'containers' | 'initContainers',
): FieldError[] {
  const same = containers.length === old.length && old.every(({ name }, i) => containers[i]?.name === name);
  if (!same) return [forbiddenField(`spec.${list}`, 'containers may not be added, removed or renamed')];
  return old.flatMap((before, index) => {
    const container = containers[index] ?? before;
    if (list === 'initContainers' && before.restartPolicy !== 'Always') {
      const reason = 'resources for non-sidecar init containers are immutable';
      return semanticallyEqual(container, before) ? [] : [forbiddenField('spec', reason)];
    }
    const at = `spec.${list}[${index}].resources`;
    const errors = (['requests', 'limits'] as const).flatMap((kind) =>
      Object.keys(before.resources?.[kind] ?? {}).some((name) => !container.resources?.[kind]?.[name])
        ? [forbiddenField(`${at}.${kind}`, `resource ${kind} cannot be removed`)]
        : [],
    );
    if (!semanticallyEqual(withoutResizable(container), withoutResizable(before))) {
      const reason =
        list === 'containers'
          ? ONLY_CPU_AND_MEMORY
          : 'only cpu and memory resources for sidecar containers are mutable';
      errors.push(forbiddenField('spec', reason));
    }
    return errors;
  });
}

function withoutResizable(container: Container): Container {
  const { resources = {}, ...rest } = container;
  const fixed = (list: Record<string, string> = {}): Record<string, string> =>
    Object.fromEntries(Object.entries(list).filter(([name]) => !RESIZABLE.includes(name)));
  return {
    ...rest,
    resources: { ...resources, limits: fixed(resources.limits), requests: fixed(resources.requests) },
  };
}
