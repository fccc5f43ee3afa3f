// The machine's node as the API process has it: a process of its own, so that an API that is busy or gone delays neither
// probes nor names. It is started here, or found and taken over from an API process that died; it is started again when
// it dies, and adopts what runs.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Clock, sleep } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Paths } from '../disk/paths.ts';
import type { LogLevel } from '../process/log-writer.ts';
import { NODE_PROCESS_FLAGS } from '../process/node-flags.ts';
import type { MachineConfig } from '../roles/machine.ts';
import type { Nodes } from '../roles/nodes.ts';
import { killNode } from './end-node.ts';
import {
  errorOf,
  type FromNode,
  identityOf,
  type NodeConnection,
  type NodeHello,
  type ToNode,
} from './node-protocol.ts';
import { NodeLostError, type ReachedNode, reachNode } from './reach-node.ts';

const PROGRAM = join(import.meta.dirname, 'node-main.js');
const FIRST_RESTART_MS = 100;
const LONGEST_RESTART_MS = 30_000;
/** One that has lived so long begins with the shortest wait again. */
const LIVED_MS = 60_000;
/** How often one that runs is asked whether it is alive, and how long it may take to say so. */
const ASK_MS = 10_000;
const HUNG_MS = 20_000;
/** How long a node process may take to end by itself. */
const FAREWELL_MS = 30_000;

export interface NeighbourOptions {
  paths: Paths;
  config: MachineConfig;
  clock: Clock;
  log: Log;
  /** What it logs at least, to where this process's log goes; undefined: nothing. One that is found goes on as it was started. */
  logLevel: LogLevel | undefined;
  /** What runs as the node process; left out, this machine as a node. */
  program?: string;
}

interface Reached {
  node: ReachedNode;
  hello: NodeHello;
}

/** The node process of a data directory, kept running until it is closed. */
export class Neighbour implements Nodes {
  readonly #options: NeighbourOptions;
  readonly #ending = new AbortController();
  /** Started before the API is there, so that both start at once. */
  #starting: Starting | undefined;
  #connection: NodeConnection | undefined;
  #reached: Reached | undefined;
  #description: NodeHello['description'] | undefined;
  #kept: Promise<void> = Promise.resolve();

  /** Finds one that can go on as it is, or starts one, which waits for `begin`. */
  static async prepare(options: NeighbourOptions): Promise<Neighbour> {
    const neighbour = new Neighbour(options);
    neighbour.#reached = await neighbour.#find();
    if (!neighbour.#reached) neighbour.#starting = new Starting(options);
    return neighbour;
  }

  private constructor(options: NeighbourOptions) {
    this.#options = options;
  }

  /** The API answers: resolves when the node works. @throws UserError, or Error, when it cannot. */
  async begin(connection: NodeConnection): Promise<void> {
    this.#connection = connection;
    const found = this.#reached;
    if (found && found.hello.nodeName !== connection.nodeName) {
      await found.node.end('close').catch(() => {});
      await killNode(this.#options.paths, this.#options.clock);
      this.#reached = undefined;
    }
    await this.#reach();
    this.#kept = this.#keep();
  }

  /** The API has other certificates now. */
  async reconnect(connection: NodeConnection): Promise<void> {
    this.#connection = connection;
    await this.#reached?.node.connectTo(connection);
  }

  describe(): NodeHello['description'] {
    if (!this.#description) throw new Error('the node has not begun');
    return this.#description;
  }

  streams(nodeName: string): ReachedNode | undefined {
    return nodeName === this.#connection?.nodeName ? this.#reached?.node : undefined;
  }

  async loadImage(file: string, signal: AbortSignal): Promise<string[]> {
    return this.#node().loadImage(file, signal);
  }

  async listImages(): ReturnType<ReachedNode['listImages']> {
    return this.#node().listImages();
  }

  async metrics(): Promise<string> {
    return (await this.#reached?.node.metrics()) ?? '';
  }

  /** @throws what stands in the way; the node then goes on, and it may be tried again. */
  async stop(): Promise<void> {
    if (this.#ending.signal.aborted) return;
    await this.#reachedAgain();
    const node = this.#node();
    try {
      await node.end('stop');
    } catch (error) {
      if (!(error instanceof NodeLostError)) throw error;
      // It died, or hung and was killed, before it was done: the next one is asked.
      await this.#reachedAgain(node);
      await this.#node().end('stop');
    }
    await this.close();
  }

  async close(): Promise<void> {
    if (this.#ending.signal.aborted) return;
    this.#ending.abort();
    const { clock, log, paths } = this.#options;
    this.#starting?.kill();
    const reached = this.#reached;
    // One that was found is another's until the API has begun with it.
    if (!this.#connection) return reached?.node.leave();
    if (reached) {
      const ended = reached.node.end('close').catch((error: unknown) => {
        log.debug('the node process is gone already', { error: String(error) });
      });
      await within(clock, ended);
      await within(clock, reached.node.gone);
      reached.node.leave();
    }
    await this.#kept;
    await killNode(paths, clock);
  }

  #node(): ReachedNode {
    if (this.#reached) return this.#reached.node;
    throw new Error('the node process is being started again: try again in a moment');
  }

  /** One that runs, with the same configuration; another is ended. */
  async #find(): Promise<Reached | undefined> {
    const { clock, config, log, paths } = this.#options;
    const found = await reachNode(paths.nodeSocket, clock);
    if (found && found.hello.identity === identityOf(config)) {
      log.info('going on with the node process that runs already', { pid: found.hello.pid });
      return found;
    }
    if (found) {
      log.info('ending a node process that runs otherwise', { pid: found.hello.pid });
      const ended = found.node.end('close').catch(() => {});
      await within(clock, ended);
      found.node.leave();
    }
    await killNode(paths, clock);
    return undefined;
  }

  /** Reaches one that runs or starts one, and tells it of the API. */
  async #reach(): Promise<void> {
    const connection = this.#connection;
    if (!connection) throw new Error('the API is not known yet');
    const { clock, paths } = this.#options;
    const found = this.#reached;
    this.#reached = undefined;
    // One that was found may have died since.
    const goesOn = await found?.node.connectTo(connection).then(
      () => true,
      () => false,
    );
    if (goesOn) this.#reached = found;
    else {
      if (found) await killNode(paths, clock);
      this.#starting ??= new Starting(this.#options);
      const starting = this.#starting;
      this.#starting = undefined;
      await starting.connect(connection);
      this.#reached = await reachNode(paths.nodeSocket, clock);
      if (!this.#reached) throw new Error('the node process does not answer');
    }
    this.#description = this.#reached?.hello.description;
  }

  /** Starts it again whenever it has ended by itself. */
  async #keep(): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#ending;
    let delayMs = FIRST_RESTART_MS;
    while (this.#reached && !signal.aborted) {
      const sinceMs = clock.now();
      await this.#goneOrHung(this.#reached);
      this.#reached = undefined;
      if (clock.now() - sinceMs > LIVED_MS) delayMs = FIRST_RESTART_MS;
      while (!this.#reached && !signal.aborted) {
        await sleep(clock, delayMs, signal);
        if (signal.aborted) return;
        log.warn('the node process is gone; starting it again', { afterMs: delayMs });
        delayMs = Math.min(2 * delayMs, LONGEST_RESTART_MS);
        try {
          this.#reached = await this.#find();
          await this.#reach();
        } catch (error) {
          this.#reached = undefined;
          log.error('the node process cannot be started again', error);
        }
      }
    }
  }

  /** Resolves when the process has ended: one that does not answer any more is killed. */
  async #goneOrHung({ hello, node }: Reached): Promise<void> {
    const { clock, log, paths } = this.#options;
    const over = new AbortController();
    const gone = node.gone.then(() => over.abort());
    while (!over.signal.aborted) {
      await sleep(clock, ASK_MS, over.signal);
      if (over.signal.aborted) break;
      const answered = new AbortController();
      const silent = sleep(clock, HUNG_MS, answered.signal).then(() => true);
      // One that has just ended hangs no more.
      const answer = node.hello().then(
        () => false,
        () => false,
      );
      const hangs = await Promise.race([silent, answer]);
      answered.abort();
      if (!hangs) continue;
      log.error('the node process hangs and is killed', `no answer within ${HUNG_MS / 1000} s`, {
        pid: hello.pid,
      });
      await killNode(paths, clock);
    }
    await gone;
  }

  /** Stopping pods takes a node: one that has just died is waited for. @param lost is known to have died. */
  async #reachedAgain(lost?: ReachedNode): Promise<void> {
    const { clock } = this.#options;
    const giveUpAtMs = clock.now() + FAREWELL_MS;
    while ((!this.#reached || this.#reached.node === lost) && clock.now() < giveUpAtMs)
      await sleep(clock, FIRST_RESTART_MS);
  }
}

/** Resolves with the promise, or when a node process has had time enough to end by itself. */
async function within(clock: Clock, ended: Promise<void>): Promise<void> {
  const inTime = new AbortController();
  await Promise.race([ended, sleep(clock, FAREWELL_MS, inTime.signal)]);
  inTime.abort();
}

/** A node process that was started and has not said yet that it works. It ends with this process until it has. */
class Starting {
  readonly #child: ChildProcess;
  readonly #ready: Promise<void>;

  constructor({ config, logLevel, paths, program = PROGRAM }: NeighbourOptions) {
    const output = logLevel === undefined ? 'ignore' : 'inherit';
    this.#child = spawn(process.execPath, [...NODE_PROCESS_FLAGS, program, paths.data], {
      // In a session of its own: what a terminal tells its foreground is for the API process, which ends both in order.
      detached: true,
      cwd: '/',
      stdio: ['ignore', output, output, 'ipc'],
    });
    this.#child.unref();
    this.#ready = new Promise((resolve, reject) => {
      this.#child.once('message', (message: FromNode) => {
        if ('ready' in message) resolve();
        else reject(errorOf(message.failed));
      });
      this.#child.once('error', reject);
      this.#child.once('exit', (code, signal) =>
        reject(new Error(`the node process ended while it started (${signal ?? `exit code ${code}`})`)),
      );
    });
    // It may fail before anybody waits for it.
    this.#ready.catch(() => {});
    this.#tell({ config, logLevel: logLevel ?? 'error' });
  }

  /** Resolves when it works. */
  async connect(connection: NodeConnection): Promise<void> {
    this.#tell({ connection });
    await this.#ready;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** One that has ended is told nothing. */
  #tell(message: ToNode): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }
}
