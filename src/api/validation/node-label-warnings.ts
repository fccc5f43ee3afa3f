// Warnings about labels of nodes that have a newer name (pkg/api/node/util.go).

import { own } from '../../base/own.ts';
import type { NodeSelector, NodeSelectorTerm } from '../generated/types.ts';

/** Old label → since when it is old, and what it is called now. */
const RENAMED: Readonly<Record<string, readonly [since: string, now: string]>> = {
  'beta.kubernetes.io/arch': ['v1.14', 'kubernetes.io/arch'],
  'beta.kubernetes.io/instance-type': ['v1.17', 'node.kubernetes.io/instance-type'],
  'beta.kubernetes.io/os': ['v1.14', 'kubernetes.io/os'],
  'failure-domain.beta.kubernetes.io/region': ['v1.17', 'topology.kubernetes.io/region'],
  'failure-domain.beta.kubernetes.io/zone': ['v1.17', 'topology.kubernetes.io/zone'],
};

/** `deprecated since v1.17; use "topology.kubernetes.io/zone" instead`; undefined: the label is no old one. */
export function renamedLabel(label: string): string | undefined {
  const renamed = own(RENAMED, label);
  return renamed && `deprecated since ${renamed[0]}; use "${renamed[1]}" instead`;
}

export function selectorWarnings(selector: NodeSelector | undefined, path: string): string[] {
  return (selector?.nodeSelectorTerms ?? []).flatMap((term, index) =>
    termWarnings(term, `${path}.nodeSelectorTerms[${index}]`),
  );
}

export function termWarnings({ matchExpressions = [] }: NodeSelectorTerm, path: string): string[] {
  return matchExpressions.flatMap(({ key }, index) => {
    const message = renamedLabel(key);
    return message ? [`${path}.matchExpressions[${index}].key: ${key} is ${message}`] : [];
  });
}
