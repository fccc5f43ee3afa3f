// A whole simulated cluster in one process and in virtual time: store, API server, control plane, machines; and the
// rules, which see every write at the moment at which it is made. What happens to it is the scenario's.

import type { Pod } from '../../api/generated/types.ts';
import { namespaces } from '../../api/resources/namespaces/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { storageClasses } from '../../api/resources/storage-classes/definition.ts';
import { ensureDefaultRbac } from '../../apiserver/authz/ensure-default-rbac.ts';
import { REGISTRY_PREFIX } from '../../apiserver/keys.ts';
import type { Log } from '../../base/log.ts';
import { silentLog } from '../../base/log.ts';
import { ADMINISTRATOR } from '../../cluster/roles/identities.ts';
import { plan } from '../../controllers/statefulset/plan.ts';
import { defaultStorageClass } from '../../storage/default-class.ts';
import { openMemoryStore } from '../../store/memory.ts';
import type { StoreEvent } from '../../store/store.ts';
import { seededRandom } from '../seeded-random.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { ApiEndpoint } from './api-endpoint.ts';
import { startControlPlane } from './control-plane.ts';
import { CALM, type Weather } from './faults.ts';
import { Machine, type MachineHost } from './machine.ts';
import type { Process } from './process.ts';
import { RolloutRules } from './rollout-rules.ts';
import { StateRules } from './state-rules.ts';
import { Trace } from './trace.ts';
import { Truth } from './truth.ts';
import { VolumeLedger } from './volume-ledger.ts';

export interface WorldOptions {
  seed: number;
  machines: number;
  /** What the statefulset controller decides by; the real rules if left out. */
  decide?: typeof plan;
  print?: ((line: string) => void) | undefined;
}

const MOST_WRITES_AT_ONCE = 2_000;

export class World {
  readonly clock = new VirtualClock();
  readonly truth = new Truth();
  readonly trace: Trace;
  readonly api: ApiEndpoint;
  readonly machines: Machine[];
  readonly rules: StateRules;
  /** What was not as it must be; the first is what counts. */
  readonly violations: string[] = [];
  weather: Weather = CALM;
  /** The control plane is cut off from the API server. */
  isControlPlaneCut = false;
  /** How many writes there were without time passing. */
  #writesAtOnce = { atMs: 0, count: 0 };
  readonly #store = openMemoryStore();
  readonly #rollouts: RolloutRules;
  readonly #decide: typeof plan;
  readonly #seed: number;
  #controlPlane: Process | undefined;
  #controlPlanes = 0;

  constructor({ seed, machines, decide = plan, print }: WorldOptions) {
    const { clock, truth } = this;
    this.#seed = seed;
    this.#decide = decide;
    const now = (): number => clock.now();
    this.trace = new Trace(now, print);
    const violated = (what: string): void => this.#violated(what);
    this.rules = new StateRules(truth, violated);
    this.#rollouts = new RolloutRules(truth, now, violated);
    this.api = new ApiEndpoint(this.#store, clock, seededRandom(seed + 11), violated);
    const ledger = new VolumeLedger(truth, violated);
    const host: MachineHost = {
      api: this.api,
      clock,
      weather: () => this.weather,
      mount: (machine, podName, podUid, claims) =>
        ledger.mount({ machine: machine.name, podName, podUid }, claims),
      unmount: (machine, podUid) => ledger.unmount(machine.name, podUid),
      mountedOn: (machine) => ledger.podsOn(machine.name),
      containerStarted: () => this.rules.containers(this.machines),
    };
    this.machines = Array.from(
      { length: machines },
      (_, index) => new Machine(host, index, seed + 100 + index),
    );
    this.#store.watch({
      prefix: REGISTRY_PREFIX,
      afterRevision: 0,
      onEvents: (events) => {
        for (const event of events) this.#take(event);
      },
      // It ends with the world.
      onEnd: () => {},
    });
  }

  /** Starts everything, in good weather. */
  async start(): Promise<void> {
    this.api.start();
    await this.api.use(ADMINISTRATOR, async (client) => {
      for (const name of ['default', 'kube-system', 'kube-node-lease']) {
        await client.create(namespaces, { metadata: { name }, spec: {} });
      }
      await client.create(storageClasses, defaultStorageClass());
      await ensureDefaultRbac(client);
    });
    this.startControlPlane();
    for (const machine of this.machines) machine.startAgent();
    await this.clock.advance(2_000);
  }

  startControlPlane(): void {
    if (this.#controlPlane && !this.#controlPlane.isDead) return;
    this.trace.note('the control plane starts');
    this.#rollouts.forget();
    this.#controlPlane = startControlPlane({
      api: this.api,
      clock: this.clock,
      seed: this.#seed + 1000 + this.#controlPlanes++,
      weather: () => this.weather,
      isCut: () => this.isControlPlaneCut,
      log: this.#log(),
      decide: (observed) => {
        const planned = this.#decide(observed);
        this.#rollouts.decided(observed, planned);
        return planned;
      },
      observer: {
        creating: (resource, object) => {
          // The table's record of pods is of pods.
          if (resource.plural === pods.plural) this.#rollouts.creating(object as Pod);
        },
        deleting: (resource, { name }, options) => {
          if (resource.plural === pods.plural) this.#rollouts.deleting(name, options?.preconditions?.uid);
        },
      },
    });
  }

  /** Lets the control plane die within its next calls. */
  killControlPlaneAfter(calls: number): void {
    this.#controlPlane?.killAfter(calls);
  }

  killControlPlane(): void {
    this.#controlPlane?.kill();
  }

  /** Ends everything at once; nothing is left. */
  async end(): Promise<void> {
    this.#halt();
    await this.#store.close();
  }

  #halt(): void {
    this.killControlPlane();
    for (const machine of this.machines) machine.killAgent();
    this.api.stop();
  }

  /** Two that undo each other's writes at once would go on without time passing, and the run would never end. */
  #countWrite(): void {
    const atMs = this.clock.now();
    if (this.#writesAtOnce.atMs !== atMs) this.#writesAtOnce = { atMs, count: 0 };
    if (++this.#writesAtOnce.count !== MOST_WRITES_AT_ONCE) return;
    this.#violated(`${MOST_WRITES_AT_ONCE} writes without time passing`);
    this.#halt();
  }

  #violated(what: string): void {
    this.trace.note(`VIOLATION ${what}`);
    this.violations.push(what);
  }

  #take(event: StoreEvent): void {
    this.#countWrite();
    const [key, revision] =
      event.type === 'put' ? [event.entry.key, event.entry.revision] : [event.key, event.revision];
    const path = key.slice(REGISTRY_PREFIX.length);
    this.trace.note(
      `${revision} ${event.type} ${path}`,
      event.type === 'put' ? event.entry.value : undefined,
    );
    const change = this.truth.take(event, this.clock.now());
    if (!change) return;
    this.rules.changed(change);
    if (change.kind === 'Pod' && change.old && !change.object)
      void this.rules.gone(change.old, this.machines);
  }

  #log(): Log {
    const log: Log = {
      ...silentLog,
      error: (message, error, fields) =>
        this.trace.note(`log: ${message}: ${String(error)} ${JSON.stringify(fields ?? {})}`),
      named: () => log,
    };
    return log;
  }
}
