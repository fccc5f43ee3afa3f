// Who a pod of a set is: its ordinal, its name, its labels, and the names of its claims. Follows the naming half of
// upstream's pkg/controller/statefulset/stateful_set_utils.go. What a new pod is made of is new-pod.ts's.
import type { PersistentVolumeClaim, Pod, StatefulSet } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';

const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name';
const POD_INDEX_LABEL = 'apps.kubernetes.io/pod-index';
/** Holds the full name of the pod's ControllerRevision. */
export const REVISION_LABEL = 'controller-revision-hash';

/** The set's name and the ordinal in a pod's name; undefined for a name that no set gives. */
export function parentOf(podName: string): { set: string; ordinal: number } | undefined {
  const dash = podName.lastIndexOf('-');
  const ordinal = dash < 0 ? undefined : ordinalFrom(podName, dash + 1);
  return ordinal === undefined ? undefined : { set: podName.slice(0, dash), ordinal };
}

/** The ordinal in the name of a pod of this set; undefined for any other name. */
export function ordinalOf(set: StatefulSet, podName: string): number | undefined {
  const { name = '' } = set.metadata;
  return podName.startsWith(name) && podName[name.length] === '-'
    ? ordinalFrom(podName, name.length + 1)
    : undefined;
}

/** The number that the rest of the text is. As upstream, which reads 32 bits; and `web-01` is nobody's name. */
function ordinalFrom(text: string, start: number): number | undefined {
  const digits = text.length - start;
  if (digits < 1 || digits > 10 || (digits > 1 && text[start] === '0')) return undefined;
  let ordinal = 0;
  for (let at = start; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return undefined;
    ordinal = 10 * ordinal + digit;
  }
  return ordinal <= 0x7fffffff ? ordinal : undefined;
}

export const podName = (set: StatefulSet, ordinal: number): string => `${set.metadata.name}-${ordinal}`;
export const startOrdinal = (set: StatefulSet): number => set.spec.ordinals?.start ?? 0;
export const replicasOf = (set: StatefulSet): number => set.spec.replicas ?? 1;

export function claimTemplates(set: StatefulSet): readonly PersistentVolumeClaim[] {
  return set.spec.volumeClaimTemplates ?? [];
}

/** The names that belong to an ordinal of a set. */
export interface Place {
  ordinal: number;
  /** The pod's. */
  name: string;
  /** The claims', one for each claim template: `<template>-<set>-<ordinal>`. */
  claimNames: readonly string[];
}

/** @param name the pod's, if it is at hand already. */
export function placeOf(set: StatefulSet, ordinal: number, name: string = podName(set, ordinal)): Place {
  const claimNames = claimTemplates(set).map(({ metadata }) => `${metadata.name}-${name}`);
  return { ordinal, name, claimNames };
}

/** The labels by which services and people pick one pod of a set. */
export function identityLabels(set: StatefulSet, ordinal: number): Record<string, string> {
  return { [POD_NAME_LABEL]: podName(set, ordinal), [POD_INDEX_LABEL]: String(ordinal) };
}

/**
 * Whether the pod has the labels of its name (`identityMatches`). As upstream, a missing index label alone is no
 * reason to touch a pod.
 */
export function identityMatches(pod: Pod): boolean {
  return pod.metadata.labels?.[POD_NAME_LABEL] === pod.metadata.name;
}

/** The pod with the labels of its name. */
export function withIdentity(set: StatefulSet, pod: Stored<Pod>, ordinal: number): Stored<Pod> {
  const labels = { ...pod.metadata.labels, ...identityLabels(set, ordinal) };
  return { ...pod, metadata: { ...pod.metadata, labels } };
}

/** The name of the ControllerRevision that the pod was made from; empty if it does not say. */
export function revisionOf(pod: Pod): string {
  return pod.metadata.labels?.[REVISION_LABEL] ?? '';
}
