// Which pods nobody will ever clean up, and why: their node is gone or fenced, or they were never on one, or there are
// too many that are over. A pure function. Follows pkg/controller/podgc/gc_controller.go.
import { isReady } from '../../api/conditions.ts';
import type { Node, Pod } from '../../api/generated/types.ts';
import { isTerminating, type Stored } from '../../api/objects.ts';
import { isPodFinished } from '../../api/pod-state.ts';
import { TAINT_OUT_OF_SERVICE } from '../../api/taints.ts';

/** As upstream's --terminated-pod-gc-threshold. */
const FINISHED_THRESHOLD = 12_500;

/** A pod to be deleted by force. */
export interface Doomed {
  pod: Stored<Pod>;
  /** What its DisruptionTarget condition says; none for pods that ran to their end, or never ran. */
  disruption?: { reason: string; message: string };
}

/**
 * @param lostNodes names of nodes that have been gone for long enough, as the API itself has confirmed.
 */
export function planPodGc(
  pods: readonly Stored<Pod>[],
  nodes: ReadonlyMap<string, Node>,
  lostNodes: ReadonlySet<string>,
): Doomed[] {
  const doomed: Doomed[] = [];
  const finished: Stored<Pod>[] = [];
  for (const pod of pods) {
    const { nodeName } = pod.spec;
    if (isPodFinished(pod) && !isTerminating(pod)) finished.push(pod);
    if (!nodeName) {
      if (isTerminating(pod)) doomed.push({ pod });
    } else if (lostNodes.has(nodeName)) {
      doomed.push({
        pod,
        disruption: { reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' },
      });
    } else if (isTerminating(pod) && isFenced(nodes.get(nodeName))) {
      const message = 'PodGC: node had the out-of-service taint';
      doomed.push({ pod, disruption: { reason: 'DeletionByPodGC', message } });
    }
  }
  const excess = finished.length - FINISHED_THRESHOLD;
  if (excess > 0) {
    const taken = new Set(doomed.map(({ pod }) => pod));
    finished.sort((a, b) => a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp));
    for (const pod of finished.slice(0, excess)) if (!taken.has(pod)) doomed.push({ pod });
  }
  return doomed;
}

/** Whether somebody has vouched that nothing runs on the node any more: not Ready, and tainted out-of-service. */
function isFenced(node: Node | undefined): boolean {
  return !isReady(node) && (node?.spec.taints ?? []).some((taint) => taint.key === TAINT_OUT_OF_SERVICE);
}
