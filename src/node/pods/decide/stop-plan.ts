// The next step of stopping one running container, whatever it is stopped for: first its preStop hook, then, when it
// is its turn, the stop signal, both within one grace period (kubelet's killContainer, as decisions). Which containers
// end, and in what order, is decided where it is called.
import type { Container } from '../../runtime.ts';
import { act, type Decisions, wakeAt } from './decisions.ts';
import type { PodObservation } from './observation.ts';
import { everyContainer } from './view.ts';

/** A container always gets this long between TERM and KILL, unless its grace period is shorter by itself. */
const MINIMUM_GRACE_SECONDS = 2;

export interface StopOrder {
  graceSeconds: number;
  /** When the grace period ends, if it has begun already; left out: it begins with the first step. */
  deadlineMs?: number;
  /** What the Killing event says. */
  message: string;
  /** False: the hook begins, but the signal waits for the end of others, as long as the grace period lasts. */
  isItsTurn?: boolean;
}

/** Adds the next step, or when to look again; adds nothing while the runtime stops the container. */
export function planStop(
  observed: PodObservation,
  decisions: Decisions,
  container: Container,
  order: StopOrder,
): void {
  const { busy, now, pod, stopping } = observed;
  const { id, name } = container;
  const { graceSeconds, isItsTurn = true, message } = order;
  const begun = stopping.get(id);
  const wanted = order.deadlineMs ?? now + graceSeconds * 1000;
  const deadlineMs = begun === undefined ? wanted : Math.min(wanted, begun.deadlineMs);
  const left = deadlineMs - now;
  const step = {
    container: name,
    id,
    deadlineMs,
    graceSeconds: Math.max(Math.ceil(left / 1000), Math.min(MINIMUM_GRACE_SECONDS, graceSeconds)),
    message,
  };
  if (busy.has(`container/${name}`)) {
    const told = begun?.signalledUntilMs;
    if (told !== undefined && deadlineMs < told) {
      act(observed, decisions, { type: 'stopSooner', key: `sooner/${id}/${deadlineMs}`, ...step });
    }
    return;
  }
  // What may have ended without anybody's knowing has nothing to run a hook in.
  const isRunning = container.state === 'running';
  const hook = isRunning && everyContainer(pod).find((spec) => spec.name === name)?.lifecycle?.preStop;
  const hasTime = left > 0 && graceSeconds > 0;
  if (hasTime && begun === undefined && (hook || !isItsTurn)) {
    act(observed, decisions, { type: 'beginStop', key: `prestop/${id}`, ...step });
  } else if (hasTime && (busy.has(`prestop/${id}`) || !isItsTurn)) {
    wakeAt(decisions, deadlineMs);
  } else {
    act(observed, decisions, { type: 'stopContainer', key: `container/${name}`, ...step });
  }
}
