// How long a controller gathers changes before it acts on them all at once: shared by those whose work for one change
// grows with the number of pods.

/**
 * In ms: nothing for a few pods, up to half a second for thousands, so that a rollout's work does not grow with the
 * square of its size.
 */
export function gatherMs(podCount: number): number {
  return podCount <= 100 ? 0 : Math.min(Math.ceil(podCount / 10), 500);
}
