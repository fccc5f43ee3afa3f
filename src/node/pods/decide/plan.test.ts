// The plan of a pod: golden scenarios (scenarios.yaml), and what holds in every state that can be observed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import type { PodSpec, PodStatus, ResourceRequirements } from '../../../api/generated/types.ts';
import type { Container, ContainerState, Image, Sandbox } from '../../runtime.ts';
import type { Action, Eviction, ImageState, PodObservation, ProbeOutcome } from './observation.ts';
import { planPod } from './plan.ts';

interface Scenario {
  name: string;
  now?: number;
  spec?: Partial<PodSpec>;
  status?: PodStatus;
  sandboxes?: Array<{ id: string; attempt?: number; ready?: boolean }>;
  stopped?: string[];
  containers?: Array<{
    id: string;
    name: string;
    attempt?: number;
    state: ContainerState;
    exitCode?: number;
    finishedAt?: number;
    labels?: Record<string, string>;
  }>;
  volumes?: 'none' | 'ready' | 'down';
  images?: Record<
    string,
    'present' | { failedAt: number; checkedAt: number; retryAt: number; message: string }
  >;
  /** That a container could not be made before, for its configuration. */
  startFailures?: Record<string, { failedAt: number; retryAt: number; message: string }>;
  backoffs?: Record<string, { delay: number; updatedAt: number }>;
  probes?: Record<string, ProbeOutcome>;
  applied?: Record<string, ResourceRequirements>;
  busy?: string[];
  stopping?: Record<string, { deadline: number; signalledUntil?: number }>;
  ending?: { cause: 'deleted' | 'removed' | 'shutdown'; grace: number; deadline?: number } | undefined;
  removed?: boolean;
  eviction?: Eviction;
  expect: {
    actions: string[];
    phase?: string;
    reason?: string;
    states?: Record<string, string>;
    conditions?: Record<string, string>;
    wakeAt?: number;
  };
}

const IMAGE: Image = { id: 'sha256:1', tags: [], digests: [], sizeBytes: 1 };

function imageState(
  name: string,
  image: 'present' | { failedAt: number; checkedAt: number; retryAt: number; message: string },
): ImageState {
  if (image === 'present') return { state: 'present', name, image: IMAGE };
  return {
    state: 'failed',
    name,
    reason: 'ErrImagePull',
    message: image.message,
    failedAtMs: image.failedAt * 1000,
    checkedAtMs: image.checkedAt * 1000,
    retryAtMs: image.retryAt * 1000,
  };
}

function observationOf(scenario: Omit<Scenario, 'expect'>): PodObservation {
  const { now = 50 } = scenario;
  const sandboxes = (scenario.sandboxes ?? []).map(
    ({ attempt = 0, id, ready = true }): Sandbox => ({
      id,
      podUid: 'uid',
      namespace: 'default',
      name: 'web-0',
      attempt,
      ready,
      createdAtMs: 0,
      ips: ready ? ['10.0.0.2'] : [],
    }),
  );
  const containers = (scenario.containers ?? []).map(
    (container): Container => ({
      sandboxId: sandboxes[0]?.id ?? '',
      podUid: 'uid',
      attempt: 0,
      image: 'nginx',
      imageId: IMAGE.id,
      createdAtMs: 0,
      startedAtMs: 0,
      finishedAtMs: (container.finishedAt ?? 0) * 1000,
      exitCode: 0,
      reason: '',
      message: '',
      labels: {},
      ...container,
    }),
  );
  const spec: PodSpec = { containers: [{ name: 'web', image: 'nginx' }], ...scenario.spec };
  const imageOf = (name: string): string =>
    [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])].find(
      (each) => each.name === name,
    )?.image ?? '';
  const entries = <T, U>(record: Record<string, T> | undefined, map: (value: T) => U): Map<string, U> =>
    new Map(Object.entries(record ?? {}).map(([key, value]) => [key, map(value)]));
  return {
    pod: {
      metadata: {
        name: 'web-0',
        namespace: 'default',
        uid: 'uid',
        resourceVersion: '1',
        creationTimestamp: '1970-01-01T00:00:00Z',
      },
      spec,
      ...(scenario.status ? { status: scenario.status } : {}),
    },
    sandboxes,
    containers,
    stoppedSandboxes: new Set(scenario.stopped),
    sandboxFailure: undefined,
    volumes: { state: scenario.volumes ?? 'none' },
    images: new Map(
      Object.entries(scenario.images ?? {}).map(([name, image]) => [name, imageState(imageOf(name), image)]),
    ),
    startFailures: entries(scenario.startFailures, ({ message, failedAt, retryAt }) => ({
      reason: 'CreateContainerConfigError',
      message,
      failedAtMs: failedAt * 1000,
      retryAtMs: retryAt * 1000,
    })),
    backoffs: entries(scenario.backoffs, ({ delay, updatedAt }) => ({
      delayMs: delay * 1000,
      updatedAtMs: updatedAt * 1000,
    })),
    probe: (id, kind) => scenario.probes?.[`${id}/${kind}`],
    probeMessage: () => undefined,
    terminationMessages: new Map(),
    applied: entries(scenario.applied, (resources) => resources),
    resizeFailures: new Map(),
    resizePending: undefined,
    busy: new Set(scenario.busy),
    stopping: entries(scenario.stopping, ({ deadline, signalledUntil }) => ({
      deadlineMs: deadline * 1000,
      signalledUntilMs: signalledUntil === undefined ? undefined : signalledUntil * 1000,
    })),
    ending: scenario.ending && {
      cause: scenario.ending.cause,
      graceSeconds: scenario.ending.grace,
      deadlineMs: (scenario.ending.deadline ?? now + scenario.ending.grace) * 1000,
    },
    rejection: undefined,
    eviction: scenario.eviction,
    reclaimed: false,
    removed: scenario.removed === true,
    objectDeleted: false,
    heldUnready: undefined,
    runtimeName: 'containerd',
    nodeIps: ['10.0.0.1'],
    now: now * 1000,
  };
}

function describeAction(action: Action): string {
  switch (action.type) {
    case 'runSandbox':
      return `runSandbox ${action.attempt}`;
    case 'stopSandbox':
    case 'removeContainer':
      return `${action.type} ${action.id}`;
    case 'ensureImage':
      return `ensureImage ${action.container}${action.mayPull ? '' : ' look'}`;
    case 'startContainer':
      return `startContainer ${action.container} ${action.attempt}`;
    case 'resizeContainer':
      return `resizeContainer ${action.container} ${action.id}`;
    case 'beginStop':
      return `beginStop ${action.container} ${action.id}`;
    case 'stopSooner':
      return `stopSooner ${action.container} ${action.id} ${action.graceSeconds}`;
    case 'stopContainer':
      return `stopContainer ${action.container} ${action.id} ${action.graceSeconds} ${action.message}`;
    default:
      return action.type;
  }
}

function stateWord(status: PodStatus, name: string): string {
  const found = [
    ...(status.initContainerStatuses ?? []),
    ...(status.containerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ].find((each) => each.name === name);
  const { running, terminated, waiting } = found?.state ?? {};
  return waiting?.reason ?? terminated?.reason ?? (running ? (found?.ready ? 'ready' : 'running') : 'none');
}

describe('plan of a pod', () => {
  const scenarios: Scenario[] = parse(readFileSync(new URL('./scenarios.yaml', import.meta.url), 'utf8'));
  for (const scenario of scenarios) {
    it(scenario.name, () => {
      const { actions, status, wakeAtMs } = planPod(observationOf(scenario));
      const { expect } = scenario;
      assert.deepEqual(actions.map(describeAction), expect.actions);
      if (expect.phase) assert.equal(status.phase, expect.phase);
      if (expect.reason) assert.equal(status.reason, expect.reason);
      for (const [name, word] of Object.entries(expect.states ?? {})) {
        assert.equal(stateWord(status, name), word, `state of ${name}`);
      }
      for (const [type, wanted] of Object.entries(expect.conditions ?? {})) {
        const condition = status.conditions?.find((each) => each.type === type);
        const full = `${condition?.reason}: ${condition?.message}`;
        assert.ok([condition?.status, condition?.reason, full].includes(wanted), `${type} is ${full}`);
      }
      if (expect.wakeAt !== undefined) assert.equal(wakeAtMs, expect.wakeAt * 1000);
    });
  }

  const anyScenario: fc.Arbitrary<Omit<Scenario, 'expect' | 'name'>> = fc.record(
    {
      spec: fc.record(
        {
          restartPolicy: fc.constantFrom('Always', 'OnFailure', 'Never'),
          containers: fc.constantFrom(
            [{ name: 'web', image: 'nginx' }],
            [{ name: 'web', image: 'nginx', lifecycle: { preStop: { sleep: { seconds: 5 } } } }],
          ),
          ephemeralContainers: fc.constantFrom(
            [],
            [{ name: 'look', image: 'a', targetContainerName: 'web' }],
          ),
          initContainers: fc.constantFrom(
            [],
            [{ name: 'init', image: 'a' }],
            [{ name: 'side', image: 'a', restartPolicy: 'Always' }],
          ),
        },
        { requiredKeys: [] },
      ),
      sandboxes: fc.constantFrom([], [{ id: 's0' }], [{ id: 's0', ready: false }]),
      stopped: fc.subarray(['s0']),
      containers: fc.uniqueArray(
        fc.record({
          id: fc.constantFrom('a', 'b', 'c'),
          name: fc.constantFrom('web', 'init', 'side'),
          state: fc.constantFrom<ContainerState>('created', 'running', 'exited', 'unknown'),
          exitCode: fc.constantFrom(0, 1),
        }),
        { selector: (container) => container.name, maxLength: 3 },
      ),
      volumes: fc.constantFrom('none', 'ready', 'down'),
      images: fc.dictionary(fc.constantFrom('web', 'init', 'side'), fc.constant('present' as const)),
      busy: fc.subarray([
        'volumes',
        'sandbox',
        'image/web',
        'container/web',
        'container/init',
        'remove',
        'delete',
        'prestop/a',
        'prestop/b',
      ]),
      stopping: fc.dictionary(
        fc.constantFrom('a', 'b'),
        fc.record({ deadline: fc.integer({ min: 40, max: 70 }) }),
      ),
      ending: fc.option(
        fc.record({
          cause: fc.constantFrom('deleted', 'removed', 'shutdown'),
          grace: fc.integer({ min: 1, max: 60 }),
        }),
        { nil: undefined },
      ),
      removed: fc.boolean(),
    },
    { requiredKeys: ['spec'] },
  );

  it('an end of readiness has a later time than its beginning, even within one second', () => {
    const since = '1970-01-01T00:00:50Z';
    const status: PodStatus = {
      startTime: since,
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: since }],
    };
    const transition = (now: number): string | undefined =>
      planPod(observationOf({ name: '', now, status })).status.conditions?.find(
        ({ type }) => type === 'Ready',
      )?.lastTransitionTime;
    assert.equal(transition(50.4), '1970-01-01T00:00:51Z');
    assert.equal(transition(80), '1970-01-01T00:01:20Z');
  });

  it('holds its invariants in every state', () => {
    fc.assert(
      fc.property(anyScenario, (scenario) => {
        const observed = observationOf({ name: '', ...scenario });
        const { actions, status } = planPod(observed);
        const keys = actions.map((action) => action.key);
        assert.equal(new Set(keys).size, keys.length, 'two actions of one key');
        for (const key of keys) assert.ok(!observed.busy.has(key), `${key} is under way already`);
        const types = new Set(actions.map((action) => action.type));
        if (observed.ending) {
          assert.ok(!types.has('startContainer') && !types.has('runSandbox'), 'starts what is ending');
        }
        const alive = observed.containers.some((container) => container.state === 'running');
        if (alive) {
          for (const type of ['tearDownVolumes', 'removeAll', 'deleteObject', 'runSandbox'] as const) {
            assert.ok(!types.has(type), `${type} while a container runs`);
          }
        }
        for (const action of actions) {
          if (action.type !== 'stopContainer' || !observed.busy.has(`prestop/${action.id}`)) continue;
          assert.ok(action.deadlineMs <= observed.now, 'signalled while preStop runs and has time');
        }
        if (types.has('deleteObject')) assert.ok(observed.removed && observed.volumes.state === 'down');
        if (types.has('startContainer')) assert.equal(observed.volumes.state, 'ready');
        const ready = status.conditions?.find((condition) => condition.type === 'Ready');
        if (ready?.status === 'True') {
          assert.equal(status.phase, 'Running');
          assert.ok(status.containerStatuses?.every((container) => container.ready));
        }
        assert.deepEqual(planPod(observed), { ...planPod(observed) }, 'not a function of its observation');
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});
