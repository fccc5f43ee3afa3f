// How a pod leaves a node whose taints it does not tolerate: it says why, and is deleted. Follows
// pkg/controller/tainteviction (addConditionAndDeletePod).

import type { Pod } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { timestamp } from '../../base/clock.ts';
import type { EventRecorder } from '../../client/events.ts';
import type { RunContext } from '../../client/run-context.ts';

/** Throws what the API refuses it with: NotFound for a pod that is gone, Conflict for another of its name. */
export async function evictPod(
  { client, clock }: RunContext,
  recorder: EventRecorder,
  pod: Stored<Pod>,
): Promise<void> {
  const { namespace, name, uid } = pod.metadata;
  recorder.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${namespace}/${name}`);
  const condition = {
    type: 'DisruptionTarget',
    observedGeneration: pod.metadata.generation,
    status: 'True',
    reason: 'DeletionByTaintManager',
    message: 'Taint manager: deleting due to NoExecute taint',
    lastTransitionTime: timestamp(clock.now()),
  };
  const body = { metadata: { uid }, status: { conditions: [condition] } };
  await client.patch(pods, { namespace, name }, { type: 'strategic', body }, { subresource: 'status' });
  await client.delete(pods, { namespace, name }, { preconditions: { uid } });
}
