// Judges what the statefulset controller does to pods, at the moment it does it: against the specification that it
// decided by, and against the truth of the pods, given what it could know of it. It shares no code with the
// controller's own rules.
import { conditionOf } from '../../api/conditions.ts';
import type { Pod, StatefulSet } from '../../api/generated/types.ts';
import { isTerminating, type Stored } from '../../api/objects.ts';
import { isPodFinished } from '../../api/pod-state.ts';
import type { Plan } from '../../controllers/statefulset/actions.ts';
import type { Observation } from '../../controllers/statefulset/observation.ts';
import { ordinalOf, type Truth } from './truth.ts';

/** A decision, and how old the newest state is that it cannot have missed. */
interface Decision {
  set: Stored<StatefulSet>;
  /** Empty: none is on record yet, and so none that the partition could hold. */
  currentRevision: string;
  updateRevision: string;
  seen: Map<string, Stored<Pod>>;
  atMs: number;
  /** Whatever was so since then, the controller may have seen last; ms. */
  sinceMs: number;
}

const REVISION = 'controller-revision-hash';

export class RolloutRules {
  readonly #truth: Truth;
  readonly #now: () => number;
  readonly #violated: (what: string) => void;
  /** The last decision about each set, by its name. */
  readonly #decisions = new Map<string, Decision>();

  constructor(truth: Truth, now: () => number, violated: (what: string) => void) {
    this.#truth = truth;
    this.#now = now;
    this.#violated = violated;
  }

  /** The controller has decided. */
  decided({ set, pods }: Observation, { status }: Plan): void {
    const nowMs = this.#now();
    const seen = new Map(pods.map((pod) => [pod.metadata.name, pod]));
    const names = new Set([
      ...seen.keys(),
      ...this.#truth.pods.keys(),
      ...wanted(set).map((each) => nameOf(set, each)),
    ]);
    let sinceMs = nowMs;
    for (const name of names) {
      if (setNameOf(name) !== set.metadata.name) continue;
      const version = Number(seen.get(name)?.metadata.resourceVersion ?? 0);
      sinceMs = Math.min(sinceMs, this.#truth.outdatedSince(name, version, nowMs));
    }
    this.#decisions.set(set.metadata.name, {
      set,
      currentRevision: set.status?.currentRevision ?? '',
      updateRevision: status.updateRevision ?? '',
      seen,
      atMs: nowMs,
      sinceMs,
    });
  }

  /** The controller process is gone, and what it knew with it. */
  forget(): void {
    this.#decisions.clear();
  }

  /** The controller creates a pod. */
  creating(pod: Pod): void {
    const name = pod.metadata.name ?? '';
    const decision = this.#decisions.get(setNameOf(name));
    if (!decision) {
      this.#violated(`pod ${name} is created without a decision`);
      return;
    }
    const { set, currentRevision, updateRevision } = decision;
    const real = this.#truth.sets.get(set.metadata.name);
    if (real?.metadata.uid === set.metadata.uid && !real.status?.currentRevision) {
      this.#violated(`pod ${name} is created, and no current revision is on record`);
    }
    const ordinals = wanted(set);
    const index = ordinals.indexOf(ordinalOf(name));
    if (index < 0) this.#violated(`pod ${name} is created, and not wanted`);
    if (set.spec.podManagementPolicy !== 'Parallel') {
      for (const ordinal of ordinals.slice(0, index)) {
        if (this.#isUp(decision, ordinal)) continue;
        this.#violated(
          `pod ${name} is created, and its predecessor ${nameOf(set, ordinal)} is not available`,
        );
      }
    }
    const revision = pod.metadata.labels?.[REVISION] ?? '';
    if (currentRevision && index < partitionOf(set) && revision !== currentRevision) {
      this.#violated(
        `pod ${name} is created at ${revision}, and below the partition it is ${currentRevision}`,
      );
    }
    if (set.spec.updateStrategy?.type === 'Recreate') {
      for (const other of this.#truth.podsOf(set).values()) {
        if (other.metadata.labels?.[REVISION] === updateRevision) continue;
        this.#violated(`pod ${name} is created, and ${other.metadata.name} of the old revision is not gone`);
      }
    }
  }

  /** The controller deletes a pod. */
  deleting(name: string, uid: string | undefined): void {
    const decision = this.#decisions.get(setNameOf(name));
    const pod = this.#truth.pods.get(name);
    // Gone already, or another one: the API server says so.
    if (!pod || pod.metadata.uid !== uid) return;
    if (!decision) {
      this.#violated(`pod ${name} is deleted without a decision`);
      return;
    }
    const why = this.#whyNotDelete(decision, pod);
    this.#truth.noteDeletion(name, uid);
    if (why) this.#violated(`pod ${name} is deleted, and ${why}`);
  }

  #whyNotDelete(decision: Decision, pod: Stored<Pod>): string | undefined {
    const { set, currentRevision, updateRevision } = decision;
    const { name } = pod.metadata;
    const phase = pod.status?.phase;
    if (phase === 'Failed' || phase === 'Succeeded' || isTerminating(pod)) return undefined;
    const ordinals = wanted(set);
    const index = ordinals.indexOf(ordinalOf(name));
    const isOrdered = set.spec.podManagementPolicy !== 'Parallel';
    const isOutdated = pod.metadata.labels?.[REVISION] !== updateRevision;
    const { type = 'RollingUpdate', rollingUpdate } = set.spec.updateStrategy ?? {};
    if (type === 'Recreate' && isOutdated) return undefined;
    if (index < 0) return isOrdered ? this.#whyNotScaleDown(decision, pod) : undefined;
    if (!isOutdated) return `it is wanted and at the update revision ${updateRevision}`;
    if (type === 'OnDelete') return 'the strategy is OnDelete';
    if (currentRevision && index < partitionOf(set)) return `it is below the partition ${partitionOf(set)}`;
    // A rollout that is stuck on a pod that never was ready replaces it.
    if (isOrdered && this.#truth.couldSeemNeverFit(name, decision.sinceMs)) return undefined;
    if (!isOrdered && wasSeenDown(decision, name)) return undefined;
    const down = ordinals.filter((other) => nameOf(set, other) !== name && !this.#isUp(decision, other));
    const most = absolute(rollingUpdate?.maxUnavailable ?? 1, ordinals.length);
    if (down.length + 1 > most) {
      return `${down.map((each) => nameOf(set, each)).join(', ')} is down, and only ${most} may be`;
    }
    if (!isOrdered) return undefined;
    const sooner = ordinals.slice(index + 1).find((ordinal) => {
      const other = this.#truth.pods.get(nameOf(set, ordinal));
      const revision = other?.metadata.labels?.[REVISION];
      return other && !isTerminating(other) && revision !== updateRevision;
    });
    return sooner === undefined ? undefined : `${nameOf(set, sooner)} is to be updated before it`;
  }

  #whyNotScaleDown(decision: Decision, pod: Stored<Pod>): string | undefined {
    const { set } = decision;
    const ordinals = wanted(set);
    for (const [ordinal, other] of this.#truth.podsOf(set)) {
      if (ordinal <= ordinalOf(pod.metadata.name) || ordinals.includes(ordinal)) continue;
      return `${other.metadata.name} is to go before it`;
    }
    const down = ordinals.find((ordinal) => !this.#isUp(decision, ordinal));
    if (down !== undefined) return `${nameOf(set, down)} is not available`;
    if (!wasSeenDown(decision, pod.metadata.name)) return undefined;
    // Of unhealthy ones that are not wanted, the first goes first; those that have never been fit do not count, nor those
    // that are over.
    for (const [ordinal, other] of this.#truth.podsOf(set)) {
      const name = nameOf(set, ordinal);
      if (ordinal >= ordinalOf(pod.metadata.name) || ordinals.includes(ordinal)) continue;
      if (isPodFinished(other)) continue;
      if (this.#isUp(decision, ordinal) || this.#truth.couldSeemNeverFit(name, decision.sinceMs)) continue;
      return `it is down, and so is ${name} before it`;
    }
    return undefined;
  }

  #isUp({ set, sinceMs }: Decision, ordinal: number): boolean {
    const { minReadySeconds = 0 } = set.spec;
    return this.#truth.couldSeemAvailable(nameOf(set, ordinal), sinceMs, this.#now(), minReadySeconds);
  }
}

/** Whether the controller, when it decided, saw the pod as one that serves nobody. */
function wasSeenDown({ set, seen, atMs }: Decision, name: string): boolean {
  const pod = seen.get(name);
  const ready = pod && conditionOf(pod, 'Ready');
  if (ready?.status !== 'True') return true;
  return Date.parse(ready.lastTransitionTime ?? '') + (set.spec.minReadySeconds ?? 0) * 1000 > atMs;
}

/** The ordinals that a set wants, lowest first. */
export function wanted(set: StatefulSet): number[] {
  const start = set.spec.ordinals?.start ?? 0;
  return Array.from({ length: set.spec.replicas ?? 1 }, (_, index) => start + index);
}

export const nameOf = (set: StatefulSet, ordinal: number): string => `${set.metadata.name}-${ordinal}`;
export const setNameOf = (podName: string): string => podName.slice(0, podName.lastIndexOf('-'));
export const partitionOf = (set: StatefulSet): number =>
  set.spec.updateStrategy?.rollingUpdate?.partition ?? 0;

function absolute(value: number | string, of: number): number {
  const number = typeof value === 'string' ? Math.floor((Number.parseInt(value, 10) * of) / 100) : value;
  return Math.max(1, number);
}
