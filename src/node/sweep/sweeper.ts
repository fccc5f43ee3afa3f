// Sweeps what a process that was killed between two steps has left: things of pods that are no more. Something goes when it was
// found to be nobody's twice in a row, a minute apart, because what is being made belongs to nobody that can be seen yet.

import { pods } from '../../api/resources/pods/definition.ts';
import { sleep } from '../../base/clock.ts';
import type { RunContext } from '../../client/run-context.ts';
import type { Runtime } from '../runtime.ts';
import type { Owners, Stray } from './stray.ts';

const PERIOD_MS = 60_000;

/** Looks for one kind of stray things. */
export type FindStrays = (owners: Owners) => Promise<Stray[]>;

export interface SweepOptions {
  /** What is looked for is of this node's pods. */
  nodeName: string;
  runtime: Pick<Runtime, 'listSandboxes'>;
  /** What may go as soon as it is found, before the first pod is started: nothing is being made then. */
  atStart: FindStrays;
  /** All that is looked for while pods come and go. */
  find: FindStrays;
}

export class Sweeper {
  readonly #context: RunContext;
  readonly #options: SweepOptions;
  /** What was nobody's at the last look. */
  #before: ReadonlySet<string> = new Set();

  constructor(context: RunContext, options: SweepOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** To be called once, before the first pod is started. */
  async start(): Promise<void> {
    for (const stray of await this.#options.atStart(await this.#owners(new Set()))) await this.#remove(stray);
  }

  /** Looks once, and removes what was nobody's at the last look, too. */
  async look(): Promise<void> {
    const { nodeName } = this.#options;
    const known = this.#context.informers.of(pods, { fieldSelector: `spec.nodeName=${nodeName}` });
    await known.synced();
    const owners = await this.#owners(new Set(known.list().map(({ metadata }) => metadata.uid)));
    const found = await this.#options.find(owners);
    for (const stray of found) if (this.#before.has(stray.what)) await this.#remove(stray);
    this.#before = new Set(found.map(({ what }) => what));
  }

  /** Looks again and again until the context's signal. */
  async run(): Promise<void> {
    const { clock, log, signal } = this.#context;
    while (!signal.aborted) {
      await this.look().catch((error: unknown) => {
        if (!signal.aborted) log.error('what nobody owns cannot be looked for', error);
      });
      await sleep(clock, PERIOD_MS, signal);
    }
  }

  async #owners(known: ReadonlySet<string>): Promise<Owners> {
    const sandboxes = await this.#options.runtime.listSandboxes();
    const sandboxPods = new Set(sandboxes.map(({ podUid }) => podUid));
    return {
      sandboxIds: new Set(sandboxes.map(({ id }) => id)),
      allRun: sandboxes.every(({ ready }) => ready),
      sandboxPods,
      pods: new Set([...known, ...sandboxPods]),
    };
  }

  async #remove({ remove, what }: Stray): Promise<void> {
    const { log } = this.#context;
    try {
      await remove();
      log.info('removed what nobody owns', { what });
    } catch (error) {
      log.error('what nobody owns cannot be removed', error, { what });
    }
  }
}
