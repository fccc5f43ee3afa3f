// One probe of one container: when it runs, and what a row of results comes to (kubelet prober/worker.go).

import type { Probe } from '../../api/generated/types.ts';
import type { CancelTimer, Clock } from '../../base/clock.ts';
import type { ProbeKind, ProbeOutcome } from '../pods/decide/observation.ts';
import type { CheckResult } from '../pods/do/node-services.ts';

export interface ProbeOrder {
  clock: Clock;
  kind: ProbeKind;
  probe: Probe;
  startedAtMs: number;
  initial: ProbeOutcome | undefined;
  /** False while the startup probe has not succeeded. */
  mayRun(): boolean;
  check(timeoutMs: number): Promise<CheckResult>;
  changed(): void;
  /** A check that failed, or that errored; `quiet`: too early to bother anybody with it. */
  failed(result: CheckResult, quiet: boolean): void;
  /** A check that succeeded, but with something to say. */
  warned(message: string): void;
}

/** How soon a network readiness probe is tried again while the container starts; doubled up to the period. */
const FIRST_RETRY_MS = 25;
/** For so long after the first check, failures of a starting container are no news. */
const QUIET_MS = 1000;

export class ProbeRunner {
  readonly #order: ProbeOrder;
  #outcome: ProbeOutcome | undefined;
  #last: ProbeOutcome | undefined;
  #run = 0;
  #cancel: CancelTimer | undefined;
  #checking = false;
  #stopped = false;
  #firstCheckAtMs: number | undefined;
  #retryMs = FIRST_RETRY_MS;
  #everSucceeded = false;

  constructor(order: ProbeOrder) {
    this.#order = order;
    // A container is alive until it is shown not to be, and not ready until it is shown to be.
    this.#outcome = order.initial ?? (order.kind === 'liveness' ? 'success' : undefined);
    this.#everSucceeded = order.initial === 'success';
  }

  get outcome(): ProbeOutcome | undefined {
    return this.#outcome;
  }

  start(): void {
    const { clock, probe, startedAtMs } = this.#order;
    const due = startedAtMs + (probe.initialDelaySeconds ?? 0) * 1000;
    this.#schedule(Math.max(0, due - clock.now()));
  }

  /** What it waited for may have happened. */
  poke(): void {
    if (this.#stopped || this.#checking || this.#firstCheckAtMs !== undefined) return;
    this.#cancel?.();
    this.start();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #schedule(delayMs: number): void {
    this.#cancel = this.#order.clock.after(delayMs, () => void this.#check());
  }

  async #check(): Promise<void> {
    const { clock, failed, kind, mayRun, probe, warned } = this.#order;
    const periodMs = (probe.periodSeconds ?? 10) * 1000;
    if (this.#stopped) return;
    // Its time has come, but the container counts as not started: poke() starts it, the period is a safety net.
    if (!mayRun()) return this.#schedule(periodMs);
    this.#firstCheckAtMs ??= clock.now();
    this.#checking = true;
    const result = await this.#order.check((probe.timeoutSeconds ?? 1) * 1000);
    this.#checking = false;
    if (this.#stopped) return;
    if (!result.ok) {
      const early = this.#isQuick() && clock.now() - this.#firstCheckAtMs < QUIET_MS;
      failed(result, early);
    } else if (result.warning !== undefined) {
      warned(result.warning);
    }
    // A check that errored counts for neither side: a container is not killed for the trouble of its runtime.
    if (result.errored === undefined) this.#take(result.ok ? 'success' : 'failure');
    // A failed startup or liveness probe has spoken: the container is going to be stopped.
    if (this.#stopped || (kind === 'startup' && this.#outcome !== undefined)) return;
    if (kind === 'liveness' && this.#outcome === 'failure') return;
    if (!result.ok && this.#isQuick()) {
      const delay = Math.min(this.#retryMs, periodMs);
      this.#retryMs *= 2;
      return this.#schedule(delay);
    }
    this.#schedule(periodMs);
  }

  /** While a container starts, its readiness over the network is asked more often, so that it is seen at once. */
  #isQuick(): boolean {
    return this.#order.kind === 'readiness' && !this.#everSucceeded && this.#order.probe.exec === undefined;
  }

  #take(outcome: ProbeOutcome): void {
    const { changed, probe } = this.#order;
    this.#run = outcome === this.#last ? this.#run + 1 : 1;
    this.#last = outcome;
    const threshold = outcome === 'success' ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
    if (this.#run < threshold) return;
    if (outcome === 'success') this.#everSucceeded = true;
    if (this.#outcome === outcome) return;
    this.#outcome = outcome;
    changed();
  }
}
