// What the scheduler writes: the choice of node on claims, the reservation of volumes, the binding, and the pod's
// PodScheduled condition. Each is one small write that may be repeated.

import { boundVolume, SELECTED_NODE } from '../api/between/volume-binding.ts';
import type { Cause } from '../api/between/waiting.ts';
import { conditionOf } from '../api/conditions.ts';
import type { Binding, Pod } from '../api/generated/types.ts';
import type { Stored } from '../api/objects.ts';
import { persistentVolumeClaims } from '../api/resources/persistent-volume-claims/definition.ts';
import { persistentVolumes } from '../api/resources/persistent-volumes/definition.ts';
import { pods } from '../api/resources/pods/definition.ts';
import { type Clock, timestamp } from '../base/clock.ts';
import { present } from '../base/present.ts';
import type { Client } from '../client/client.ts';
import type { VolumeChoice } from './volumes.ts';

/**
 * Starts what the claims need: reserves volumes made by hand, and names the node to the provisioner.
 * @throws StatusError Conflict if a claim or volume was changed since it was looked at.
 */
export async function startVolumes(client: Client, choice: VolumeChoice, nodeName: string): Promise<void> {
  for (const { claim, volume } of choice.reserve) {
    const reserved = boundVolume(volume, claim);
    if (reserved) await client.update(persistentVolumes, reserved);
  }
  for (const claim of choice.provision) {
    if (claim.metadata.annotations?.[SELECTED_NODE] === nodeName) continue;
    const annotations = { ...claim.metadata.annotations, [SELECTED_NODE]: nodeName };
    await client.update(persistentVolumeClaims, { ...claim, metadata: { ...claim.metadata, annotations } });
  }
}

/** Binds the pod to the node. @throws StatusError Conflict if it is bound already, NotFound if it is gone. */
export async function bindPod(client: Client, pod: Stored<Pod>, nodeName: string): Promise<void> {
  const { namespace, name, uid } = pod.metadata;
  const binding: Binding = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: present({ namespace, name, uid }),
    target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
  };
  await client.createSubresource(pods, { namespace, name }, 'binding', binding);
}

/** Says on the pod why no node takes it. @returns whether that is news. */
export async function reportUnschedulable(
  client: Client,
  clock: Clock,
  pod: Stored<Pod>,
  { message, reason }: Cause,
): Promise<boolean> {
  const before = conditionOf(pod, 'PodScheduled');
  if (before?.status === 'False' && before.reason === reason && before.message === message) return false;
  const condition = {
    type: 'PodScheduled',
    observedGeneration: pod.metadata.generation,
    status: 'False',
    reason,
    message,
    lastProbeTime: null,
    lastTransitionTime:
      before?.status === 'False' && before.lastTransitionTime
        ? before.lastTransitionTime
        : timestamp(clock.now()),
  };
  const { namespace, name, uid } = pod.metadata;
  await client.patch(
    pods,
    { namespace, name },
    { type: 'strategic', body: { metadata: { uid }, status: { conditions: [condition] } } },
    { subresource: 'status' },
  );
  return true;
}
