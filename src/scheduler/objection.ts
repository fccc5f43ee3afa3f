// What one node has against a pod: the words for it, and what somebody who explains it may look at further. Which node
// has what against which pod is the filters' business, and for volumes volumes.ts'.

import type { PersistentVolume } from '../api/generated/types.ts';
import type { Stored } from '../api/objects.ts';

/** Why a pod may not run on a node. */
export interface Objection {
  /** As it is counted over all nodes, in upstream's words: `node(s) had disk pressure`. */
  counted: string;
  /** As it is said of one node: `had disk pressure`. */
  said: string;
  /** The resource of which the node has too little left; `pods` if it may have no more. */
  lacks?: string;
  /** The volume that cannot be reached from the node. */
  volume?: Stored<PersistentVolume>;
}

/** An objection that upstream counts as `node(s) …`. */
export function ofNodes(said: string): Objection {
  return { counted: `node(s) ${said}`, said };
}

/** That the node has too little left of a resource. */
export function lacking(resource: string, said: string): Objection {
  return { counted: said, said, lacks: resource };
}
