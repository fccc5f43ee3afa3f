// Why a node counts as lost.
import type { Cause } from '../api/between/waiting.ts';
import { conditionOf } from '../api/conditions.ts';
import type { Evidence } from './evidence.ts';

/** Undefined if the node is there and Ready. */
export function whyNodeIsLost(name: string, evidence: Evidence): Cause | undefined {
  const node = evidence.node(name);
  if (!node) return { reason: 'NodeGone', message: `there is no node ${name} any more`, passing: false };
  const ready = conditionOf(node, 'Ready');
  if (ready?.status === 'True') return undefined;
  const since = ready?.lastTransitionTime ? ` since ${ready.lastTransitionTime}` : '';
  const told = ready?.message ? `: ${ready.message}` : '';
  const message =
    ready?.status === 'False' ? `it is not Ready${since}${told}` : `it does not answer${since}${told}`;
  return { reason: ready?.status === 'False' ? 'NodeNotReady' : 'NodeLost', message, passing: false };
}
