// The node's own admission: a pod is refused that the scheduler would not have sent, because host ports are taken or
// its disk is given away (kubelet lifecycle/predicate.go). Pure; that the node is under pressure is pressure/'s matter.

import type { Pod } from '../../../api/generated/types.ts';
import { podRequests } from '../../../api/pod-resources.ts';
import { hostPortsClash } from './host-ports.ts';

const STORAGE = 'ephemeral-storage';
const NANO = 1_000_000_000n;

/** Why the node refuses the pod beside those that are active on it, which few pods need to know; undefined: it takes it. */
export function rejectionOf(
  pod: Pod,
  machine: { storageBytes?: number | undefined },
  active: () => readonly Pod[],
): { reason: string; message: string } | undefined {
  if (hostPortsClash(pod, active)) {
    return {
      reason: 'NodePorts',
      message: "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    };
  }
  const requested = podRequests(pod).get(STORAGE) ?? 0n;
  if (requested === 0n || machine.storageBytes === undefined) return undefined;
  const capacity = BigInt(machine.storageBytes);
  const used = active().reduce((sum, other) => sum + (podRequests(other).get(STORAGE) ?? 0n), 0n) / NANO;
  if (requested / NANO + used <= capacity) return undefined;
  return {
    reason: `OutOf${STORAGE}`,
    message: `Node didn't have enough resource: ${STORAGE}, requested: ${requested / NANO}, used: ${used}, capacity: ${capacity}`,
  };
}
