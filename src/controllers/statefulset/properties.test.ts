// Invariants of plan over random sets, histories and worlds: what it must never do in any of them (world.test.ts), and
// that it comes to rest with what was wanted once the world behaves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { StatefulSet } from '../../api/generated/types.ts';
import { isTerminating, type Stored } from '../../api/objects.ts';
import { timestamp } from '../../base/clock.ts';
import type { Plan } from './actions.ts';
import { parentOf, replicasOf, revisionOf } from './identity.ts';
import { plan } from './plan.ts';
import { makePod, makeSet, type PodState, revisionFor, stored } from './test-fixtures.ts';
import { ordinalsOf, sizeOf, World } from './test-world.ts';

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
  | { type: 'all goes well'; steps: number }
  | { type: 'state'; pod: number; state: PodState }
  | { type: 'gone'; pod: number }
  | { type: 'person deletes'; pod: number }
  | { type: 'claim lost'; pod: number }
  | { type: 'scale'; replicas: number }
  | { type: 'start'; start: number }
  | { type: 'image'; image: number }
  | { type: 'label'; tier: string }
  | { type: 'grow'; storage: string }
  | { type: 'lead'; pod: number }
  | { type: 'annotate'; name: string; value: string };

const pod = fc.integer({ min: 0, max: 8 });
const happenings: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ type: 'pass' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('all goes well' as const),
      steps: fc.integer({ min: 1, max: 12 }),
    }),
  },
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
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('image' as const), image: fc.integer({ min: 1, max: 3 }) }),
  },
  fc.record({ type: fc.constant('label' as const), tier: fc.constantFrom('web', 'db') }),
  fc.record({ type: fc.constant('grow' as const), storage: fc.constantFrom('300Mi', '400Mi', '500Mi') }),
  fc.record({ type: fc.constant('lead' as const), pod }),
  fc.oneof(
    ...Object.entries({
      'rollout-recovery': ['manual', 'automatic'],
      'reserve-ordinals': ['1', '0,3', '2,4,5'],
      'update-last': ['role=primary'],
      'pod-update': ['in-place-if-possible', 'in-place-if-possible', 'recreate'],
      paused: ['true', 'false'],
    }).map(([name, values]) =>
      fc.record({
        type: fc.constant('annotate' as const),
        name: fc.constant(name),
        value: fc.constantFrom(...values),
      }),
    ),
  ),
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
    case 'all goes well':
      for (let step = 0; step < happening.steps; step++) {
        world.behave();
        world.pass();
      }
      return;
    case 'state': {
      const current = world.pods.get(`web-${happening.pod}`);
      const ended = current?.status?.phase === 'Failed' || current?.status?.phase === 'Succeeded';
      // What a node has begun with is never again a pod that none has seen.
      const unseen = happening.state === 'Pending' || happening.state === 'Unschedulable';
      const impossible = ended || (unseen && current?.status?.startTime !== undefined);
      if (current && !isTerminating(current) && !impossible)
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
      return;
    case 'label': {
      const { template } = world.set.spec;
      const labels = { ...template.metadata?.labels, tier: happening.tier };
      respec({ template: { ...template, metadata: { ...template.metadata, labels } } });
      return;
    }
    case 'grow': {
      const [template] = world.set.spec.volumeClaimTemplates ?? [];
      const before = template?.spec.resources?.requests?.storage;
      // Less would be refused.
      if (!template || sizeOf(before) >= sizeOf(happening.storage)) return;
      const resources = { requests: { storage: happening.storage } };
      const spec = { ...template.spec, resources };
      respec({ volumeClaimTemplates: [{ ...template, spec }] });
      return;
    }
    case 'lead':
      world.lead(`web-${happening.pod}`);
      return;
    case 'annotate': {
      const annotations = {
        ...world.set.metadata.annotations,
        [`stead.dev/${happening.name}`]: happening.value,
      };
      world.set = { ...world.set, metadata: { ...world.set.metadata, annotations } };
    }
  }
}

function withStorageClass(set: Stored<StatefulSet>): Stored<StatefulSet> {
  const volumeClaimTemplates = set.spec.volumeClaimTemplates?.map((template) => ({
    ...template,
    spec: { ...template.spec, storageClassName: 'storage-local' },
  }));
  return { ...set, spec: { ...set.spec, ...(volumeClaimTemplates ? { volumeClaimTemplates } : {}) } };
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
      const world = new World(withStorageClass(makeSet({ spec })));
      for (const happening of story) happen(world, happening);
      const last = comeToRest(world);
      const { set } = world;
      const ordinals = ordinalsOf(set);
      const wanted = ordinals.map((ordinal) => `web-${ordinal}`);
      assert.deepEqual([...world.pods.keys()].sort(), wanted.sort());
      assert.equal(last.status.readyReplicas, replicasOf(set));
      assert.equal(last.status.observedGeneration, set.metadata.generation);
      const update = last.status.updateRevision;
      const strategy = set.spec.updateStrategy;
      for (const [name, each] of world.pods) {
        assert.equal(each.metadata.annotations?.['stead.dev/in-place-update'], undefined);
        // A claim that was lost while its pod runs is made again with the pod.
        const claim = world.claims.get(`www-${name}`);
        const [template] = set.spec.volumeClaimTemplates ?? [];
        if (claim) assert.deepEqual(claim.spec.resources, template?.spec.resources);
        const index = ordinals.indexOf(parentOf(name)?.ordinal ?? -1);
        if (set.metadata.annotations?.['stead.dev/paused'] === 'true') continue;
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
