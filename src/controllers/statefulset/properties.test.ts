// Invariants of plan over random sets, histories and worlds: what it must never do in any of them, and that it comes
// to rest with what was wanted once the world behaves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { timestamp } from '../../api/clock.ts';
import type {
  ControllerRevision,
  PersistentVolumeClaim,
  Pod,
  StatefulSet,
} from '../../api/generated/types.ts';
import { isTerminating, type Stored } from '../../api/objects.ts';
import type { Action, ClaimWork, Plan } from './actions.ts';
import { makePod, makeSet, type PodState, podStatus, revisionFor, START, stored } from './fixtures.test.ts';
import { isAvailable, isRunningAndReady } from './health.ts';
import { parentOf, replicasOf, revisionOf, startOrdinal } from './identity.ts';
import type { Observation } from './observation.ts';
import { maxUnavailableOf } from './partition.ts';
import { plan } from './plan.ts';

/** A world of one set in which plans are carried out and time goes by in steps. */
class World {
  set: Stored<StatefulSet>;
  pods = new Map<string, Stored<Pod>>();
  claims = new Map<string, Stored<PersistentVolumeClaim>>();
  revisions = new Map<string, Stored<ControllerRevision>>();
  now = START;
  #count = 0;

  constructor(set: Stored<StatefulSet>) {
    this.set = set;
  }

  observe(): Observation {
    return {
      set: this.set,
      pods: [...this.pods.values()],
      strangers: [],
      claims: [...this.claims.values()],
      expandableClasses: new Set(['storage-local']),
      revisions: [...this.revisions.values()],
      now: this.now,
    };
  }

  /** Plans, checks what must hold of the plan, and carries it out; gives how many actions there were. */
  pass(): Plan {
    const observed = this.observe();
    const planned = plan(observed);
    assert.deepEqual(plan(observed), planned, 'the same observation gives the same plan');
    this.checkStatus(planned);
    this.checkBudget(planned);
    for (const { actions } of planned.phases) for (const action of actions) this.#do(action);
    this.set = { ...this.set, status: planned.status };
    this.now += 1000;
    return planned;
  }

  checkStatus({ status }: Plan): void {
    const {
      replicas,
      readyReplicas = 0,
      availableReplicas = 0,
      currentReplicas = 0,
      updatedReplicas = 0,
    } = status;
    assert.ok(readyReplicas <= replicas && currentReplicas <= replicas && updatedReplicas <= replicas);
    assert.ok(availableReplicas <= readyReplicas && currentReplicas >= 0);
    assert.ok((status.collisionCount ?? 0) >= (this.set.status?.collisionCount ?? 0));
  }

  checkBudget({ phases }: Plan): void {
    if (this.set.spec.updateStrategy?.type !== 'RollingUpdate') return;
    const minReady = this.set.spec.minReadySeconds ?? 0;
    const isUp = (pod: Stored<Pod> | undefined): boolean =>
      pod !== undefined && !isTerminating(pod) && isAvailable(pod, minReady, this.now);
    const start = startOrdinal(this.set);
    const down = Array.from({ length: replicasOf(this.set) }, (_, index) =>
      this.pods.get(`web-${start + index}`),
    ).filter((pod) => !isUp(pod)).length;
    const taken = phases.flatMap(({ name, actions }) =>
      name === 'update' ? actions.filter((action) => action.type === 'deletePod' && isUp(action.pod)) : [],
    ).length;
    assert.ok(taken === 0 || down + taken <= maxUnavailableOf(this.set), 'maxUnavailable holds');
  }

  #do(action: Action): void {
    switch (action.type) {
      case 'createRevision': {
        const { name = '' } = action.revision.metadata;
        assert.ok(!this.revisions.has(name), 'a revision is made once');
        this.revisions.set(name, stored(action.revision));
        return;
      }
      case 'renumberRevision':
        this.revisions.set(action.revision.metadata.name, { ...action.revision, revision: action.number });
        return;
      case 'deleteRevision':
        assert.ok(
          ![...this.pods.values()].some((pod) => revisionOf(pod) === action.revision.metadata.name),
          'a live revision is kept',
        );
        this.revisions.delete(action.revision.metadata.name);
        return;
      case 'createPod':
        this.#claims(action.claims);
        this.#create(action.pod);
        return;
      case 'deletePod':
        this.#delete(action.pod.metadata.name);
        return;
      case 'updatePod':
      case 'fixClaims':
        this.#claims(action.claims);
    }
  }

  #claims({ create, update }: ClaimWork): void {
    for (const claim of create) {
      assert.ok(!this.claims.has(claim.metadata.name ?? ''), 'a claim that is there is not made again');
      this.claims.set(claim.metadata.name ?? '', stored({ ...claim, status: { phase: 'Bound' } }));
    }
    for (const claim of update) this.claims.set(claim.metadata.name, claim);
  }

  #create(pod: Pod): void {
    const { name = '' } = pod.metadata;
    const ordinal = parentOf(name)?.ordinal ?? -1;
    assert.ok(!this.pods.has(name), `at most one pod of a name: ${name}`);
    assert.ok(this.claims.has(`www-${name}`), 'claims come before the pod');
    if (this.set.spec.podManagementPolicy === 'OrderedReady') {
      for (let lower = startOrdinal(this.set); lower < ordinal; lower++) {
        const predecessor = this.pods.get(`web-${lower}`);
        assert.ok(
          predecessor && isRunningAndReady(predecessor) && !isTerminating(predecessor),
          `${name} before web-${lower} is ready`,
        );
      }
    }
    if (this.set.spec.updateStrategy?.type === 'Recreate') {
      const revision = revisionOf(pod);
      assert.ok(
        [...this.pods.values()].every((other) => revisionOf(other) === revision),
        'old and new never side by side',
      );
    }
    this.pods.set(
      name,
      stored({ ...pod, status: { phase: 'Pending' } }, { uid: `uid-${name}-${this.#count++}` }),
    );
  }

  #delete(name: string): void {
    const pod = this.pods.get(name);
    if (pod)
      this.pods.set(name, {
        ...pod,
        metadata: { ...pod.metadata, deletionTimestamp: timestamp(this.now + 30_000) },
      });
  }

  setState(name: string, state: PodState): void {
    const pod = this.pods.get(name);
    if (pod)
      this.pods.set(name, { ...pod, status: podStatus(state, timestamp(this.now), pod.status?.startTime) });
  }

  /** The garbage collector: a claim goes with the last of its owners. */
  collectClaims(): void {
    const uids = new Set([this.set.metadata.uid, ...[...this.pods.values()].map((pod) => pod.metadata.uid)]);
    for (const [name, claim] of this.claims) {
      const owners = claim.metadata.ownerReferences ?? [];
      if (owners.length > 0 && !owners.some(({ uid }) => uids.has(uid))) this.claims.delete(name);
    }
  }

  /** A world in which nothing goes wrong any more. */
  behave(): void {
    for (const [name, pod] of this.pods) {
      if (isTerminating(pod)) this.pods.delete(name);
      else if (pod.status?.phase === 'Pending' || pod.status?.phase === 'Running') {
        if (!isRunningAndReady(pod)) this.setState(name, 'Ready');
      }
    }
    this.collectClaims();
    this.now += 60_000;
  }
}

const strategies = fc.oneof(
  fc.record({
    type: fc.constant('RollingUpdate'),
    rollingUpdate: fc.record({
      partition: fc.integer({ min: 0, max: 5 }),
      maxUnavailable: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constantFrom('10%', '50%', '100%')),
    }),
  }),
  fc.constant({ type: 'OnDelete' }),
  fc.constant({ type: 'Recreate' }),
);

const specs = fc.record({
  replicas: fc.integer({ min: 0, max: 6 }),
  ordinals: fc.record({ start: fc.integer({ min: 0, max: 3 }) }),
  minReadySeconds: fc.constantFrom(0, 0, 10),
  podManagementPolicy: fc.constantFrom('OrderedReady', 'Parallel'),
  updateStrategy: strategies,
  revisionHistoryLimit: fc.integer({ min: 0, max: 3 }),
  persistentVolumeClaimRetentionPolicy: fc.record({
    whenDeleted: fc.constantFrom('Retain', 'Delete'),
    whenScaled: fc.constantFrom('Retain', 'Delete'),
  }),
});

type Happening =
  | { type: 'pass' }
  | { type: 'state'; pod: number; state: PodState }
  | { type: 'gone'; pod: number }
  | { type: 'person deletes'; pod: number }
  | { type: 'claim lost'; pod: number }
  | { type: 'scale'; replicas: number }
  | { type: 'start'; start: number }
  | { type: 'image'; image: number };

const pod = fc.integer({ min: 0, max: 8 });
const happenings: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ type: 'pass' as const }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('state' as const),
      pod,
      state: fc.constantFrom<PodState[]>(
        'Ready',
        'Ready',
        'Ready',
        'Running',
        'Pending',
        'Failed',
        'Succeeded',
        'CrashLoop',
      ),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('gone' as const), pod }) },
  fc.record({ type: fc.constant('person deletes' as const), pod }),
  fc.record({ type: fc.constant('claim lost' as const), pod }),
  fc.record({ type: fc.constant('scale' as const), replicas: fc.integer({ min: 0, max: 6 }) }),
  fc.record({ type: fc.constant('start' as const), start: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ type: fc.constant('image' as const), image: fc.integer({ min: 1, max: 3 }) }),
);

function happen(world: World, happening: Happening): void {
  const respec = (spec: Partial<StatefulSet['spec']>): void => {
    const generation = (world.set.metadata.generation ?? 0) + 1;
    world.set = {
      ...world.set,
      metadata: { ...world.set.metadata, generation },
      spec: { ...world.set.spec, ...spec },
    };
  };
  switch (happening.type) {
    case 'pass':
      world.pass();
      return;
    case 'state': {
      const current = world.pods.get(`web-${happening.pod}`);
      const ended = current?.status?.phase === 'Failed' || current?.status?.phase === 'Succeeded';
      if (current && !isTerminating(current) && !ended)
        world.setState(`web-${happening.pod}`, happening.state);
      return;
    }
    case 'gone': {
      const current = world.pods.get(`web-${happening.pod}`);
      if (current && isTerminating(current)) world.pods.delete(`web-${happening.pod}`);
      return;
    }
    case 'person deletes': {
      const current = world.pods.get(`web-${happening.pod}`);
      if (!current) return;
      const metadata = { ...current.metadata, deletionTimestamp: timestamp(world.now) };
      world.pods.set(`web-${happening.pod}`, { ...current, metadata });
      return;
    }
    case 'claim lost':
      world.claims.delete(`www-web-${happening.pod}`);
      return;
    case 'scale':
      respec({ replicas: happening.replicas });
      return;
    case 'start':
      respec({ ordinals: { start: happening.start } });
      return;
    case 'image':
      respec({ template: makeSet({ image: `nginx:${happening.image}` }).spec.template });
  }
}

/** Lets the world behave until the set is at rest; fails if it never is. */
function comeToRest(world: World): Plan {
  for (let step = 0; step < 200; step++) {
    const planned = world.pass();
    if (planned.phases.length === 0 && !planned.waiting) return planned;
    world.behave();
  }
  throw new Error('the set does not come to rest');
}

test('in any world: at most one pod of a name, order kept, maxUnavailable kept, and it comes to rest', () => {
  fc.assert(
    fc.property(specs, fc.array(happenings, { maxLength: 60 }), (spec, story) => {
      const world = new World(makeSet({ spec }));
      for (const happening of story) happen(world, happening);
      const last = comeToRest(world);
      const { set } = world;
      const start = startOrdinal(set);
      const wanted = Array.from({ length: replicasOf(set) }, (_, index) => `web-${start + index}`);
      assert.deepEqual([...world.pods.keys()].sort(), wanted.sort());
      assert.equal(last.status.readyReplicas, replicasOf(set));
      assert.equal(last.status.observedGeneration, set.metadata.generation);
      const update = last.status.updateRevision;
      const strategy = set.spec.updateStrategy;
      for (const [name, each] of world.pods) {
        const index = (parentOf(name)?.ordinal ?? 0) - start;
        const isFree = strategy?.type === 'OnDelete' || index < (strategy?.rollingUpdate?.partition ?? 0);
        if (!isFree) assert.equal(revisionOf(each), update, `${name} is at the update revision`);
      }
      if (wanted.length > 0 && [...world.pods.values()].every((each) => revisionOf(each) === update)) {
        if (strategy?.type !== 'OnDelete') assert.equal(last.status.currentRevision, update);
      }
    }),
    { numRuns: 400 },
  );
});

test('claims stay when a set is scaled to nothing and back, and each pod finds its own', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('OrderedReady', 'Parallel'),
      fc.integer({ min: 1, max: 6 }),
      (policy, replicas) => {
        const world = new World(makeSet({ spec: { replicas, podManagementPolicy: policy } }));
        comeToRest(world);
        const before = new Map([...world.claims].map(([name, claim]) => [name, claim.metadata.uid]));
        happen(world, { type: 'scale', replicas: 0 });
        comeToRest(world);
        assert.equal(world.pods.size, 0);
        happen(world, { type: 'scale', replicas });
        comeToRest(world);
        assert.deepEqual(
          new Map([...world.claims].map(([name, claim]) => [name, claim.metadata.uid])),
          before,
        );
      },
    ),
    { numRuns: 20 },
  );
});

test('a set of 5,000 pods at rest is planned without an action', () => {
  const set = makeSet({ spec: { replicas: 5000, podManagementPolicy: 'Parallel' } });
  const revision = revisionFor(set, 1);
  const world = new World(set);
  world.revisions.set(revision.metadata.name, revision);
  for (let ordinal = 0; ordinal < 5000; ordinal++) {
    world.pods.set(`web-${ordinal}`, makePod(set, { name: `web-${ordinal}`, revision }));
    world.claims.set(
      `www-web-${ordinal}`,
      stored({ metadata: { name: `www-web-${ordinal}` }, spec: {}, status: { phase: 'Bound' } }),
    );
  }
  const observed = world.observe();
  const planned = plan(observed);
  assert.deepEqual(planned.phases, []);
  assert.equal(planned.status.availableReplicas, 5000);
  if (process.env.STEAD_MEASURE) {
    const begun = process.hrtime.bigint();
    for (let run = 0; run < 50; run++) plan(observed);
    console.log(`plan of 5,000 pods: ${Number(process.hrtime.bigint() - begun) / 50e6} ms`);
  }
});
