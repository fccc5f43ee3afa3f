// What the controller can do to the world, as values. Deciding on them is plan.ts's and its parts' business, doing
// them execute.ts's.

import type { Party, Waiting } from '../../api/between/waiting.ts';
import type { PersistentVolumeClaim, Pod, StatefulSetStatus } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import type { RevisionAction } from '../revisions.ts';

/** Creates claims, or gives existing ones other owners. */
export interface ClaimWork {
  create: PersistentVolumeClaim[];
  /** Existing claims with the owner references that they should have. */
  update: Stored<PersistentVolumeClaim>[];
  /** Claims that somebody else controls: left alone, with a warning. */
  conflicting: string[];
}

/** Each is one step: it ends, or fails, as a whole; claims come before the pod that needs them. */
export type Action =
  | RevisionAction
  | { type: 'createPod'; pod: Pod; claims: ClaimWork }
  | { type: 'deletePod'; pod: Stored<Pod>; why: 'ended' | 'scaled down' | 'update' | 'recovery' }
  /** Gives a pod another revision's images, labels and annotations, without making it again. */
  | { type: 'updateInPlace'; pod: Stored<Pod>; changed: Stored<Pod>; restarted: string[] }
  /** Brings the pod's labels and volumes (if `changed`) and its claims in line with the set. */
  | { type: 'updatePod'; pod: Stored<Pod>; changed?: Pod; claims: ClaimWork }
  /** Makes lost claims of a pending pod again, and corrects the owners of claims. */
  | { type: 'fixClaims'; pod: Stored<Pod>; claims: ClaimWork }
  /** Brings a claim in line with its template; `storage` if it is to grow to that. */
  | { type: 'updateClaim'; podName: string; claim: Stored<PersistentVolumeClaim>; storage?: string };

/** Actions of one phase; a phase begins only when the one before has succeeded. */
export interface Phase {
  name: 'revisions' | 'replicas' | 'claims' | 'scale down' | 'claim growth' | 'update' | 'history';
  actions: Action[];
}

/** What holds a part of the pass back, before it is known who waits for it; `who` is given where it is. */
export type Blocked = Omit<Waiting, 'who' | 'act'> & { who?: Party };

/** What to do now; what the set's status is; and, if nothing more can be done yet, what it waits for. */
export interface Plan {
  phases: Phase[];
  /** Whether a phase's actions may run at once (in growing batches) or only one after the other. */
  burst: boolean;
  status: StatefulSetStatus;
  waiting?: Waiting;
  /** When to look again even if nothing happens: ms since the epoch. */
  wakeAt?: number;
}
