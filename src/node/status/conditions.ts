// The conditions of a node, with upstream's reasons and words. Pure.
import type { NodeCondition } from '../../api/generated/types.ts';

/** @param old what the node has now. @param now as metav1.Time. @returns those that the agent writes; others have their own. */
export function nodeConditions(
  old: readonly NodeCondition[],
  runtimeAnswers: boolean,
  diskPressure: boolean,
  now: string,
): NodeCondition[] {
  const drafts = [
    ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
    diskPressure
      ? ['DiskPressure', 'True', 'KubeletHasDiskPressure', 'kubelet has disk pressure']
      : ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
    ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
    runtimeAnswers
      ? ['Ready', 'True', 'KubeletReady', 'kubelet is posting ready status']
      : ['Ready', 'False', 'KubeletNotReady', 'container runtime is down'],
  ] as const;
  return drafts.map(([type, status, reason, message]) => {
    const before = old.find((condition) => condition.type === type);
    const since = before?.status === status ? before.lastTransitionTime : now;
    return { type, status, reason, message, lastHeartbeatTime: now, lastTransitionTime: since ?? now };
  });
}
