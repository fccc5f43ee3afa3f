// Warnings about where a pod may run: labels of nodes that have a newer name, and selectors that match no pod
// (pkg/api/pod/warnings.go).

import type { Affinity, PodAffinity, PodSpec } from '../../../generated/types.ts';
import { renamedLabel, selectorWarnings, termWarnings } from '../../../validation/node-label-warnings.ts';

const NO_SELECTOR = 'a null labelSelector results in matching no pod';

/** @param path of the pod's spec. */
export function schedulingWarnings(spec: PodSpec, path: string): string[] {
  const { nodeSelector, affinity, topologySpreadConstraints } = spec;
  const warnings: string[] = [];
  for (const label in nodeSelector) {
    const message = renamedLabel(label);
    if (message) warnings.push(`${path}.nodeSelector[${label}]: ${message}`);
  }
  for (const [index, constraint] of (topologySpreadConstraints ?? []).entries()) {
    const at = `${path}.topologySpreadConstraints[${index}]`;
    const message = renamedLabel(constraint.topologyKey);
    if (message) warnings.push(`${at}.topologyKey: ${constraint.topologyKey} is ${message}`);
    if (!constraint.labelSelector) warnings.push(`${at}.labelSelector: ${NO_SELECTOR}`);
  }
  if (affinity) warnings.push(...affinityWarnings(affinity, `${path}.affinity`));
  return warnings;
}

function affinityWarnings({ nodeAffinity, podAffinity, podAntiAffinity }: Affinity, path: string): string[] {
  const nodes = `${path}.nodeAffinity`;
  const preferred = nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return [
    ...selectorWarnings(
      nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution,
      `${nodes}.requiredDuringSchedulingIgnoredDuringExecution`,
    ),
    ...preferred.flatMap(({ preference }, index) =>
      termWarnings(
        preference,
        `${nodes}.preferredDuringSchedulingIgnoredDuringExecution[${index}].preference`,
      ),
    ),
    ...podAffinityWarnings(podAffinity, `${path}.podAffinity`),
    ...podAffinityWarnings(podAntiAffinity, `${path}.podAntiAffinity`),
  ];
}

function podAffinityWarnings(affinity: PodAffinity | undefined, path: string): string[] {
  const needed = affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const preferred = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return [
    ...needed.flatMap(({ labelSelector }, index) => {
      const at = `${path}.requiredDuringSchedulingIgnoredDuringExecution[${index}].labelSelector`;
      return labelSelector ? [] : [`${at}: ${NO_SELECTOR}`];
    }),
    ...preferred.flatMap(({ podAffinityTerm }, index) => {
      const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${index}].podAffinityTerm.labelSelector`;
      return podAffinityTerm.labelSelector ? [] : [`${at}: ${NO_SELECTOR}`];
    }),
  ];
}
