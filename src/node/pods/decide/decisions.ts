// What a plan collects while it goes through a pod: actions, what containers wait for, and when to look again.
import type { ContainerStateWaiting } from '../../../api/generated/types.ts';
import type { Action, PodObservation } from './observation.ts';

export interface Decisions {
  actions: Action[];
  /** By container name: what its waiting state says. */
  waits: Map<string, Required<ContainerStateWaiting>>;
  wakeAtMs: number | undefined;
  /** Everything has run to its end: sidecars, sandbox and volumes are to be taken down. */
  finished: boolean;
}

export function newDecisions(): Decisions {
  return { actions: [], waits: new Map(), wakeAtMs: undefined, finished: false };
}

export function wakeAt(decisions: Decisions, timeMs: number): void {
  if (decisions.wakeAtMs === undefined || timeMs < decisions.wakeAtMs) decisions.wakeAtMs = timeMs;
}

/** Adds an action unless one of its key is under way. */
export function act(observed: PodObservation, decisions: Decisions, action: Action): void {
  if (!observed.busy.has(action.key)) decisions.actions.push(action);
}
