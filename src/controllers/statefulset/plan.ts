// The heart: from what was observed of one set to what is to be done, what its status is, and what it waits for.
// Pure. The order of the pass is upstream's (updateStatefulSet in stateful_set_control.go): wanted pods ascending,
// claims of condemned pods, condemned pods descending, claims that grow, then the update; each part stands in a file
// of its own.

import type { Waiting } from '../../api/between/waiting.ts';
import { isTerminating } from '../../api/objects.ts';
import { statefulSets } from '../../api/resources/stateful-sets/definition.ts';
import { present } from '../../base/present.ts';
import { revisionsOf, sortRevisions, trimHistory } from '../revisions.ts';
import type { Action, Phase, Plan } from './actions.ts';
import { type ClaimGrowth, growClaims } from './claim-growth.ts';
import { conditionsOf } from './conditions.ts';
import { revisionOf } from './identity.ts';
import type { Observation } from './observation.ts';
import { processRecreate } from './recreate.ts';
import { processReplicas } from './replicas.ts';
import { fixCondemnedClaims, processCondemned } from './scale-down.ts';
import { type Scene, type Step, sceneOf } from './scene.ts';
import { completeUpdate, countStatus } from './status.ts';
import { processUpdate } from './update.ts';
import { untilGone, waitingFor } from './waiting.ts';

/**
 * Decides about one set. Costs time linear in the number of its pods.
 * Throws if a revision of the set's history is not one that a StatefulSet controller wrote.
 */
export function plan(observed: Observation): Plan {
  const history = sortRevisions(observed.revisions);
  const revisions = revisionsOf(statefulSets, observed.set, history);
  const scene = sceneOf(observed, revisions);
  const deleting = isTerminating(observed.set);
  const growth = growClaims(scene);
  const pass: Pass = deleting ? { phases: [] } : decide(scene, growth);
  const trimmed = trimHistory(observed.set, history, () => observed.pods.map(revisionOf), revisions);
  // A set that is being deleted has its status updated, and nothing else.
  const phases: Phase[] = deleting
    ? []
    : [
        { name: 'revisions', actions: revisions.actions },
        ...pass.phases,
        { name: 'history', actions: trimmed },
      ];
  const waiting = waitingAfter(scene, pass);

  const counted = countStatus(scene);
  const leaving = pass.phases.flatMap((phase) => (phase.name === 'update' ? phase.actions : []));
  counted.currentReplicas = (counted.currentReplicas ?? 0) - countCurrent(scene, leaving);
  const status = completeUpdate(scene, counted);
  const busy = pass.phases.some((phase) => phase.actions.length > 0);
  status.conditions = conditionsOf(scene, growth, status, waiting, busy);

  const filled = phases.filter((phase) => phase.actions.length > 0);
  const wakeAt = nextAvailability(scene);
  return present({ phases: filled, burst: !scene.monotonic, status, waiting, wakeAt });
}

interface Pass {
  phases: Phase[];
  blocked?: Step['blocked'];
}

/** The pass proper: phases one after the other until one ends it. */
function decide(scene: Scene, growth: ClaimGrowth): Pass {
  const phases: Phase[] = [];
  let blocked: Step['blocked'];
  const take = (name: Phase['name'], step: Step): boolean => {
    phases.push({ name, actions: step.actions });
    blocked ??= step.blocked;
    return step.stop;
  };
  const condemnedClaims: Phase = { name: 'claims', actions: fixCondemnedClaims(scene) };
  const grow = (): boolean => take('claim growth', { ...growth, stop: growth.blocked !== undefined });

  const recreate = processRecreate(scene);
  if (recreate.stop) {
    phases.push(condemnedClaims);
    if (!grow()) take('update', recreate);
    return { phases, blocked };
  }
  // A pod that is down, for want of space perhaps, does not keep claims from growing.
  if (take('replicas', processReplicas(scene))) {
    grow();
    return { phases, blocked };
  }
  phases.push(condemnedClaims);
  const stop = take('scale down', processCondemned(scene));
  if (!grow() && !stop) take('update', processUpdate(scene));
  return { phases, blocked };
}

/** What the set waits for when the pass is done: a pod that the pass deletes only has to be gone. */
function waitingAfter(scene: Scene, { phases, blocked }: Pass): Waiting | undefined {
  if (!blocked) return undefined;
  const acted = new Set<string>();
  let link = blocked;
  for (const { actions } of phases) {
    for (const action of actions) {
      if (!('pod' in action)) continue;
      acted.add(action.pod.metadata.name ?? '');
      const isAwaited = action.type === 'deletePod' && action.pod.metadata.name === blocked.for.name;
      if (isAwaited) link = untilGone(action.pod);
    }
  }
  return waitingFor(scene, link, acted);
}

/** How many of the pods that leave the current revision are counted as current. */
function countCurrent({ revisions }: Scene, actions: readonly Action[]): number {
  return actions.filter(
    (action) =>
      (action.type === 'deletePod' || action.type === 'updateInPlace') &&
      revisionOf(action.pod) === revisions.current.name,
  ).length;
}

/** When the next of the ready pods will have been ready for minReadySeconds; undefined if none is on its way. */
function nextAvailability({ condemned, minReadySeconds, now, replicas }: Scene): number | undefined {
  if (minReadySeconds === 0) return undefined;
  let next: number | undefined;
  for (const { health } of [...replicas, ...condemned]) {
    const at = health?.ready ? health.availableAt : undefined;
    if (at !== undefined && at > now && (next === undefined || at < next)) next = at;
  }
  return next;
}
