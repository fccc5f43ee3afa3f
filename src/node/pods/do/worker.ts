// The worker of one pod: looks, asks `planPod`, starts what it says, writes the status, and looks again when
// something has happened. All decisions are in the plan; each action is in a file of its own.

import type { Pod, PodStatus } from '../../../api/generated/types.ts';
import type { Stored } from '../../../api/objects.ts';
import { type CancelTimer, sleep } from '../../../base/clock.ts';
import { restAfter } from '../../../base/rest.ts';
import { idWithin } from '../../container-id.ts';
import { PodProbes } from '../../probes/pod-probes.ts';
import type { Container, Sandbox } from '../../runtime.ts';
import { doubled } from '../decide/backoff.ts';
import type { Ending, Eviction, PodObservation } from '../decide/observation.ts';
import { planPod } from '../decide/plan.ts';
import { type Allocation, allocationOf, whyNotResized, withAllocation } from '../decide/resize.ts';
import { allContainers, graceSecondsOf, isLarge, reportedStatuses, viewOf } from '../decide/view.ts';
import { StatusWriter } from '../status/status-writer.ts';
import { ActionRunner } from './execute.ts';
import type { NodeServices } from './node-services.ts';
import { eventsOfTransition, resizeEvent } from './pod-events.ts';
import { refreshVolumes } from './volume-refresh.ts';
import { newWorkerState, type WorkerState } from './worker-state.ts';

/** How long a look that failed waits at first and at most. */
const RETRY = { firstMs: 1000, maxMs: 15_000 };

export interface Adopted {
  sandboxes: readonly Sandbox[];
  containers: readonly Container[];
}

export class PodWorker {
  readonly #services: NodeServices;
  readonly #state: WorkerState;
  readonly #probes: PodProbes;
  readonly #writer: StatusWriter;
  readonly #actions: ActionRunner;
  readonly #others: () => Iterable<Pod>;
  #pod: Stored<Pod>;
  #allocated: { pod: Stored<Pod>; allocation: Allocation; result: Stored<Pod> } | undefined;
  #timer: CancelTimer | undefined;
  #looking = false;
  #lookAgain = false;
  /** Of the last look, if it failed; the same is not said again. */
  #lookFailure: { delayMs: number; said: string } | undefined;
  #runtimeChanged = true;
  #terminating = false;
  #closed = false;
  readonly #end = new AbortController();
  #ended: (() => void)[] = [];

  /**
   * @param rejection why the node does not take the pod at all.
   * @param others the node's other pods that are not over, with the resources that they have been given.
   */
  constructor(
    services: NodeServices,
    pod: Stored<Pod>,
    adopted: Adopted,
    rejection: { reason: string; message: string } | undefined,
    others: () => Iterable<Pod>,
  ) {
    this.#services = services;
    this.#pod = pod;
    this.#state = newWorkerState(pod, adopted);
    this.#others = others;
    this.#state.rejection = rejection;
    this.#writer = new StatusWriter(services.client, services.clock, services.log, pod, (stored) =>
      this.update(stored),
    );
    this.#probes = new PodProbes({
      clock: services.clock,
      runtime: services.runtime,
      checks: services.checks,
      changed: () => this.wake(),
      record: (event) => services.events.record(this.#pod, event),
    });
    this.#actions = new ActionRunner(services, this.#state, {
      pod: () => this.#pod,
      flushStatus: () => this.#writer.flush(),
      wake: () => this.wake(),
    });
    this.#seedProbes(adopted.containers);
    this.#noticeDeletion(pod);
  }

  get pod(): Stored<Pod> {
    return this.#pod;
  }

  /** The pod with the resources that it has been given. */
  get allocatedPod(): Stored<Pod> {
    const pod = this.#pod;
    const { allocation } = this.#state;
    // Asked for several times in every look, and nearly always the pod as it is.
    if (this.#allocated?.pod !== pod || this.#allocated.allocation !== allocation) {
      this.#allocated = { pod, allocation, result: withAllocation(pod, allocation) };
    }
    return this.#allocated.result;
  }

  /** What runs of the pod, as last seen. */
  get state(): Readonly<
    Pick<
      WorkerState,
      'containers' | 'sandboxes' | 'removed' | 'ending' | 'eviction' | 'reclaimed' | 'rejection'
    >
  > {
    return this.#state;
  }

  /** The object has changed in the API. */
  update(pod: Stored<Pod>): void {
    const { resourceVersion } = this.#pod.metadata;
    // A status that was written comes back twice: as the answer, and by the watch.
    if (pod.metadata.resourceVersion === resourceVersion) return;
    if (Number(pod.metadata.resourceVersion) < Number(resourceVersion)) return;
    this.#pod = pod;
    this.#writer.observe(pod);
    this.#noticeDeletion(pod);
    this.wake();
  }

  /** The runtime may have news of the pod. */
  runtimeChanged(): void {
    this.#runtimeChanged = true;
    this.wake();
  }

  /** What a list of everything in the runtime found of the pod: also what this worker never heard of. */
  relisted(found: Adopted): void {
    // Thousands of pods at rest are not looked at again because nothing has happened to them.
    if (this.#state.busy.size > 0 || this.#state.removed || this.#knows(found)) return;
    for (const sandbox of found.sandboxes) this.#state.sandboxes.set(sandbox.id, sandbox);
    for (const container of found.containers) this.#state.containers.set(container.id, container);
    this.runtimeChanged();
  }

  /** Whether all that was found, and nothing else, is what was seen last. */
  #knows(found: Adopted): boolean {
    const { containers, sandboxes } = this.#state;
    return (
      found.sandboxes.length === sandboxes.size &&
      found.containers.length === containers.size &&
      found.sandboxes.every(({ id, ready }) => sandboxes.get(id)?.ready === ready) &&
      found.containers.every(({ id, state }) => containers.get(id)?.state === state)
    );
  }

  /** Brings what its volumes say up to date, if that is due. Never rejects. */
  async refreshVolumes(): Promise<void> {
    if (this.#closed || !(await refreshVolumes(this.#services, this.#state, this.allocatedPod))) return;
    // What has to be taken down has waited.
    if (this.#terminating) this.wake();
  }

  /**
   * Ends the pod within a grace period that begins now, or earlier if its end has begun already.
   * @returns resolves when nothing of it runs, or, unless it is a shutdown, is left.
   */
  end(cause: Ending['cause'], graceSeconds: number): Promise<void> {
    this.#setEnding({ cause, graceSeconds, deadlineMs: this.#deadlineIn(graceSeconds) });
    return new Promise((resolve) => {
      this.#ended.push(resolve);
      this.wake();
    });
  }

  /** The node cannot keep the pod: it fails, and all that it has on the node but its object goes. */
  evict(eviction: Eviction): void {
    if (this.#state.eviction !== undefined) return;
    this.#state.eviction = eviction;
    this.wake();
  }

  /** Removes what a pod that is over has left in the runtime. */
  reclaim(): void {
    if (this.#state.reclaimed) return;
    this.#state.reclaimed = true;
    this.wake();
  }

  /** The agent goes away and leaves everything as it runs. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#end.abort();
    this.#timer?.();
    this.#probes.stop();
    this.#actions.close();
    this.#writer.close();
    await this.#writer.flush();
  }

  wake(): void {
    if (this.#closed) return;
    this.#lookAgain = true;
    if (this.#looking) return;
    this.#looking = true;
    queueMicrotask(() => void this.#lookUntilQuiet());
  }

  async #lookUntilQuiet(): Promise<void> {
    while (this.#lookAgain && !this.#closed) {
      this.#lookAgain = false;
      const startedMs = this.#services.clock.now();
      try {
        await this.#look();
        this.#lookFailure = undefined;
      } catch (error) {
        this.#lookFailed(error);
      }
      await this.#rest(startedMs);
    }
    this.#looking = false;
  }

  /** A pod so large that looking at it takes its time is not looked at without pause. */
  async #rest(startedMs: number): Promise<void> {
    if (!isLarge(this.#pod)) return;
    const { clock } = this.#services;
    const restMs = restAfter(clock.now() - startedMs);
    if (restMs > 0) await sleep(clock, restMs, this.#end.signal);
  }

  #lookFailed(error: unknown): void {
    const before = this.#lookFailure;
    const said = String(error);
    const delayMs = before === undefined ? RETRY.firstMs : doubled(before.delayMs, RETRY.maxMs);
    if (before?.said !== said) {
      const { namespace, name } = this.#pod.metadata;
      this.#services.log.error('looking after a pod failed, trying again', error, {
        pod: `${namespace}/${name}`,
      });
    }
    this.#lookFailure = { delayMs, said };
    // What the runtime did not tell this time.
    this.#runtimeChanged = true;
    this.#wakeIn(delayMs);
  }

  async #look(): Promise<void> {
    if (this.#runtimeChanged) {
      this.#runtimeChanged = false;
      await this.#actions.refresh();
    }
    this.#resize();
    const observed = this.#observe();
    const plan = planPod(observed);
    this.#terminating = plan.terminating;
    if (plan.terminating) this.#actions.giveUpStarts();
    this.#syncProbes(observed, plan.terminating);
    this.#publish(plan.status);
    const pod = this.allocatedPod;
    for (const action of plan.actions) this.#actions.start(action, pod);
    this.#timer?.();
    this.#timer = undefined;
    if (plan.wakeAtMs !== undefined) this.#wakeIn(plan.wakeAtMs - this.#services.clock.now());
    if (this.#state.ending !== undefined && plan.actions.length === 0 && this.#state.busy.size === 0) {
      const isOver =
        this.#state.ending.cause === 'shutdown' ? plan.wakeAtMs === undefined : this.#state.removed;
      if (isOver) for (const resolve of this.#ended.splice(0)) resolve();
    }
  }

  /** Gives the pod the resources that its spec asks for now, if the node can. */
  #resize(): void {
    const { events, machine } = this.#services;
    const state = this.#state;
    const before = state.resizePending;
    if (this.allocatedPod === this.#pod || state.ending !== undefined) {
      state.resizePending = undefined;
      return;
    }
    state.resizePending = whyNotResized(this.#pod, machine, this.#others);
    const told =
      before?.reason === state.resizePending?.reason && before?.message === state.resizePending?.message;
    if (state.resizePending === undefined) {
      state.allocation = allocationOf(this.#pod);
      state.resizeFailures.clear();
    }
    if (state.resizePending === undefined || !told) {
      events.record(this.#pod, resizeEvent(this.#pod, state.resizePending));
    }
  }

  #wakeIn(delayMs: number): void {
    this.#timer?.();
    this.#timer = this.#services.clock.after(Math.max(0, delayMs), () => this.wake());
  }

  #observe(): PodObservation {
    const state = this.#state;
    const { clock, nodeIps, runtime } = this.#services;
    const heldUnready = this.#services.heldUnready?.(this.#pod);
    // Field by field: it is made some ten times for every pod that starts, and a spread takes four times as long.
    return {
      stoppedSandboxes: state.stoppedSandboxes,
      sandboxFailure: state.sandboxFailure,
      volumes: state.volumes,
      images: state.images,
      startFailures: state.startFailures,
      backoffs: state.backoffs,
      applied: state.applied,
      resizeFailures: state.resizeFailures,
      resizePending: state.resizePending,
      terminationMessages: state.terminationMessages,
      stopping: state.stopping,
      busy: state.busy,
      ending: state.ending,
      rejection: state.rejection,
      eviction: state.eviction,
      reclaimed: state.reclaimed,
      removed: state.removed,
      objectDeleted: state.objectDeleted,
      pod: withAllocation(this.#withOwnStatus(), state.allocation),
      sandboxes: [...state.sandboxes.values()],
      containers: [...state.containers.values()],
      probe: (id, kind) => this.#probes.outcome(id, kind),
      probeMessage: (id) => heldUnready ?? this.#probes.complaint(id),
      heldUnready,
      runtimeName: runtime.name,
      nodeIps,
      now: clock.now(),
    };
  }

  /** The pod with the status that this worker computed last, which the API may not have yet. */
  #withOwnStatus(): Stored<Pod> {
    const { status } = this.#state;
    const api = this.#pod.status;
    // That the pod is over is final, whoever said it. What was written last may still be on its way back: to start
    // from what the API has, and it from what was written, would go on for ever.
    const isOver = api?.phase === 'Failed' || api?.phase === 'Succeeded';
    if (status === undefined || (isOver && status.phase !== api.phase)) return this.#pod;
    const types = new Set(status.conditions?.map((condition) => condition.type));
    const others = (api?.conditions ?? []).filter((condition) => !types.has(condition.type));
    const gates = new Set(this.#pod.spec.readinessGates?.map((gate) => gate.conditionType));
    const own = (status.conditions ?? []).filter((condition) => !gates.has(condition.type));
    const theirs = (api?.conditions ?? []).filter((condition) => gates.has(condition.type));
    const conditions = [...own, ...theirs, ...others.filter((other) => !gates.has(other.type))];
    return { ...this.#pod, status: { ...status, conditions } };
  }

  #publish(status: PodStatus): void {
    // What its containers came to is not forgotten because they have been removed, nor written to an object that is gone.
    for (const event of eventsOfTransition(this.#pod, this.#state.status ?? this.#pod.status, status)) {
      this.#services.events.record(this.#pod, event);
    }
    this.#state.status = status;
    if (this.#state.ending?.cause !== 'removed') this.#writer.set(status);
  }

  #syncProbes(observed: PodObservation, terminating: boolean): void {
    const view = viewOf(observed);
    const targets = allContainers(this.#pod).flatMap((container) => {
      const current = view.current(container.name);
      return current?.state === 'running'
        ? [{ container, id: current.id, startedAtMs: current.startedAtMs }]
        : [];
    });
    const podIps = this.#pod.spec.hostNetwork ? this.#services.nodeIps : (view.usable?.ips ?? []);
    const podIp = podIps[0] ?? '';
    this.#probes.sync(targets, podIp, terminating);
  }

  /** A container that was ready when the last agent went is ready until a probe says otherwise. */
  #seedProbes(containers: readonly Container[]): void {
    const reported = new Map(
      reportedStatuses(this.#pod).map((status) => [idWithin(status.containerID ?? ''), status]),
    );
    for (const { id } of containers) {
      const status = reported.get(id);
      if (status?.started) this.#probes.seed(id, 'startup', 'success');
      if (status?.ready) this.#probes.seed(id, 'readiness', 'success');
    }
  }

  #noticeDeletion(pod: Stored<Pod>): void {
    const { deletionGracePeriodSeconds, deletionTimestamp } = pod.metadata;
    if (deletionTimestamp === undefined) return;
    const graceSeconds = Math.max(1, deletionGracePeriodSeconds ?? graceSecondsOf(pod));
    // The time is that of the request and the grace period, cut to whole seconds, which is given back.
    const deadlineMs = Math.min(Date.parse(deletionTimestamp) + 1000, this.#deadlineIn(graceSeconds));
    this.#setEnding({ cause: 'deleted', graceSeconds, deadlineMs });
  }

  #deadlineIn(graceSeconds: number): number {
    return this.#services.clock.now() + graceSeconds * 1000;
  }

  #setEnding(ending: Ending): void {
    const before = this.#state.ending;
    if (before?.cause === 'removed') return;
    this.#state.ending = {
      cause: before?.cause === 'deleted' && ending.cause === 'shutdown' ? 'deleted' : ending.cause,
      graceSeconds: Math.min(ending.graceSeconds, before?.graceSeconds ?? ending.graceSeconds),
      deadlineMs: Math.min(ending.deadlineMs, before?.deadlineMs ?? ending.deadlineMs),
    };
  }
}
