// What may still change in a pod that nobody schedules yet: it may be narrowed to fewer nodes (pkg/apis/core/
// validation, validateNodeSelectorMutation and validateNodeAffinityMutation).
import { type FieldError, invalidValue } from '../../../errors.ts';
import type { NodeAffinity, NodeSelectorTerm, PodSpec } from '../../../generated/types.ts';
import { semanticallyEqual } from '../../../validation/equality.ts';

/** @returns the new spec with the old values of what may be narrowed, and what is wrong with how it was. */
export function mergeGated(
  spec: PodSpec,
  old: PodSpec,
  path: string,
): { spec: PodSpec; errors: FieldError[] } {
  const errors: FieldError[] = [];
  const { nodeSelector, affinity, ...rest } = spec;
  const merged: PodSpec = rest;
  if (old.nodeSelector) merged.nodeSelector = old.nodeSelector;
  const before = old.nodeSelector ?? {};
  if (Object.keys(before).some((key) => nodeSelector?.[key] !== before[key])) {
    const reason = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
    errors.push(invalidValue(`${path}.nodeSelector`, nodeSelector ?? {}, reason));
  }
  const { nodeAffinity, ...others } = affinity ?? {};
  const oldNodes = old.affinity?.nodeAffinity;
  const merges = { ...others, ...(oldNodes && { nodeAffinity: oldNodes }) };
  // An affinity with nothing in it is as good as none.
  if (old.affinity || Object.keys(merges).length > 0) merged.affinity = merges;
  if (!semanticallyEqual(nodeAffinity, oldNodes)) {
    errors.push(...validateNodeAffinityChange(nodeAffinity, oldNodes, `${path}.affinity.nodeAffinity`));
  }
  return { spec: merged, errors };
}

function validateNodeAffinityChange(
  affinity: NodeAffinity | undefined,
  old: NodeAffinity | undefined,
  path: string,
): FieldError[] {
  const oldTerms = old?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  if (oldTerms.length === 0) return [];
  const terms = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const at = `${path}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`;
  if (terms.length !== oldTerms.length) {
    const reason = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed';
    return [invalidValue(at, terms, reason)];
  }
  return terms.flatMap((term, index) => {
    const before = oldTerms[index];
    if (before && onlyAdds(term, before)) return [];
    return [invalidValue(`${at}[${index}]`, term, 'only additions are allowed (no mutations or deletions)')];
  });
}

/** A term that asks for nothing matches no node, and stays so. */
function onlyAdds(term: NodeSelectorTerm, old: NodeSelectorTerm): boolean {
  const { matchExpressions: expressions = [], matchFields: fields = [] } = term;
  const { matchExpressions: oldExpressions = [], matchFields: oldFields = [] } = old;
  if (oldExpressions.length === 0 && oldFields.length === 0) {
    return expressions.length === 0 && fields.length === 0;
  }
  return (
    semanticallyEqual(expressions.slice(0, oldExpressions.length), oldExpressions) &&
    semanticallyEqual(fields.slice(0, oldFields.length), oldFields)
  );
}
