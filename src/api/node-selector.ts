// Whether a node is one that a node selector means: used for a pod's node affinity and for the nodes from which a
// volume can be reached. Labels only; label selectors of other objects are in selectors.ts.

import { own } from '../base/own.ts';
import type { NodeSelector, NodeSelectorRequirement, NodeSelectorTerm } from './generated/types.ts';

/** What a node selector can ask about. */
export interface NodeFacts {
  name: string;
  labels: Readonly<Record<string, string>>;
}

/**
 * Whether any term of the selector holds for the node; a selector without terms, and a term without
 * requirements, match nothing. Follows component-helpers/scheduling/corev1/nodeaffinity.
 */
export function matchesNodeSelector(selector: NodeSelector, node: NodeFacts): boolean {
  return selector.nodeSelectorTerms.some((term) => matchesNodeSelectorTerm(term, node));
}

/** Whether all requirements of one term hold for the node, and there is at least one. */
export function matchesNodeSelectorTerm(term: NodeSelectorTerm, node: NodeFacts): boolean {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  return (
    expressions.every((requirement) => holds(requirement, own(node.labels, requirement.key))) &&
    fields.every((requirement) => requirement.key === 'metadata.name' && holds(requirement, node.name))
  );
}

function holds(requirement: NodeSelectorRequirement, value: string | undefined): boolean {
  const values = requirement.values ?? [];
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt': {
      const [bound] = values;
      if (value === undefined || bound === undefined || !isInteger(value) || !isInteger(bound)) return false;
      return requirement.operator === 'Gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
    }
    default:
      return false;
  }
}

const isInteger = (text: string): boolean => /^[+-]?\d+$/.test(text) && !text.startsWith('+');
