// Carries out the actions of a pod's plan, each at most once at a time, and writes down what came of it. When one
// has ended, the worker looks again.
import { setMaxListeners } from 'node:events';
import { isConflict, isNotFound } from '../../../api/errors.ts';
import type { Container, Pod } from '../../../api/generated/types.ts';
import type { Stored } from '../../../api/objects.ts';
import { pods } from '../../../api/resources/pods/definition.ts';
import { runtimeClasses } from '../../../api/resources/runtime-classes/definition.ts';
import { assertNever } from '../../../base/assert-never.ts';
import { sleep } from '../../../base/clock.ts';
import { errorText } from '../../../base/error-text.ts';
import { VolumeNotReadyError } from '../../volumes/volumes.ts';
import { doubled } from '../decide/backoff.ts';
import type { Action, Failure, StopStep } from '../decide/observation.ts';
import { ephemeralContainers, everyContainer } from '../decide/view.ts';
import { resourcesOf } from '../spec/container-spec.ts';
import { podLogDirectory, sandboxSpecOf } from '../spec/sandbox-spec.ts';
import { ensureImage } from './image-puller.ts';
import type { NodeServices } from './node-services.ts';
import { ContainerStartError, type StartOrder, startContainer } from './start-container.ts';
import { runPreStop } from './stop-container.ts';
import type { WorkerState } from './worker-state.ts';

export interface ActionHost {
  pod(): Stored<Pod>;
  /** Resolves when the API has the last status. */
  flushStatus(): Promise<void>;
  wake(): void;
}

/** How long a step that failed waits at first and at most. */
const RETRIES = {
  sandbox: { firstMs: 1000, maxMs: 30_000 },
  volumes: { firstMs: 500, maxMs: 15_000 },
  start: { firstMs: 2000, maxMs: 10_000 },
  resize: { firstMs: 2000, maxMs: 30_000 },
  other: { firstMs: 1000, maxMs: 30_000 },
} as const;
/** Those whose failure keeps a pod from ending. */
const KILLS: ReadonlySet<Action['type']> = new Set([
  'stopContainer',
  'stopSooner',
  'stopSandbox',
  'removeAll',
]);

/** Each container of the pod listens to it, for as long as it waits: there may be many, which Node would take for a leak. */
function sharedSignal(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

export class ActionRunner {
  readonly #services: NodeServices;
  readonly #state: WorkerState;
  readonly #host: ActionHost;
  readonly #abort = sharedSignal();
  /** By the actions' keys, of those that failed the last time. */
  readonly #failures = new Map<string, { message: string; delayMs: number }>();
  #starts = sharedSignal();
  /** By container ID: ends the wait for a preStop hook. */
  readonly #hooks = new Map<string, AbortController>();

  constructor(services: NodeServices, state: WorkerState, host: ActionHost) {
    this.#services = services;
    this.#state = state;
    this.#host = host;
  }

  /** Pulls under way are given up; everything else ends by itself. */
  close(): void {
    this.#abort.abort();
    this.giveUpStarts();
  }

  /** What containers still wait for before they run is not waited for any more: images, postStart hooks. */
  giveUpStarts(): void {
    this.#starts.abort();
    this.#starts = sharedSignal();
  }

  start(action: Action, pod: Stored<Pod>): void {
    const { busy } = this.#state;
    busy.add(action.key);
    this.#run(action, pod)
      .then(
        () => void this.#failures.delete(action.key),
        (error: unknown) => {
          if (this.#abort.signal.aborted) return;
          // A key that stays busy for a moment keeps the plan from asking at once.
          return sleep(this.#services.clock, this.#noteFailure(action, pod, error), this.#abort.signal);
        },
      )
      .finally(() => {
        busy.delete(action.key);
        this.#host.wake();
      });
  }

  /** @returns how long to wait before the plan may ask for it again, ms. */
  #noteFailure(action: Action, pod: Stored<Pod>, error: unknown): number {
    const { events, log } = this.#services;
    const message = errorText(error);
    const before = this.#failures.get(action.key);
    if (before?.message !== message) {
      log.error('an action of a pod failed, trying again', error, {
        pod: `${pod.metadata.namespace}/${pod.metadata.name}`,
        action: action.type,
      });
    }
    if (KILLS.has(action.type)) {
      const killing = `error killing pod: ${message}`;
      events.record(pod, { type: 'Warning', reason: 'FailedKillPod', message: killing });
    }
    const { firstMs, maxMs } = RETRIES.other;
    const delayMs = before === undefined ? firstMs : doubled(before.delayMs, maxMs);
    this.#failures.set(action.key, { message, delayMs });
    return delayMs;
  }

  /** Asks the runtime about everything that it is known to have of the pod. */
  async refresh(): Promise<void> {
    const { containers, removed, sandboxes } = this.#state;
    if (removed) return;
    const { runtime } = this.#services;
    const changing = [...containers.values()].filter((container) => container.state !== 'exited');
    await Promise.all([
      ...[...sandboxes.keys()].map(async (id) => {
        const sandbox = await runtime.sandbox(id);
        if (sandbox) sandboxes.set(id, sandbox);
        else sandboxes.delete(id);
      }),
      ...changing.map((container) => this.#refreshContainer(container.id)),
    ]);
  }

  async #refreshContainer(id: string): Promise<void> {
    const { containers, terminationMessages } = this.#state;
    const container = await this.#services.runtime.container(id);
    if (container === undefined) {
      containers.delete(id);
      this.#stopped(id);
      return;
    }
    if (container.state === 'exited') this.#stopped(id);
    if (container.state === 'exited' && !terminationMessages.has(id)) {
      terminationMessages.set(
        id,
        await this.#lastWords(container.name, container.attempt, container.exitCode),
      );
    }
    containers.set(id, container);
  }

  async #lastWords(name: string, attempt: number, exitCode: number): Promise<string> {
    const pod = this.#host.pod();
    const { files, logDirectory } = this.#services;
    const written = await files.readTerminationLog(pod.metadata.uid, name, attempt);
    const spec = everyContainer(pod).find((container) => container.name === name);
    if (written !== '' || exitCode === 0 || spec?.terminationMessagePolicy !== 'FallbackToLogsOnError') {
      return written;
    }
    return files.logTail(`${podLogDirectory(logDirectory, identityOf(pod))}/${name}/${attempt}.log`);
  }

  async #run(action: Action, pod: Stored<Pod>): Promise<void> {
    switch (action.type) {
      case 'runSandbox':
        return this.#runSandbox(action, pod);
      case 'stopSandbox':
        await this.#services.runtime.stopSandbox(action.id);
        this.#state.stoppedSandboxes.add(action.id);
        return this.refresh();
      case 'setUpVolumes':
        return this.#setUpVolumes(pod);
      case 'tearDownVolumes':
        return this.#tearDownVolumes(pod);
      case 'ensureImage':
        return this.#ensureImage(action, pod);
      case 'startContainer':
        return this.#startContainer(action, pod);
      case 'beginStop':
        return this.#beginStop(action, pod);
      case 'stopContainer':
        return this.#stopContainer(action, pod);
      case 'stopSooner':
        return this.#stopSooner(action);
      case 'resizeContainer':
        return this.#resizeContainer(action, pod);
      case 'removeContainer':
        return this.#removeRun(action.id);
      case 'removeAll':
        return this.#removeAll(pod);
      case 'deleteObject':
        return this.#deleteObject(pod);
      default:
        assertNever(action);
    }
  }

  async #beginStop(step: StopStep, pod: Stored<Pod>): Promise<void> {
    this.#noteStop(step, pod);
    const spec = this.#spec(pod, step.container);
    if (spec?.lifecycle?.preStop === undefined) return;
    const { clock, nodeIps } = this.#services;
    const sandboxIp = [...this.#state.sandboxes.values()].at(-1)?.ips[0] ?? '';
    const podIp = pod.spec.hostNetwork ? (nodeIps[0] ?? '') : sandboxIp;
    const nobodyWaits = new AbortController();
    this.#hooks.set(step.id, nobodyWaits);
    const left = step.deadlineMs - clock.now();
    await runPreStop(this.#services, pod, spec, step.id, podIp, left, nobodyWaits.signal);
    this.#hooks.delete(step.id);
  }

  async #stopContainer(step: StopStep, pod: Stored<Pod>): Promise<void> {
    const { deadlineMs, graceSeconds, id } = step;
    this.#noteStop(step, pod);
    this.#hooks.get(id)?.abort();
    this.#state.stopping.set(id, { deadlineMs, signalledUntilMs: deadlineMs });
    await this.#services.runtime.stopContainer(id, graceSeconds);
    return this.#refreshContainer(id);
  }

  async #stopSooner({ deadlineMs, graceSeconds, id }: StopStep): Promise<void> {
    const { stopping } = this.#state;
    const before = stopping.get(id);
    stopping.set(id, { deadlineMs, signalledUntilMs: deadlineMs });
    try {
      await this.#services.runtime.stopContainer(id, graceSeconds);
    } catch (error) {
      // What the runtime still goes by, so that it is told again.
      if (before !== undefined && stopping.has(id)) stopping.set(id, before);
      throw error;
    }
  }

  /** The first step of stopping a container: its grace period begins, and the pod's events say so. */
  #noteStop({ container, deadlineMs, id, message }: StopStep, pod: Stored<Pod>): void {
    const { stopping } = this.#state;
    if (stopping.has(id)) return;
    stopping.set(id, { deadlineMs, signalledUntilMs: undefined });
    this.#services.events.record(pod, { type: 'Normal', reason: 'Killing', message, container });
  }

  #spec(pod: Pod, name: string): Container | undefined {
    return everyContainer(pod).find((container) => container.name === name);
  }

  #failure(
    before: Failure | undefined,
    retry: { firstMs: number; maxMs: number },
    error: unknown,
    reason: string,
  ): Failure {
    const failedAtMs = this.#services.clock.now();
    const delay = before ? doubled(before.retryAtMs - before.failedAtMs, retry.maxMs) : retry.firstMs;
    return { reason, message: errorText(error), failedAtMs, retryAtMs: failedAtMs + delay };
  }

  async #runSandbox(action: Extract<Action, { type: 'runSandbox' }>, pod: Stored<Pod>): Promise<void> {
    const { events, nodeName, runtime } = this.#services;
    const state = this.#state;
    if (action.replaced.length > 0) {
      const message = 'Pod sandbox changed, it will be killed and re-created.';
      events.record(pod, { type: 'Normal', reason: 'SandboxChanged', message });
      for (const id of action.replaced) {
        await runtime.stopSandbox(id);
        state.stoppedSandboxes.add(id);
      }
      await this.refresh();
    }
    try {
      const spec = {
        ...sandboxSpecOf(pod, action.attempt, this.#services, nodeName),
        runtimeHandler: await this.#runtimeHandler(pod),
      };
      const sandbox = await runtime.runSandbox(spec);
      state.sandboxes.set(sandbox.id, sandbox);
      state.sandboxSpecs.set(sandbox.id, spec);
      state.sandboxFailure = undefined;
    } catch (error) {
      state.sandboxFailure = this.#failure(
        state.sandboxFailure,
        RETRIES.sandbox,
        error,
        'FailedCreatePodSandBox',
      );
      const message = `Failed to create pod sandbox: ${errorText(error)}`;
      events.record(pod, { type: 'Warning', reason: 'FailedCreatePodSandBox', message });
      await this.#rediscover(pod);
    }
  }

  /** What the pod's RuntimeClass names; a class that has gone since keeps it from running with less isolation. */
  async #runtimeHandler({ spec: { runtimeClassName: name } }: Pod): Promise<string> {
    if (name === undefined) return '';
    const { handler } = await this.#services.client.get(runtimeClasses, { name });
    return handler;
  }

  /** A call of an agent that was killed may have gone through after all: what it made is taken over, not made again. */
  async #rediscover(pod: Stored<Pod>): Promise<void> {
    const { containers, sandboxes } = this.#state;
    const { runtime } = this.#services;
    const ours = (found: { podUid: string }): boolean => found.podUid === pod.metadata.uid;
    for (const sandbox of (await runtime.listSandboxes()).filter(ours)) sandboxes.set(sandbox.id, sandbox);
    for (const container of (await runtime.listContainers()).filter(ours)) {
      containers.set(container.id, container);
    }
  }

  async #setUpVolumes(pod: Stored<Pod>): Promise<void> {
    const state = this.#state;
    try {
      state.readyVolumes = await this.#services.volumes.setUp(pod, this.#starts.signal);
      state.volumes = { state: 'ready' };
    } catch (error) {
      const reason = error instanceof VolumeNotReadyError ? error.reason : 'FailedMount';
      const before = state.volumes.state === 'failed' ? state.volumes : undefined;
      state.volumes = { state: 'failed', ...this.#failure(before, RETRIES.volumes, error, reason) };
      this.#services.events.record(pod, { type: 'Warning', reason, message: errorText(error) });
    }
  }

  async #tearDownVolumes(pod: Stored<Pod>): Promise<void> {
    const state = this.#state;
    try {
      await this.#services.volumes.tearDown(pod.metadata.uid);
      state.volumes = { state: 'down' };
      state.readyVolumes = new Map();
    } catch (error) {
      const before =
        state.volumes.state === 'failed' && state.volumes.reason === 'FailedUnmount'
          ? state.volumes
          : undefined;
      state.volumes = { state: 'failed', ...this.#failure(before, RETRIES.volumes, error, 'FailedUnmount') };
      this.#services.events.record(pod, {
        type: 'Warning',
        reason: 'FailedUnmount',
        message: errorText(error),
      });
    }
  }

  async #ensureImage(action: Extract<Action, { type: 'ensureImage' }>, pod: Stored<Pod>): Promise<void> {
    const spec = this.#spec(pod, action.container);
    if (spec === undefined) return;
    const { images } = this.#state;
    const known = images.get(spec.name);
    const before = known?.name === (spec.image ?? '') ? known : undefined;
    const { signal } = this.#starts;
    const found = await ensureImage(this.#services, pod, spec, before, action.mayPull, signal);
    if (found !== undefined) images.set(spec.name, found);
  }

  async #startContainer(
    action: Extract<Action, { type: 'startContainer' }>,
    pod: Stored<Pod>,
  ): Promise<void> {
    const state = this.#state;
    const container = this.#spec(pod, action.container);
    const sandbox = state.sandboxes.get(action.sandboxId);
    if (container === undefined || sandbox === undefined) return;
    if (action.backoff) state.backoffs.set(action.container, action.backoff);
    // The next start asks for the image again: policy Always pulls each time.
    state.images.delete(action.container);
    const sandboxSpec =
      state.sandboxSpecs.get(sandbox.id) ??
      sandboxSpecOf(pod, sandbox.attempt, this.#services, this.#services.nodeName);
    const before = state.startFailures.get(action.container);
    let created: string | undefined;
    try {
      await startContainer(this.#services, pod, {
        container,
        attempt: action.attempt,
        image: action.image,
        sandbox,
        sandboxSpec,
        volumes: state.readyVolumes,
        target: this.#targetOf(pod, container.name, sandbox.id),
        signal: this.#starts.signal,
        created: (id) => {
          created = id;
          state.applied.set(id, container.resources ?? {});
        },
        started: async (id) => {
          // It may be over before this start is: what is seen of it then is not to be taken for the failure before.
          state.startFailures.delete(action.container);
          await this.#refreshContainer(id);
          this.#host.wake();
        },
      });
    } catch (error) {
      const reason = error instanceof ContainerStartError ? error.reason : 'RunContainerError';
      const failure = this.#failure(before, RETRIES.start, error, reason);
      state.startFailures.set(action.container, failure);
      if (created !== undefined) await this.#refreshContainer(created);
      else if (reason === 'CreateContainerError') await this.#rediscover(pod);
    }
    await this.#removeOldRuns(action.container, created);
  }

  /** The container whose processes an ephemeral container is to see, if it names one. */
  #targetOf(pod: Pod, name: string, sandboxId: string): StartOrder['target'] {
    const spec = ephemeralContainers(pod).find((container) => container.name === name);
    if (!spec?.targetContainerName) return undefined;
    const running = [...this.#state.containers.values()].find(
      (container) =>
        container.name === spec.targetContainerName &&
        container.sandboxId === sandboxId &&
        container.state === 'running',
    );
    return { name: spec.targetContainerName, id: running?.id };
  }

  /** Of runs that are over the last one is kept, for its logs and its exit code. */
  async #removeOldRuns(name: string, current: string | undefined): Promise<void> {
    const old = [...this.#state.containers.values()]
      .filter(
        (container) => container.name === name && container.id !== current && container.state === 'exited',
      )
      .sort((a, b) => b.attempt - a.attempt)
      .slice(1);
    for (const { id } of old) await this.#removeRun(id);
  }

  /** A container that crashes for a year does not leave a year's logs. */
  async #removeRun(id: string): Promise<void> {
    const { files, logDirectory, runtime } = this.#services;
    const pod = this.#host.pod();
    const run = this.#state.containers.get(id);
    if (run) {
      const logs = podLogDirectory(logDirectory, identityOf(pod));
      await files.removeRun(pod.metadata.uid, logs, run.name, run.attempt);
    }
    await runtime.removeContainer(id);
    this.#forgetContainer(id);
  }

  /** A container that is over is not being stopped any more, nor is its hook waited for. */
  #stopped(id: string): void {
    this.#hooks.get(id)?.abort();
    this.#state.stopping.delete(id);
  }

  #forgetContainer(id: string): void {
    const { applied, containers, resizeFailures } = this.#state;
    this.#stopped(id);
    containers.delete(id);
    applied.delete(id);
    resizeFailures.delete(id);
  }

  async #resizeContainer(
    { container: name, id }: Extract<Action, { type: 'resizeContainer' }>,
    pod: Stored<Pod>,
  ): Promise<void> {
    const { events, machine, runtime } = this.#services;
    const { applied, resizeFailures } = this.#state;
    const container = this.#spec(pod, name);
    if (container === undefined) return;
    try {
      await runtime.updateResources(id, resourcesOf(pod, container, machine.memoryBytes));
      applied.set(id, container.resources ?? {});
      resizeFailures.delete(id);
    } catch (error) {
      const failure = this.#failure(resizeFailures.get(id), RETRIES.resize, error, 'ResizeError');
      resizeFailures.set(id, failure);
      events.record(pod, {
        type: 'Warning',
        reason: 'ResizeError',
        message: `Pod resize error: container ${name}: ${failure.message}`,
        container: name,
      });
    }
  }

  async #removeAll(pod: Stored<Pod>): Promise<void> {
    const { files, logDirectory, runtime } = this.#services;
    for (const id of this.#state.sandboxes.keys()) await runtime.removeSandbox(id);
    await files.remove(pod.metadata.uid, podLogDirectory(logDirectory, identityOf(pod)));
    // The records stay, so that the last status still says how the containers ended.
    this.#state.removed = true;
  }

  async #deleteObject(pod: Stored<Pod>): Promise<void> {
    await this.#host.flushStatus();
    const { namespace, name, uid } = pod.metadata;
    try {
      await this.#services.client.delete(
        pods,
        { namespace, name },
        { gracePeriodSeconds: 0, preconditions: { uid } },
      );
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
    this.#state.objectDeleted = true;
  }
}

function identityOf(pod: Stored<Pod>): { namespace: string; name: string; uid: string } {
  const { namespace = '', name, uid } = pod.metadata;
  return { namespace, name, uid };
}
