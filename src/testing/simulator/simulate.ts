// One run from one seed: a cluster comes up, things go wrong for a while, then all is well; the rules are checked at
// every write, and in the end everything must be as its people want it, and stay so.
import { plan } from '../../controllers/statefulset/plan.ts';
import { seededRandom } from '../seeded-random.ts';
import { notConverged } from './convergence.ts';
import { scenarioOf } from './scenario.ts';
import { Trouble } from './trouble.ts';
import { Users } from './users.ts';
import { World } from './world.ts';

export interface SimulationOptions {
  /** The statefulset controller's rules; the real ones if left out. */
  decide?: typeof plan;
  /** Given every line of the trace as it comes. */
  print?: (line: string) => void;
}

export interface SimulationResult {
  seed: number;
  /** The first thing that was wrong; undefined: all was well. */
  failure: string | undefined;
  /** The same seed has the same, always. */
  digest: string;
  /** How many things happened. */
  events: number;
  /** How long it took in virtual time, ms. */
  virtualMs: number;
  /** The last lines of the trace, to understand a failure by. */
  trace: string[];
}

/** Faults must be forgotten after so long, back-offs of some minutes included. */
const CONVERGES_WITHIN_MS = 45 * 60_000;
const LOOK_EVERY_MS = 10_000;
/** So long nothing may happen to a set that is done. */
const QUIET_MS = 60_000;

/** Runs a seed to its end, or to the first thing that is wrong. Leaves nothing behind. */
export async function simulate(seed: number, options: SimulationOptions = {}): Promise<SimulationResult> {
  const scenario = scenarioOf(seed);
  const { decide = plan, print } = options;
  const world = new World({ seed, machines: scenario.machines, decide, print });
  const startMs = world.clock.now();
  let failure: string | undefined;
  try {
    failure = await run(world, scenario);
  } catch (error) {
    failure = `the simulator itself failed: ${error instanceof Error ? error.stack : String(error)}`;
  } finally {
    await world.end();
  }
  if (failure) world.trace.note(`FAILED ${failure}`);
  return {
    seed,
    failure,
    events: world.trace.count,
    virtualMs: world.clock.now() - startMs,
    trace: world.trace.last(),
    digest: world.trace.digest(),
  };
}

async function run(world: World, scenario: ReturnType<typeof scenarioOf>): Promise<string | undefined> {
  const { clock, violations } = world;
  const random = seededRandom(scenario.seed + 1);
  const users = new Users(world);
  const names = scenario.sets.map((set) => set.metadata.name ?? '');
  const trouble = new Trouble(world, random, users, names);
  await world.start();
  for (const set of scenario.sets) await users.create(set);
  for (let step = 0; step < scenario.steps; step++) {
    await clock.advance(random.next() * scenario.gapMs);
    if (violations[0]) return violations[0];
    await trouble.strike();
  }
  await trouble.makeGood();
  return (await settles(world, names)) ?? violations[0];
}

async function settles(world: World, sets: readonly string[]): Promise<string | undefined> {
  const { clock, truth, violations } = world;
  const deadlineMs = clock.now() + CONVERGES_WITHIN_MS;
  const versions = (): string =>
    [...truth.sets.values(), ...truth.pods.values(), ...truth.claims.values()]
      .map(({ metadata }) => metadata.resourceVersion)
      .join();
  for (;;) {
    let missing = await notConverged(world, sets);
    if (!missing) {
      const before = versions();
      await clock.advance(QUIET_MS);
      missing =
        (await notConverged(world, sets)) ?? (versions() === before ? undefined : 'it does not come to rest');
    } else await clock.advance(LOOK_EVERY_MS);
    if (!missing || violations[0]) return violations[0];
    if (clock.now() > deadlineMs) return `not converged: ${missing}`;
  }
}
