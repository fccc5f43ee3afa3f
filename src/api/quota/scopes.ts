// Which pods (and claims) a ResourceQuota with scopes counts. Pure; follows pkg/quota/v1/evaluator/core/pods.go.
import type { Pod, ResourceQuota, ScopedResourceSelectorRequirement } from '../generated/types.ts';
import type { KubeObject } from '../objects.ts';
import { qosClassOf } from '../pod-qos.ts';

/** Whether an object lies in every scope of the quota. Only pods have scopes: a quota with scopes counts nothing else. */
export function matchesScopes(
  { spec }: ResourceQuota,
  { group, plural }: { group: string; plural: string },
  object: KubeObject,
): boolean {
  const requirements: ScopedResourceSelectorRequirement[] = [
    ...(spec.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })),
    ...(spec.scopeSelector?.matchExpressions ?? []),
  ];
  if (requirements.length === 0) return true;
  if (group !== '' || plural !== 'pods') return false;
  return requirements.every((requirement) => podMatches(object as Pod, requirement));
}

function podMatches(
  pod: Pod,
  { scopeName, operator, values = [] }: ScopedResourceSelectorRequirement,
): boolean {
  const { spec } = pod;
  switch (scopeName) {
    case 'Terminating':
      return spec.activeDeadlineSeconds !== undefined;
    case 'NotTerminating':
      return spec.activeDeadlineSeconds === undefined;
    case 'BestEffort':
      return qosClassOf(pod) === 'BestEffort';
    case 'NotBestEffort':
      return qosClassOf(pod) !== 'BestEffort';
    case 'CrossNamespacePodAffinity':
      return hasCrossNamespaceAffinity(pod);
    case 'PriorityClass': {
      const name = spec.priorityClassName ?? '';
      if (operator === 'Exists') return name !== '';
      if (operator === 'DoesNotExist') return name === '';
      return operator === 'In' ? values.includes(name) : !values.includes(name);
    }
    default:
      return false;
  }
}

function hasCrossNamespaceAffinity({ spec: { affinity } }: Pod): boolean {
  return [affinity?.podAffinity, affinity?.podAntiAffinity].some((kind) => {
    const preferred = kind?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    const terms = [
      ...(kind?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...preferred.map(({ podAffinityTerm }) => podAffinityTerm),
    ];
    return terms.some(
      ({ namespaces, namespaceSelector }) => (namespaces ?? []).length > 0 || namespaceSelector,
    );
  });
}
