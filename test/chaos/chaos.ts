// Rounds of kill -9 at the worst moment that chance finds, on real containers, through the front door. In every round
// something is asked of a set, stead or its containerd or both are killed in the middle of it, some starts are killed
// as well, and then the set must come back as if nothing had happened. Four things are checked: no acknowledged write is
// lost, no two pods of one name ever live together, no pod's volume loses a line, and nothing is left on the machine.
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Random } from '../../src/base/clock.ts';
import { httpsClient } from '../../src/client/https.ts';
import { parseKubeconfig } from '../../src/client/kubeconfig.ts';
import { pathsOf } from '../../src/cluster/disk/paths.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { ensureImage } from '../kit/images.ts';
import { run } from '../kit/run.ts';
import { eventually, TestStead } from '../kit/stead.ts';
import { COUNTER, counterManifest, readLedger } from './counter-set.ts';
import { DoublesWatch } from './doubles.ts';
import { leaks } from './leaks.ts';
import { Writers } from './writers.ts';

export interface ChaosReport {
  rounds: number;
  kills: number;
  /** Writes that clients were told are done. */
  acknowledged: number;
  /** Lines that pods wrote on their volumes. */
  steps: number;
  /** How often the machine's processes were looked at for doubles. */
  looks: number;
  /** ms from `stead up` until the whole set is ready again, of each round. */
  recoveriesMs: number[];
  /** One sentence for each promise that was broken. */
  lost: string[];
  doubles: string[];
  counters: string[];
  leaks: string[];
}

const MOST_REPLICAS = 3;
/** How long after something was asked for the kill comes, at most. */
const LATEST_KILL_MS = 1_500;
/** How long what is left may take to be swept. */
const LONGEST_SWEEP_MS = 180_000;
/** A start takes about half a second. */
const LATEST_START_KILL_MS = 800;

/**
 * @param seed what is asked for, when who is killed. The machine's own timing is not in it: a seed does not replay.
 * @param say gets a line for every round.
 */
export async function chaos(rounds: number, seed: number, say: (line: string) => void): Promise<ChaosReport> {
  const stead = new TestStead();
  const random = seededRandom(seed);
  try {
    return await new Chaos(stead, random, `stead-chaos-${process.pid}`, await freePort(), say).run(rounds);
  } finally {
    await stead.purge();
  }
}

class Chaos {
  readonly #stead: TestStead;
  readonly #random: Random;
  readonly #mark: string;
  readonly #port: number;
  readonly #say: (line: string) => void;
  readonly #ledgers = new Map<string, number>();
  readonly #uids = new Set<string>();
  readonly #report: ChaosReport;
  #replicas = MOST_REPLICAS;
  #generation = 0;

  constructor(stead: TestStead, random: Random, mark: string, port: number, say: (line: string) => void) {
    this.#stead = stead;
    this.#random = random;
    this.#mark = mark;
    this.#port = port;
    this.#say = say;
    this.#report = {
      ...{ rounds: 0, kills: 0, acknowledged: 0, steps: 0, looks: 0 },
      ...{ recoveriesMs: [], lost: [], doubles: [], counters: [], leaks: [] },
    };
  }

  async run(rounds: number): Promise<ChaosReport> {
    const stead = this.#stead;
    await this.#up();
    await stead.must('image', 'load', await ensureImage('toolbox'));
    await this.#apply();
    await stead.ready(COUNTER, this.#replicas);
    const endpoint = parseKubeconfig(readFileSync(stead.kubeconfig, 'utf8'));
    const writers = new Writers(httpsClient(endpoint), this.#random);
    const watch = new DoublesWatch(this.#mark);
    try {
      writers.start();
      for (let round = 1; round <= rounds; round++) await this.#round(round, writers);
    } finally {
      watch.stop();
      await writers.stop();
    }
    const report = this.#report;
    report.lost.push(...(await writers.lost()));
    report.acknowledged = writers.acknowledged;
    report.looks = watch.looks;
    report.doubles.push(...watch.doubles);
    report.steps = [...this.#ledgers.values()].reduce((sum, steps) => sum + steps, 0);
    report.leaks.push(...(await this.#leftWhenEmpty()));
    return report;
  }

  async #round(round: number, writers: Writers): Promise<void> {
    const asked = await this.#askForSomething();
    await pause(this.#random.next() * LATEST_KILL_MS);
    const killed = await this.#kill();
    const startKilled = this.#random.next() < 0.25 && (await this.#killStart());
    const fromMs = performance.now();
    await this.#up();
    await this.#stead.ready(COUNTER, this.#replicas);
    this.#report.recoveriesMs.push(performance.now() - fromMs);
    this.#report.lost.push(...(await writers.lost()));
    await this.#readLedgers();
    this.#report.rounds = round;
    const wholeMs = Math.round(this.#report.recoveriesMs.at(-1) ?? 0);
    const { counters, lost } = this.#report;
    const broken = counters.length + lost.length > 0 ? `; BROKEN: ${[...lost, ...counters].join('; ')}` : '';
    this.#say(
      `round ${round}: ${asked}; killed ${killed}${startKilled ? ', then a start' : ''}; whole again after ${wholeMs} ms${broken}`,
    );
  }

  async #askForSomething(): Promise<string> {
    const stead = this.#stead;
    const dice = Math.floor(this.#random.next() * 5);
    const pod = `${COUNTER}-${Math.floor(this.#random.next() * this.#replicas)}`;
    switch (dice) {
      case 0:
        return 'nothing';
      case 1:
        await stead.kubectl('delete', 'pod', pod, '--wait=false');
        return `deleted ${pod}`;
      case 2:
        this.#replicas = this.#replicas === MOST_REPLICAS ? MOST_REPLICAS - 1 : MOST_REPLICAS;
        await this.#apply();
        return `scaled to ${this.#replicas}`;
      case 3:
        this.#generation++;
        await this.#apply();
        return 'rolled out';
      default:
        // The container ends by itself and is started again in the pod.
        await stead.tryKubectl(['exec', pod, '--', 'kill', '-TERM', '1']);
        return `ended the container of ${pod}`;
    }
  }

  #apply(): Promise<string> {
    return this.#stead.apply(counterManifest(this.#mark, this.#replicas, this.#generation));
  }

  async #kill(): Promise<string> {
    const dice = this.#random.next();
    const containerd = Number(
      readFileSync(join(pathsOf(this.#stead.dataDirectory).run, 'containerd', 'containerd.pid'), 'utf8'),
    );
    const { nodePid, pid } = this.#stead;
    // The API first: it would start the node again. What of stead goes on brings back the rest.
    const victims = new Map([
      ...(dice < 0.6 ? [['the API', pid] as const] : []),
      ...((dice > 0.3 && dice < 0.8) || dice > 0.9 ? [['the node', nodePid] as const] : []),
      ...(dice > 0.5 && (dice < 0.6 || dice > 0.8) ? [['containerd', containerd] as const] : []),
    ]);
    const there = [...victims].filter(([, victim]) => victim > 0);
    for (const [, victim] of there) await killAndWait(victim);
    this.#report.kills += there.length;
    return there.map(([name]) => name).join(', ');
  }

  /** Starts stead and kills it before or about when it is ready. */
  async #killStart(): Promise<boolean> {
    const up = this.#stead.run('up', '--port', `${this.#port}`);
    await pause(this.#random.next() * LATEST_START_KILL_MS);
    const victims = steadProcesses(this.#stead.dataDirectory);
    for (const pid of victims) await killAndWait(pid);
    await up;
    this.#report.kills += victims.length;
    return victims.length > 0;
  }

  #up(): Promise<void> {
    return this.#stead.up('--port', `${this.#port}`);
  }

  /** Reads every pod's ledger through the pod; those of pods that are scaled away are read when they are back. */
  async #readLedgers(): Promise<void> {
    for (let ordinal = 0; ordinal < this.#replicas; ordinal++) {
      const pod = `${COUNTER}-${ordinal}`;
      // A containerd that was killed may be on its way back.
      const { stdout: text } = await eventually(
        `the ledger of ${pod} can be read`,
        () => this.#stead.tryKubectl(['exec', pod, '--', 'cat', '/data/ledger']),
        ({ code }) => code === 0,
      );
      // The last line may be written at this very moment.
      const whole = text.slice(0, text.lastIndexOf('\n') + 1);
      const { faults, steps } = readLedger(pod, whole, this.#ledgers.get(pod) ?? 0);
      this.#report.counters.push(...faults.filter((fault) => !this.#report.counters.includes(fault)));
      this.#ledgers.set(pod, steps);
      for (const [uid] of whole.matchAll(/^[^ \n]+/gm)) this.#uids.add(uid);
    }
  }

  /** Takes the set and its claims away and looks what remains of all the pods there ever were. */
  async #leftWhenEmpty(): Promise<string[]> {
    const { dataDirectory } = this.#stead;
    await this.#stead.kubectl('delete', 'statefulset', COUNTER, '--timeout=60s');
    await this.#stead.kubectl('delete', 'pods', '--all', '--timeout=60s');
    await this.#stead.kubectl('delete', 'pvc', '--all', '--timeout=60s');
    // What a kill has left goes when it was nobody's at two looks a minute apart.
    const giveUpAtMs = performance.now() + LONGEST_SWEEP_MS;
    for (;;) {
      const left = await leaks(dataDirectory, this.#uids);
      if (left.length === 0 || performance.now() > giveUpAtMs) return left;
      await pause(500);
    }
  }
}

/** Processes of a stead that runs or starts on this data directory, API and node; its containerd is not among them. */
function steadProcesses(dataDirectory: string): number[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        const isStead = words.includes('--foreground') || words.some((word) => word.endsWith('node-main.js'));
        return isStead && words.includes(dataDirectory);
      } catch {
        return false;
      }
    })
    .map(Number);
}

async function killAndWait(pid: number): Promise<void> {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    return;
  }
  await eventually(
    `process ${pid} is gone`,
    async () => (await run('kill', ['-0', `${pid}`])).code,
    (code) => code !== 0,
  );
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** One port for all rounds, as a stead in use has. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}
