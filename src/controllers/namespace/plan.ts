// What is left of a namespace that is being deleted, said in its conditions. A pure function of what the last round
// of deletion found. Follows pkg/controller/namespace/deletion (namespaced_resources_deleter.go,
// status_condition_utils.go).

import { conditionOf } from '../../api/conditions.ts';
import type { Namespace, NamespaceCondition } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/objects.ts';
import { timestamp } from '../../base/clock.ts';
import { present } from '../../base/present.ts';

/** What one resource still has in the namespace. */
export interface Remainder {
  /** `pods`, `statefulsets.apps`. */
  resource: string;
  objects: readonly KubeObject[];
}

/** The conditions as they are after a round; times change only with the status. */
export function namespaceConditions(
  namespace: Namespace,
  remainders: readonly Remainder[],
  failures: readonly string[],
  nowMs: number,
): NamespaceCondition[] {
  const left = remainders.filter(({ objects }) => objects.length > 0);
  const counts = left.map(({ resource, objects }) => `${resource} has ${objects.length} resource instances`);
  const finalizers = new Map<string, number>();
  for (const { objects } of left) {
    for (const finalizer of objects.flatMap((object) => object.metadata.finalizers ?? [])) {
      finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
    }
  }
  const held = [...finalizers].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`);
  const set = (type: string, bad: boolean, reasons: [string, string], messages: [string, string]) =>
    condition(namespace, type, bad, reasons[bad ? 0 : 1], messages[bad ? 0 : 1], nowMs);
  return [
    set(
      'NamespaceDeletionContentFailure',
      failures.length > 0,
      ['ContentDeletionFailed', 'ContentDeleted'],
      [
        `Failed to delete all resource types, ${failures.length} remaining: ${failures.join(', ')}`,
        'All content successfully deleted, may be waiting on finalization',
      ],
    ),
    set(
      'NamespaceContentRemaining',
      counts.length > 0,
      ['SomeResourcesRemain', 'ContentRemoved'],
      [`Some resources are remaining: ${counts.sort().join(', ')}`, 'All content successfully removed'],
    ),
    set(
      'NamespaceFinalizersRemaining',
      held.length > 0,
      ['SomeFinalizersRemain', 'ContentHasNoFinalizers'],
      [
        `Some content in the namespace has finalizers remaining: ${held.sort().join(', ')}`,
        'All content-preserving finalizers finished',
      ],
    ),
  ];
}

function condition(
  namespace: Namespace,
  type: string,
  bad: boolean,
  reason: string,
  message: string,
  nowMs: number,
): NamespaceCondition {
  const status = bad ? 'True' : 'False';
  const before = conditionOf(namespace, type);
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : timestamp(nowMs);
  return present({ type, status, reason, message, lastTransitionTime });
}
