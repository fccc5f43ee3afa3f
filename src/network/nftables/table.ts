// Keeps one nftables table as its parts want it: writes what differs from what was written, one transaction after the
// other, and gathers meanwhile what comes. When a transaction fails, or somebody else has changed the table, all of it is
// written anew. What the rules mean is the business of those whose parts they are.
import { type Clock, type Random, sleep } from '../../base/clock.ts';
import type { LastingProgram } from '../../base/lasting-program.ts';
import type { Log } from '../../base/log.ts';
import { backoffDelay } from '../../client/backoff.ts';
import { Assembly, type Change } from './assembly.ts';
import { readExisting } from './existing.ts';
import { GenerationReader, STAMP_SET, stampCommands } from './generations.ts';
import type { Ruleset } from './ruleset.ts';
import { difference, replacing, rewriting, type Script, type TableName } from './script.ts';
import { type NftPrograms, NftSession } from './session.ts';

export interface NftTableContext extends NftPrograms {
  clock: Clock;
  random: Random;
  log: Log;
  /** Told of every transaction of others on the machine, whichever table it was about. */
  onOthers?(): void;
}

/** How long chains that nobody wants any more stay, empty; see `Script.stale`. */
const STALE_MS = 1_000;
/** After a failure, and when the monitor has ended: how long until the next try. */
const RETRY = { firstMs: 250, maxMs: 5_000 };

const STAMP: Ruleset = {
  chains: new Map(),
  sets: new Map([[STAMP_SET, { kind: 'set', type: 'mark' }]]),
  elements: new Map(),
};

export class NftTable {
  readonly #context: NftTableContext;
  readonly #name: TableName;
  readonly #session: NftSession;
  readonly #parts = new Assembly();
  readonly #awaited: Set<string>;
  readonly #closed = new AbortController();
  /** Whether the kernel has what was wanted when it was last written; otherwise nobody knows what it has. */
  #isWritten = false;
  #isDirty = false;
  /** Somebody else has changed what is in the kernel, perhaps while it was being written. */
  #isForeign = false;
  readonly #stale = new Set<string>();
  #sweepIsDue = false;
  #loop: Promise<void> | undefined;
  /** Of those who wait for the rules to be in force: for one try, and until they are. */
  readonly #waiting: Array<() => void> = [];
  readonly #insisting: Array<() => void> = [];
  #rewritten: () => void = () => {};
  #monitor: LastingProgram | undefined;
  /** Of transactions of ours that the monitor has not shown yet. */
  readonly #stamps = new Set<number>();
  #lastStamp: number;

  /**
   * @param parts nothing is written before each of these has said what it wants: with the first transaction goes what an
   *   earlier process has left in force.
   */
  constructor(context: NftTableContext, name: TableName, parts: readonly string[] = []) {
    this.#context = context;
    this.#name = name;
    this.#parts.set('', STAMP);
    this.#awaited = new Set(parts);
    this.#session = new NftSession(context);
    this.#lastStamp = Math.floor(context.random.next() * 2 ** 31);
  }

  /**
   * Says what one part of stead wants in the table; what it wanted before goes in the same transaction.
   * @param part its name.
   * @param rules undefined: nothing any more.
   */
  set(part: string, rules: Ruleset | undefined): void {
    this.#parts.set(part, rules);
    this.#awaited.delete(part);
    this.#isDirty = true;
    this.#start();
  }

  /**
   * Resolves when all that was wanted until now is in force. Also when the table is closed, or when it could not be written:
   * that is logged and tried again, and nobody else has to stand still for it.
   */
  settled(): Promise<void> {
    if (this.#closed.signal.aborted || !(this.#isDirty || this.#loop)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves when all that was wanted until now is in force, however often that has to be tried; never once it is closed. */
  inForce(): Promise<void> {
    if (!(this.#isDirty || this.#loop)) return Promise.resolve();
    return new Promise((resolve) => this.#insisting.push(resolve));
  }

  /** Calls whenever all of the table has been written anew: packets may have passed while it was not there. */
  onRewritten(listener: () => void): void {
    this.#rewritten = listener;
  }

  /** Writes nothing more; what is in force stays. */
  async close(): Promise<void> {
    this.#closed.abort();
    this.#monitor?.kill();
    await this.#loop;
    this.#session.close();
    this.#settle();
  }

  #start(): void {
    if (this.#closed.signal.aborted || this.#awaited.size > 0) return;
    if (!this.#monitor) void this.#watch();
    this.#loop ??= this.#work().finally(() => {
      this.#loop = undefined;
      // Who came after the last look found somebody at work, who did not hear of it.
      if (this.#isDirty || this.#sweepIsDue) this.#start();
      else this.#succeed();
    });
  }

  #succeed(): void {
    this.#settle();
    for (const resolve of this.#insisting.splice(0)) resolve();
  }

  #settle(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #work(): Promise<void> {
    // All that is wanted in the same turn is one transaction.
    await Promise.resolve();
    const { log } = this.#context;
    let failures = 0;
    while (!this.#closed.signal.aborted && (this.#isDirty || this.#sweepIsDue)) {
      try {
        if (this.#isDirty) await this.#write();
        else await this.#sweep();
        failures = 0;
      } catch (error) {
        log.error('the nftables table cannot be written', error, { table: this.#name.table });
        this.#isWritten = false;
        this.#isDirty = true;
        this.#settle();
        await this.#pause(++failures);
      }
      if (!this.#isDirty) this.#succeed();
    }
  }

  async #write(): Promise<void> {
    const { log, run } = this.#context;
    const { table } = this.#name;
    const isKnown = this.#isWritten && !this.#isForeign;
    this.#isForeign = false;
    const { from, to } = this.#take();
    const change = isKnown ? difference(table, from, to) : undefined;
    if (change) {
      try {
        await this.#transact(change);
        this.#isWritten = true;
        return;
      } catch (error) {
        log.warn('a change of the nftables table failed: all of it is written anew', {
          table,
          error: String(error),
        });
      }
    }
    const existing = await readExisting(run, table);
    this.#take();
    await this.#transact(rewriting(this.#name, existing, this.#parts.whole())).catch((error: unknown) => {
      log.warn('the nftables table could not be changed: it is replaced', { table, error: String(error) });
      this.#stale.clear();
      this.#take();
      return this.#transact(replacing(this.#name, this.#parts.whole()));
    });
    this.#isWritten = true;
    this.#rewritten();
  }

  /** What is wanted now is going to be written; until it is in force nothing is known. */
  #take(): Change {
    this.#isDirty = this.#isForeign;
    this.#isWritten = false;
    return this.#parts.take();
  }

  async #transact({ commands, stale }: Script): Promise<void> {
    if (commands.length > 0) await this.#stamped(commands);
    for (const name of stale) this.#stale.add(name);
    if (this.#stale.size === 0 || this.#sweepIsDue) return;
    this.#context.clock.after(STALE_MS, () => {
      this.#sweepIsDue = true;
      this.#start();
    });
  }

  async #stamped(commands: readonly string[]): Promise<void> {
    this.#lastStamp = (this.#lastStamp + 1) % 2 ** 31;
    const stamp = this.#lastStamp;
    this.#stamps.add(stamp);
    try {
      await this.#session.run([...commands, ...stampCommands(this.#name.table, stamp)]);
    } catch (error) {
      this.#stamps.delete(stamp);
      throw error;
    }
  }

  /** Takes away the chains that have been empty for a while. */
  async #sweep(): Promise<void> {
    this.#sweepIsDue = false;
    const { chains } = this.#parts.whole();
    const gone = [...this.#stale].filter((name) => !chains.has(name));
    this.#stale.clear();
    if (gone.length === 0 || !this.#isWritten) return;
    await this.#stamped(gone.map((name) => `delete chain inet ${this.#name.table} ${name}`));
  }

  /** Looks on as long as the table is open: another's change is answered with writing all of it anew. */
  async #watch(): Promise<void> {
    const { log, start } = this.#context;
    const { table } = this.#name;
    let failures = 0;
    while (!this.#closed.signal.aborted) {
      const reader = new GenerationReader(table);
      this.#monitor = start('nft', ['--numeric', 'monitor'], {
        onStdout: (text) => {
          for (const { touched, stamp } of reader.read(text)) {
            failures = 0;
            if (stamp !== undefined && this.#stamps.delete(stamp)) continue;
            this.#context.onOthers?.();
            if (touched) this.#rewrite('somebody else has changed the nftables table: it is written anew');
          }
        },
        onStderr: (text) => log.debug('nft monitor', { said: text.trim() }),
      });
      await this.#monitor.ended;
      // It shows nothing of what happens until the next one looks.
      this.#stamps.clear();
      await this.#pause(++failures);
      if (!this.#closed.signal.aborted) this.#rewrite('nft monitor has ended: the table is written anew');
    }
  }

  #rewrite(why: string): void {
    this.#context.log.info(why, { table: this.#name.table });
    this.#isForeign = true;
    this.#isDirty = true;
    this.#start();
  }

  #pause(failures: number): Promise<void> {
    const { clock, random } = this.#context;
    return sleep(clock, backoffDelay(RETRY, failures, random.next()), this.#closed.signal);
  }
}
