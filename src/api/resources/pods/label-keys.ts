// The keys whose values a new pod takes over from its own labels into the selectors of its affinity: from then on the
// selectors say it themselves (pkg/registry/core/pod/strategy.go, applyMatchLabelKeysAndMismatchLabelKeys).
import type { Pod, PodAffinity, PodAffinityTerm } from '../../generated/types.ts';

type Labels = Readonly<Record<string, string>>;

/** Writes matchLabelKeys and mismatchLabelKeys into the selectors, in place. */
export function takeOverLabels({ metadata, spec }: Pod): void {
  const labels = metadata.labels ?? {};
  const affinities: (PodAffinity | undefined)[] = [
    spec.affinity?.podAffinity,
    spec.affinity?.podAntiAffinity,
  ];
  for (const affinity of affinities) {
    for (const term of affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) takeOver(term, labels);
    for (const { podAffinityTerm } of affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
      takeOver(podAffinityTerm, labels);
    }
  }
}

function takeOver(term: PodAffinityTerm, labels: Labels): void {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  if (!labelSelector) return;
  const expressions = (keys: readonly string[], operator: string) =>
    keys.flatMap((key) => {
      const value = labels[key];
      return value === undefined ? [] : [{ key, operator, values: [value] }];
    });
  const added = [...expressions(matchLabelKeys, 'In'), ...expressions(mismatchLabelKeys, 'NotIn')];
  if (added.length === 0) return;
  const matchExpressions = [...(labelSelector.matchExpressions ?? []), ...added];
  term.labelSelector = { ...labelSelector, matchExpressions };
}
