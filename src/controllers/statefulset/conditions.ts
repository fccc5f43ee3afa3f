// The conditions of a set, which upstream defines and never writes. `Available`: as many pods as wanted are available.
// `Progressing`: True while the set is complete or on its way, with what it waits for as reason and message; False
// when what it waits for does not pass by itself (a crash loop, an image that cannot be pulled, no node with room),
// with that as its reason.
import { timestamp } from '../../api/clock.ts';
import type { StatefulSetCondition, StatefulSetStatus } from '../../api/generated/types.ts';
import { rootCause, sentenceOf, type Waiting } from '../../api/waiting.ts';
import { replicasOf } from './identity.ts';
import { replicaUnavailable, type Scene } from './scene.ts';
import { untilAvailable } from './waiting.ts';

type Told = Pick<StatefulSetCondition, 'status' | 'reason' | 'message'>;

/** The set's conditions now; a condition's time is that of its last change of status. Others' conditions stay. */
export function conditionsOf(
  scene: Scene,
  status: StatefulSetStatus,
  waiting: Waiting | undefined,
  busy: boolean,
): StatefulSetCondition[] {
  const before = scene.set.status?.conditions ?? [];
  const others = before.filter(({ type }) => type !== 'Available' && type !== 'Progressing');
  const make = (type: string, told: Told): StatefulSetCondition => {
    const old = before.find((condition) => condition.type === type);
    const unchanged = old?.status === told.status ? old.lastTransitionTime : undefined;
    return { type, ...told, lastTransitionTime: unchanged ?? timestamp(scene.now) };
  };
  return [
    ...others,
    make('Available', available(scene)),
    make('Progressing', progressing(scene, status, waiting, busy)),
  ];
}

function available(scene: Scene): Told {
  const down = scene.replicas.filter((replica) => replicaUnavailable(scene, replica));
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
  const kept =
    outdated > 0
      ? `; ${outdated} of them not at ${scene.revisions.update.name}, as the update strategy has it`
      : '';
  return { status: 'True', reason: 'Complete', message: `all ${wanted} pods are Ready${kept}` };
}
