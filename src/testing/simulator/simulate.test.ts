// The simulator's own tests: that the cluster stands whatever happens, that a seed replays, and that broken rules are
// found. A mutant is the real plan with one of its rules broken.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isTerminating } from '../../api/objects.ts';
import type { Action, Phase, Plan } from '../../controllers/statefulset/actions.ts';
import type { Observation } from '../../controllers/statefulset/observation.ts';
import { plan } from '../../controllers/statefulset/plan.ts';
import { simulate } from './simulate.ts';

const SEEDS = 200;

const mapActions = (planned: Plan, change: (action: Action) => Action): Plan => ({
  ...planned,
  phases: planned.phases.map((phase): Phase => ({ ...phase, actions: phase.actions.map(change) })),
});

/** The observation as if every pod that is not going were ready, for long. */
function allReady(observed: Observation): Observation {
  const pods = observed.pods.map((pod) => {
    if (isTerminating(pod)) return pod;
    const ready = { type: 'Ready', status: 'True', lastTransitionTime: '2020-01-01T00:00:00Z' };
    return { ...pod, status: { ...pod.status, phase: 'Running', conditions: [ready] } };
  });
  return { ...observed, pods };
}

const MUTANTS: Record<string, typeof plan> = {
  'starts a pod before its predecessor is ready': (observed) => plan(allReady(observed)),
  'deletes two pods at once': (observed) => {
    const planned = plan(observed);
    return {
      ...planned,
      phases: planned.phases.map((phase): Phase => {
        const [first] = phase.actions;
        if (first?.type !== 'deletePod' || phase.actions.length > 1) return phase;
        const other = observed.pods.find((pod) => pod !== first.pod && !isTerminating(pod));
        return other ? { ...phase, actions: [first, { ...first, pod: other }] } : phase;
      }),
    };
  },
  'gives a pod the claim of another': (observed) =>
    mapActions(plan(observed), (action) => {
      if (action.type !== 'createPod' || !action.pod.metadata.name?.endsWith('-1')) return action;
      const volumes = (action.pod.spec.volumes ?? []).map((volume) => {
        const claimName = volume.persistentVolumeClaim?.claimName.replace(/-1$/, '-0');
        return claimName ? { ...volume, persistentVolumeClaim: { claimName } } : volume;
      });
      return { ...action, pod: { ...action.pod, spec: { ...action.pod.spec, volumes } } };
    }),
  'does not wait for termination': (observed) =>
    plan({ ...observed, pods: observed.pods.filter((pod) => !isTerminating(pod)) }),
  'ignores the partition': (observed) => {
    const { rollingUpdate, ...strategy } = observed.set.spec.updateStrategy ?? {};
    const updateStrategy = {
      ...strategy,
      ...(rollingUpdate ? { rollingUpdate: { ...rollingUpdate, partition: 0 } } : {}),
    };
    return plan({ ...observed, set: { ...observed.set, spec: { ...observed.set.spec, updateStrategy } } });
  },
};

describe('simulated cluster', () => {
  // In a process of its own: the test runner follows every promise, which makes them slow.
  it(`stands under ${SEEDS} seeds of faults`, async () => {
    const program = fileURLToPath(new URL('./run.js', import.meta.url));
    // What is made in a step is garbage after it: room for the young spares a seventh of the time.
    const args = ['--max-semi-space-size=64', program, '--seeds', String(SEEDS)];
    const { stdout } = await promisify(execFile)(process.execPath, args).catch(
      (error: { stdout?: string }) => ({
        stdout: error.stdout ?? String(error),
      }),
    );
    assert.match(stdout, / 0 failed\n$/, stdout);
  });

  it('replays a seed exactly', async () => {
    const [first, second, other] = [await simulate(7), await simulate(7), await simulate(8)];
    assert.equal(first.digest, second.digest);
    assert.deepEqual(first.trace, second.trace);
    assert.notEqual(first.digest, other.digest);
  });

  for (const [what, decide] of Object.entries(MUTANTS)) {
    it(`finds a controller that ${what}`, async (test) => {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const { failure } = await simulate(seed, { decide });
        // Not converging would not show which rule was broken.
        if (!failure || failure.startsWith('not converged')) continue;
        test.diagnostic(`seed ${seed}: ${failure}`);
        return;
      }
      assert.fail(`none of ${SEEDS} seeds found it`);
    });
  }
});
