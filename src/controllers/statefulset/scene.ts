// An observation put in order for the decisions: the set's ordinals with their pods, those that are condemned, the
// claims by name, the revisions. Nothing is decided here.
import type { Pod, StatefulSet } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { optionsOf, type StatefulSetOptions } from '../../api/stateful-set-options.ts';
import type { Revisions } from '../revisions.ts';
import type { Action, Blocked } from './actions.ts';
import { type Health, healthOf } from './health.ts';
import { ordinalOf, type Place, placeOf } from './identity.ts';
import type { Claims, Observation } from './observation.ts';
import { indexOf, wantedOrdinals } from './ordinals.ts';

/** An ordinal that the set wants, and its pod if there is one. */
export interface Replica extends Place {
  /** Its place among the wanted ordinals; beyond them for one that is not wanted. */
  index: number;
  pod: Stored<Pod> | undefined;
  /** The pod's. */
  health: Health | undefined;
}

/** A pod whose ordinal the set does not want (any more). */
export interface Condemned extends Replica {
  pod: Stored<Pod>;
  health: Health;
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
  blocked?: Blocked | undefined;
  /** Whether the pass ends here. */
  stop: boolean;
}

export function sceneOf(observed: Observation, revisions: Revisions): Scene {
  const { set } = observed;
  const minReadySeconds = set.spec.minReadySeconds ?? 0;
  const ordinals = wantedOrdinals(set);
  const pods = new Array<Stored<Pod> | undefined>(ordinals.length);
  const condemned: Condemned[] = [];
  for (const pod of observed.pods) {
    const { name } = pod.metadata;
    const ordinal = ordinalOf(set, name);
    if (ordinal === undefined) continue;
    const index = indexOf(set, ordinal);
    if (index !== undefined) pods[index] = pod;
    else {
      const health = healthOf(pod, minReadySeconds, observed.now);
      const { claimNames } = placeOf(set, ordinal, name);
      condemned.push({ index: ordinals.length, ordinal, name, claimNames, pod, health });
    }
  }
  const replicas = ordinals.map((ordinal, index): Replica => {
    const pod = pods[index];
    const { name, claimNames } = placeOf(set, ordinal, pod?.metadata.name);
    const health = pod && healthOf(pod, minReadySeconds, observed.now);
    return { index, ordinal, name, claimNames, pod, health };
  });
  condemned.sort((a, b) => b.ordinal - a.ordinal);
  return {
    set,
    options: optionsOf(set),
    now: observed.now,
    minReadySeconds,
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
export function isDown({ health }: Replica): boolean {
  return !health?.available || health.terminating;
}
