// A world of one set for the property tests, in which plans are carried out and time goes by in steps. Whatever plan
// must never do in any world is asserted here, at the moment it would be done.
import assert from 'node:assert/strict';
import type {
  ControllerRevision,
  PersistentVolumeClaim,
  Pod,
  StatefulSet,
} from '../../api/generated/types.ts';
import { isTerminating, type Stored } from '../../api/objects.ts';
import { timestamp } from '../../base/clock.ts';
import type { Action, ClaimWork, Plan } from './actions.ts';
import { isAvailable, isRunningAndReady } from './health.ts';
import { parentOf, replicasOf, revisionOf, startOrdinal } from './identity.ts';
import type { Observation } from './observation.ts';
import { maxUnavailableOf } from './partition.ts';
import { plan } from './plan.ts';
import { type PodState, podStatus, START, stored } from './test-fixtures.ts';

/** Who it is, and at which revision. */
const identity = (pod: Stored<Pod>): string => `${pod.metadata.uid} ${revisionOf(pod)}`;

const takesDown = (action: Action): action is Extract<Action, { type: 'deletePod' | 'updateInPlace' }> =>
  action.type === 'deletePod' || (action.type === 'updateInPlace' && action.restarted.length > 0);

export const sizeOf = (storage: string | undefined): number => Number.parseInt(storage ?? '0', 10);

/** The ordinals that the set wants, found out the slow way. */
export function ordinalsOf(set: StatefulSet): number[] {
  const reserved = (set.metadata.annotations?.['stead.dev/reserve-ordinals'] ?? '').split(',');
  const all = Array.from({ length: 20 }, (_, ordinal) => ordinal).slice(startOrdinal(set));
  return all.filter((ordinal) => !reserved.includes(String(ordinal))).slice(0, replicasOf(set));
}

/** A world of one set in which plans are carried out and time goes by in steps. */
export class World {
  set: Stored<StatefulSet>;
  pods = new Map<string, Stored<Pod>>();
  claims = new Map<string, Stored<PersistentVolumeClaim>>();
  revisions = new Map<string, Stored<ControllerRevision>>();
  now = START;
  /** The pods (by UID and revision) that a pass has seen ready. */
  readonly #wereReady = new Set<string>();
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
    for (const pod of this.pods.values()) if (isRunningAndReady(pod)) this.#wereReady.add(identity(pod));
    this.checkStatus(planned);
    this.checkBudget(planned);
    this.checkUpdate(planned);
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
    const down = ordinalsOf(this.set).filter((ordinal) => !isUp(this.pods.get(`web-${ordinal}`))).length;
    const taken = phases.flatMap(({ name, actions }) =>
      name === 'update' ? actions.filter((action) => takesDown(action) && isUp(action.pod)) : [],
    ).length;
    assert.ok(taken === 0 || down + taken <= maxUnavailableOf(this.set), 'maxUnavailable holds');
  }

  /** What holds of every pod that is taken to another revision. */
  checkUpdate({ phases, status }: Plan): void {
    const annotations = this.set.metadata.annotations ?? {};
    const minReady = this.set.spec.minReadySeconds ?? 0;
    const available = (pod: Stored<Pod> | undefined): boolean =>
      pod !== undefined && !isTerminating(pod) && isAvailable(pod, minReady, this.now);
    const ordinals = ordinalsOf(this.set);
    const partition = this.set.spec.updateStrategy?.rollingUpdate?.partition ?? 0;
    for (const { name, actions } of phases) {
      for (const action of actions) {
        if (action.type === 'deletePod' && action.why === 'recovery') {
          assert.ok(!this.#wereReady.has(identity(action.pod)), 'what was ready is waited for');
          assert.notEqual(annotations['stead.dev/rollout-recovery'], 'manual');
        } else if (
          !(action.type === 'deletePod' && action.why === 'update') &&
          action.type !== 'updateInPlace'
        ) {
          continue;
        }
        assert.notEqual(annotations['stead.dev/paused'], 'true', 'a pause is kept');
        assert.notEqual(this.set.spec.updateStrategy?.type, 'OnDelete');
        if (action.type === 'updateInPlace') {
          assert.equal(annotations['stead.dev/pod-update'], 'in-place-if-possible');
          assert.equal(revisionOf(action.changed), status.updateRevision);
        }
        if (name !== 'update') continue;
        const isWanted = ordinals.some((ordinal) => action.pod.metadata.name === `web-${ordinal}`);
        assert.ok(
          !isWanted || !this.#isSmall(action.pod.metadata.name),
          'its claim grows before a pod is touched',
        );
        const leads = annotations['stead.dev/update-last'] && action.pod.metadata.labels?.role === 'primary';
        if (!leads || !available(action.pod) || !takesDown(action)) continue;
        if (this.set.spec.updateStrategy?.type === 'Recreate') continue;
        ordinals.forEach((ordinal, index) => {
          const other = this.pods.get(`web-${ordinal}`);
          assert.ok(available(other), 'the leader is updated when all others are available');
          if (index < partition || other?.metadata.labels?.role === 'primary') return;
          assert.equal(revisionOf(other ?? action.pod), status.updateRevision, 'the leader is the last');
        });
      }
    }
  }

  /** Whether the claim of the ordinal has less than the template says. */
  #isSmall(podName: string): boolean {
    const claim = this.claims.get(`www-${podName}`);
    return claim !== undefined && sizeOf(claim.status?.capacity?.storage) < this.#wantedSize();
  }

  #wantedSize(): number {
    return sizeOf(this.set.spec.volumeClaimTemplates?.[0]?.spec.resources?.requests?.storage);
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
      case 'updateInPlace': {
        const { metadata } = action.changed;
        const generation = (metadata.generation ?? 1) + (action.restarted.length > 0 ? 1 : 0);
        this.pods.set(metadata.name, { ...action.changed, metadata: { ...metadata, generation } });
        return;
      }
      case 'updatePod':
        this.#claims(action.claims);
        if (action.changed) this.pods.set(action.pod.metadata.name, stored(action.changed));
        return;
      case 'fixClaims':
        this.#claims(action.claims);
        return;
      case 'updateClaim':
        this.#updateClaim(action);
    }
  }

  #updateClaim({ claim, podName }: Extract<Action, { type: 'updateClaim' }>): void {
    const before = this.claims.get(claim.metadata.name);
    const size = (of: typeof claim | undefined) => sizeOf(of?.spec.resources?.requests?.storage);
    assert.ok(before && size(claim) >= size(before), 'a claim never shrinks');
    assert.equal(size(claim), this.#wantedSize());
    if (this.set.spec.podManagementPolicy === 'OrderedReady') {
      for (const ordinal of ordinalsOf(this.set)) {
        if (`web-${ordinal}` === podName) break;
        assert.ok(!this.#isSmall(`web-${ordinal}`), `claim of ${podName} before that of web-${ordinal}`);
      }
    }
    this.claims.set(claim.metadata.name, claim);
  }

  #claims({ create, update }: ClaimWork): void {
    for (const claim of create) {
      assert.ok(!this.claims.has(claim.metadata.name ?? ''), 'a claim that is there is not made again');
      this.claims.set(
        claim.metadata.name ?? '',
        stored({ ...claim, status: { phase: 'Bound', capacity: { ...claim.spec.resources?.requests } } }),
      );
    }
    for (const claim of update) this.claims.set(claim.metadata.name, claim);
  }

  #create(pod: Pod): void {
    const { name = '' } = pod.metadata;
    const ordinal = parentOf(name)?.ordinal ?? -1;
    assert.ok(!this.pods.has(name), `at most one pod of a name: ${name}`);
    assert.ok(this.claims.has(`www-${name}`), 'claims come before the pod');
    assert.ok(ordinalsOf(this.set).includes(ordinal), 'a reserved ordinal gets no pod');
    if (this.set.spec.podManagementPolicy === 'OrderedReady') {
      for (const lower of ordinalsOf(this.set).filter((other) => other < ordinal)) {
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

  /** Its node says how the pod is, running the images that it has now. */
  setState(name: string, state: PodState): void {
    const pod = this.pods.get(name);
    if (!pod) return;
    // Times are told in seconds.
    this.now += 2000;
    const status = podStatus(state, timestamp(this.now), pod.status?.startTime);
    for (const container of status.containerStatuses ?? []) {
      container.containerID = `containerd://${pod.metadata.uid}/${pod.spec.containers[0]?.image}`;
    }
    if (pod.metadata.generation !== undefined) status.observedGeneration = pod.metadata.generation;
    this.pods.set(name, { ...pod, status });
  }

  /** The lead goes to the pod, or to nobody. */
  lead(name: string): void {
    for (const pod of this.pods.values()) {
      const { role: _role, ...labels } = pod.metadata.labels ?? {};
      const mine = pod.metadata.name === name ? { ...labels, role: 'primary' } : labels;
      this.pods.set(pod.metadata.name, { ...pod, metadata: { ...pod.metadata, labels: mine } });
    }
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
    for (const [name, claim] of this.claims) {
      const capacity = { ...claim.spec.resources?.requests };
      this.claims.set(name, { ...claim, status: { phase: 'Bound', capacity } });
    }
    this.collectClaims();
    this.now += 60_000;
  }
}
