// Tells of exits within milliseconds: listens to containerd's own events, since CRI of containerd 1.6 has none, and
// waits until CRI agrees, which takes some 40 ms more. If the stream breaks it is opened again, and every pod is
// looked at, so that no exit is missed.
import { type CancelTimer, type Clock, sleep } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Container, Sandbox } from '../runtime.ts';
import type { CriChannel } from './channel.ts';

const FILTER = 'namespace==k8s.io,topic~="^/tasks/exit"';
const POLL_MS = 4;
const POLL_LIMIT_MS = 5000;
const RECONNECT_MS = 500;

export interface ExitQuestions {
  container(id: string): Promise<Container | undefined>;
  sandbox(id: string): Promise<Sandbox | undefined>;
}

export class ExitWatch {
  readonly #channel: CriChannel;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #ask: ExitQuestions;
  readonly #listeners = new Set<(podUid: string) => void>();
  /** Pod UIDs by sandbox and container ID. */
  readonly #pods = new Map<string, string>();
  #unsubscribe: (() => void) | undefined;
  #retry: CancelTimer | undefined;
  #stopped = false;

  constructor(channel: CriChannel, clock: Clock, log: Log, ask: ExitQuestions) {
    this.#channel = channel;
    this.#clock = clock;
    this.#log = log;
    this.#ask = ask;
  }

  know(id: string, podUid: string): void {
    this.#pods.set(id, podUid);
  }

  forget(id: string): void {
    this.#pods.delete(id);
  }

  listen(listener: (podUid: string) => void): () => void {
    this.#listeners.add(listener);
    if (this.#unsubscribe === undefined) this.#subscribe();
    return () => this.#listeners.delete(listener);
  }

  stop(): void {
    this.#stopped = true;
    this.#listeners.clear();
    this.#unsubscribe?.();
    this.#retry?.();
  }

  #subscribe(): void {
    this.#unsubscribe = this.#channel.exits(
      FILTER,
      (id) => void this.#exited(id),
      (error) => {
        if (this.#stopped) return;
        this.#log.warn('the event stream of containerd broke, opening it again', { error: error.message });
        this.#retry = this.#clock.after(RECONNECT_MS, () => {
          this.#subscribe();
          // What happened meanwhile nobody has told: every pod is to look for itself.
          for (const uid of new Set(this.#pods.values())) this.#tell(uid);
        });
      },
    );
  }

  async #exited(id: string): Promise<void> {
    const podUid = this.#pods.get(id);
    // Not (yet) known: whoever started it looks for itself.
    if (podUid === undefined) return;
    const until = this.#clock.now() + POLL_LIMIT_MS;
    while (!this.#stopped && this.#clock.now() < until && (await this.#stillRuns(id))) {
      await sleep(this.#clock, POLL_MS);
    }
    this.#tell(podUid);
  }

  async #stillRuns(id: string): Promise<boolean> {
    try {
      const container = await this.#ask.container(id);
      if (container !== undefined) return container.state === 'running';
      return (await this.#ask.sandbox(id))?.ready === true;
    } catch {
      return false;
    }
  }

  #tell(podUid: string): void {
    for (const listener of this.#listeners) listener(podUid);
  }
}
