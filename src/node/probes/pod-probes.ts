// The probes of one pod: one runner for each probe of each running container, their results, and a word to the
// worker when a result changes (kubelet prober/prober_manager.go). How a check is made is in run-probe.ts.

import type { Container, Probe } from '../../api/generated/types.ts';
import type { Clock } from '../../base/clock.ts';
import type { ProbeKind, ProbeOutcome } from '../pods/decide/observation.ts';
import type { NetworkChecks } from '../pods/do/node-services.ts';
import type { PodEvent } from '../pods/do/pod-events.ts';
import type { Runtime } from '../runtime.ts';
import { ProbeRunner } from './probe-runner.ts';
import { runProbe } from './run-probe.ts';

/** A running container whose probes are due. */
export interface ProbeTarget {
  container: Container;
  id: string;
  startedAtMs: number;
}

export interface ProbeSurroundings {
  clock: Clock;
  runtime: Runtime;
  checks: NetworkChecks;
  /** A result has changed. */
  changed(): void;
  record(event: PodEvent): void;
}

const KINDS: readonly ProbeKind[] = ['startup', 'readiness', 'liveness'];
const WHILE_TERMINATING: readonly ProbeKind[] = ['readiness'];
const TITLES = { startup: 'Startup', readiness: 'Readiness', liveness: 'Liveness' } as const;

export class PodProbes {
  readonly #around: ProbeSurroundings;
  readonly #runners = new Map<string, ProbeRunner>();
  readonly #seeds = new Map<string, ProbeOutcome>();
  readonly #messages = new Map<string, string>();

  constructor(around: ProbeSurroundings) {
    this.#around = around;
  }

  /** A result that is known from before the agent was restarted; it holds until a probe says otherwise. */
  seed(id: string, kind: ProbeKind, outcome: ProbeOutcome): void {
    this.#seeds.set(`${id}/${kind}`, outcome);
  }

  /**
   * Starts probes of containers that run now, and ends those of containers that do not.
   * @param terminating the containers are being stopped: their readiness is all that still matters.
   */
  sync(targets: readonly ProbeTarget[], podIp: string, terminating: boolean): void {
    const wanted = new Set<string>();
    const running = new Set(targets.map(({ id }) => id));
    for (const target of targets) {
      for (const kind of terminating ? WHILE_TERMINATING : KINDS) {
        const probe = probeOf(target.container, kind);
        if (probe === undefined) continue;
        const key = `${target.id}/${kind}`;
        wanted.add(key);
        if (!this.#runners.has(key)) this.#start(target, kind, probe, podIp);
      }
    }
    for (const [key, runner] of this.#runners) {
      if (wanted.has(key)) continue;
      runner.stop();
      this.#runners.delete(key);
      // That a container has started stays true when nobody asks any more.
      const isRunning = running.has(key.slice(0, key.lastIndexOf('/')));
      if (isRunning && runner.outcome !== undefined) {
        this.#seeds.set(key, runner.outcome);
        continue;
      }
      this.#seeds.delete(key);
      this.#messages.delete(key);
    }
  }

  outcome(id: string, kind: ProbeKind): ProbeOutcome | undefined {
    const key = `${id}/${kind}`;
    return this.#runners.get(key)?.outcome ?? this.#seeds.get(key);
  }

  /** What the probe that keeps the container from being ready last complained about. */
  complaint(id: string): string | undefined {
    for (const kind of ['startup', 'readiness'] as const) {
      if (this.outcome(id, kind) === 'success') continue;
      const message = this.#messages.get(`${id}/${kind}`);
      if (message !== undefined) return message;
    }
    return undefined;
  }

  stop(): void {
    for (const runner of this.#runners.values()) runner.stop();
    this.#runners.clear();
  }

  #start(target: ProbeTarget, kind: ProbeKind, probe: Probe, podIp: string): void {
    const { changed, checks, clock, record, runtime } = this.#around;
    const key = `${target.id}/${kind}`;
    const { container, id } = target;
    const gate = kind === 'startup' || container.startupProbe === undefined;
    const runner = new ProbeRunner({
      clock,
      kind,
      probe,
      startedAtMs: target.startedAtMs,
      initial: this.#seeds.get(key),
      mayRun: () => gate || this.outcome(id, 'startup') === 'success',
      check: (timeoutMs) => runProbe({ checks, runtime }, container, id, podIp, probe, timeoutMs),
      changed: () => {
        changed();
        if (kind === 'startup') for (const other of KINDS) this.#runners.get(`${id}/${other}`)?.poke();
      },
      failed: ({ errored, message }, quiet) => {
        const came = errored === undefined ? 'failed' : `errored and resulted in ${errored} state`;
        const sentence = `${TITLES[kind]} probe ${came}: ${message}`;
        const news = this.#messages.get(key) !== sentence;
        this.#messages.set(key, sentence);
        if (!quiet) {
          record({ type: 'Warning', reason: 'Unhealthy', message: sentence, container: container.name });
        }
        if (news && !quiet) changed();
      },
      warned: (warning) => {
        const message = `${TITLES[kind]} probe warning: ${warning}`;
        record({ type: 'Warning', reason: 'ProbeWarning', message, container: container.name });
      },
    });
    this.#runners.set(key, runner);
    runner.start();
  }
}

function probeOf(container: Container, kind: ProbeKind): Probe | undefined {
  if (kind === 'startup') return container.startupProbe;
  return kind === 'readiness' ? container.readinessProbe : container.livenessProbe;
}
