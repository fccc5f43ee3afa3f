// What a node agent asks of whoever enforces NetworkPolicies on its machine: that a pod is protected before its containers
// begin. How it is protected, and from whom, is no affair of the agent's.
import type { Pod } from '../generated/types.ts';
import type { Stored } from '../objects.ts';

export interface PodIsolation {
  /**
   * Resolves when all that policies say of the pod, as they are known here, is in force for its addresses; at once where there
   * is no policy.
   * @param addresses those that the pod's sandbox was given.
   * @param signal ends the wait.
   * @throws Error when the signal is aborted before, saying what it was waiting for.
   */
  inForce(pod: Stored<Pod>, addresses: readonly string[], signal: AbortSignal): Promise<void>;
}
