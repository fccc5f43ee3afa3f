// How much of what the containers of a pod said last stands in its status. Pure; reading it is in pod-files.ts.
import type { Pod } from '../../../api/generated/types.ts';

/** Of all containers of a pod, in bytes (upstream's MaxPodTerminationMessageLogLength). */
const MAX_POD_BYTES = 12 * 1024;
/** As UTF-8; one of UTF-16's units takes no more. */
const MAX_UNIT_BYTES = 3;

/** Each container has the same share of it, of which it keeps the beginning (kubelet's normalizeStatus). */
export function withinShare({ spec }: Pod, message: string): string {
  const containers = spec.containers.length + (spec.initContainers?.length ?? 0);
  const share = Math.floor(MAX_POD_BYTES / Math.max(1, containers));
  if (message.length * MAX_UNIT_BYTES <= share) return message;
  return Buffer.from(message).subarray(0, share).toString();
}
