// The conditions of a set, which upstream defines and never writes. `Available`: as many pods as wanted are available.
// `Progressing`: True while the set is complete or on its way, with what it waits for as reason and message; False
// when what it waits for does not pass by itself (a crash loop, an image that cannot be pulled, no node with room),
// with that as its reason. `ClaimsExpanding`: while claims are made larger, how many of them are.

import { rootCause, sentenceOf, type Waiting } from '../../api/between/waiting.ts';
import type { StatefulSetCondition, StatefulSetStatus } from '../../api/generated/types.ts';
import { PAUSED } from '../../api/stateful-set-options.ts';
import { timestamp } from '../../base/clock.ts';
import type { ClaimGrowth } from './claim-growth.ts';
import { replicasOf } from './identity.ts';
import { isDown, type Scene } from './scene.ts';
import { untilAvailable } from './waiting.ts';

const OURS: readonly string[] = ['Available', 'Progressing', 'ClaimsExpanding'];

type Told = Pick<StatefulSetCondition, 'status' | 'reason' | 'message'>;

/** The set's conditions now; a condition's time is that of its last change of status. Others' conditions stay. */
export function conditionsOf(
  scene: Scene,
  growth: ClaimGrowth,
  status: StatefulSetStatus,
  waiting: Waiting | undefined,
  busy: boolean,
): StatefulSetCondition[] {
  const before = scene.set.status?.conditions ?? [];
  const others = before.filter(({ type }) => !OURS.includes(type));
  const make = (type: string, told: Told): StatefulSetCondition => {
    const old = before.find((condition) => condition.type === type);
    const unchanged = old?.status === told.status ? old.lastTransitionTime : undefined;
    return { type, ...told, lastTransitionTime: unchanged ?? timestamp(scene.now) };
  };
  return [
    ...others,
    make('Available', available(scene)),
    make('Progressing', progressing(scene, status, waiting, busy)),
    ...claims(growth, before).map((told) => make('ClaimsExpanding', told)),
  ];
}

/** Said only of sets whose claims grow or have grown. */
function claims({ blocked, claims: all, fixed, grown }: ClaimGrowth, before: StatefulSetCondition[]): Told[] {
  const message = `${grown} of ${all} claims have the size of their template`;
  if (blocked) return [{ status: 'True', reason: rootCause(blocked.because).reason, message }];
  if (fixed) {
    const why = `claim ${fixed.claim} cannot grow: its StorageClass "${fixed.storageClass}" has not allowVolumeExpansion: true`;
    return [{ status: 'False', reason: 'ClassNotExpandable', message: `${message}; ${why}` }];
  }
  const isTold = before.some(({ type }) => type === 'ClaimsExpanding');
  return isTold ? [{ status: 'False', reason: 'ClaimsExpanded', message }] : [];
}

function available(scene: Scene): Told {
  const down = scene.replicas.filter(isDown);
  const [missing] = down;
  const count = `${scene.replicas.length - down.length} of ${scene.replicas.length} pods are available`;
  if (!missing) return { status: 'True', reason: 'AllReplicasAvailable', message: count };
  const blocked = missing.pod && untilAvailable(scene, missing.pod);
  const why = blocked
    ? `${missing.name} is not ${blocked.tobe === 'gone' ? 'Ready' : blocked.tobe}: ${sentenceOf(blocked.because)}`
    : `${missing.name} does not exist`;
  return { status: 'False', reason: 'ReplicasUnavailable', message: `${count}; ${why}` };
}

function progressing(
  scene: Scene,
  status: StatefulSetStatus,
  waiting: Waiting | undefined,
  busy: boolean,
): Told {
  if (scene.set.metadata.deletionTimestamp) {
    return { status: 'True', reason: 'Terminating', message: 'the set is being deleted' };
  }
  if (waiting) {
    const { reason, passing } = rootCause(waiting);
    return { status: passing ? 'True' : 'False', reason, message: sentenceOf(waiting) };
  }
  if (busy) {
    return {
      status: 'True',
      reason: 'Adjusting',
      message: 'pods and claims are brought in line with the set',
    };
  }
  const wanted = replicasOf(scene.set);
  const outdated = wanted - (status.updatedReplicas ?? 0);
  if (outdated > 0 && scene.options.paused) {
    const message = `the rollout to ${scene.revisions.update.name} is paused (${PAUSED}); ${outdated} of ${wanted} pods are not at it`;
    return { status: 'Unknown', reason: 'Paused', message };
  }
  const kept =
    outdated > 0
      ? `; ${outdated} of them not at ${scene.revisions.update.name}, as the update strategy has it`
      : '';
  return { status: 'True', reason: 'Complete', message: `all ${wanted} pods are Ready${kept}` };
}
