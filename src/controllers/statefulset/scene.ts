// An observation put in order for the decisions: the set's ordinals with their pods, those that are condemned, the
// claims by name, the revisions. Nothing is decided here.
import type { Pod, StatefulSet } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { optionsOf, type StatefulSetOptions } from '../../api/stateful-set-options.ts';
import type { Action } from './actions.ts';
import { isUnavailable } from './health.ts';
import { parentOf, podName } from './identity.ts';
import type { Claims, Observation } from './observation.ts';
import { wantedOrdinals } from './ordinals.ts';
import type { Revisions } from './revisions.ts';
import type { Blocked } from './waiting.ts';

/** An ordinal that the set wants, and its pod if there is one. */
export interface Replica {
  /** Its place among the wanted ordinals; beyond them for one that is not wanted. */
  index: number;
  ordinal: number;
  name: string;
  pod?: Stored<Pod>;
}

/** A pod whose ordinal the set does not want (any more). */
export interface Condemned extends Replica {
  pod: Stored<Pod>;
}

export interface Scene {
  set: Stored<StatefulSet>;
  options: StatefulSetOptions;
  now: number;
  minReadySeconds: number;
  /** OrderedReady: one after the other, each after its predecessors. */
  monotonic: boolean;
  revisions: Revisions;
  /** Lowest ordinal first. */
  replicas: Replica[];
  /** Highest ordinal first. */
  condemned: Condemned[];
  /** By name: pods that bear one of the set's names and are not its own. */
  strangers: ReadonlyMap<string, Stored<Pod>>;
  claims: Claims;
  expandableClasses: ReadonlySet<string>;
}

/** What one part of the decision wants. */
export interface Step {
  actions: Action[];
  /** The first thing in the way. */
  blocked?: Blocked;
  /** Whether the pass ends here. */
  stop: boolean;
}

export function sceneOf(observed: Observation, revisions: Revisions): Scene {
  const { set } = observed;
  const replicas = wantedOrdinals(set).map(
    (ordinal, index): Replica => ({
      index,
      ordinal,
      name: podName(set, ordinal),
    }),
  );
  const byOrdinal = new Map(replicas.map((replica) => [replica.ordinal, replica]));
  const condemned: Condemned[] = [];
  for (const pod of observed.pods) {
    const parent = parentOf(pod.metadata.name);
    if (parent?.set !== set.metadata.name) continue;
    const replica = byOrdinal.get(parent.ordinal);
    if (replica) replica.pod = pod;
    else condemned.push({ index: replicas.length, ordinal: parent.ordinal, name: pod.metadata.name, pod });
  }
  condemned.sort((a, b) => b.ordinal - a.ordinal);
  return {
    set,
    options: optionsOf(set),
    now: observed.now,
    minReadySeconds: set.spec.minReadySeconds ?? 0,
    monotonic: set.spec.podManagementPolicy !== 'Parallel',
    revisions,
    replicas,
    condemned,
    strangers: new Map(observed.strangers.map((pod) => [pod.metadata.name, pod])),
    claims: new Map(observed.claims.map((claim) => [claim.metadata.name, claim])),
    expandableClasses: observed.expandableClasses,
  };
}

/** Whether the ordinal has no available pod, or one that is about to go. */
export function replicaUnavailable({ minReadySeconds, now }: Scene, { pod }: Replica): boolean {
  return !pod || isUnavailable(pod, minReadySeconds, now);
}
