// Warnings about StatefulSets (pkg/registry/apps/statefulset/strategy.go): those of their templates.
import type { StatefulSet } from '../../generated/types.ts';
import { claimSpecWarnings } from '../persistent-volume-claims/warnings.ts';
import { templateWarnings } from '../pods/validation/warnings.ts';

/** @param old the set before an update: of a spec that stays nothing is said again. */
export function statefulSetWarnings({ metadata, spec }: StatefulSet, old?: StatefulSet): string[] {
  if (old && old.metadata.generation === metadata.generation) return [];
  const warnings = templateWarnings(spec.template, 'spec.template');
  for (const [index, claim] of (spec.volumeClaimTemplates ?? []).entries()) {
    warnings.push(...claimSpecWarnings(claim.spec, `spec.volumeClaimTemplates[${index}]`));
  }
  return warnings;
}
