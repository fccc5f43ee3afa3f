import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { boundVolume } from '../../api/between/volume-binding.ts';
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../api/generated/types.ts';
import type { KubeObject, Stored } from '../../api/objects.ts';
import { boundClaim, type ClaimObservation, claimWithPhase, planClaim } from './claim-plan.ts';
import { planVolume, releasedPhase, unboundVolume } from './volume-plan.ts';

function stored<T extends KubeObject>(object: T): Stored<T> {
  const metadata = {
    uid: `uid-of-${object.metadata.name}`,
    resourceVersion: '1',
    creationTimestamp: '',
    ...object.metadata,
  };
  return { ...object, metadata: { ...metadata, name: object.metadata.name ?? '' } };
}

const claim = (
  spec: Partial<PersistentVolumeClaim['spec']> = {},
  annotations: Record<string, string> = {},
  status: PersistentVolumeClaim['status'] = {},
): Stored<PersistentVolumeClaim> =>
  stored({
    metadata: { namespace: 'default', name: 'www', annotations },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
    status,
  });

const volume = (
  name: string,
  spec: Partial<PersistentVolume['spec']> = {},
  phase = 'Available',
): Stored<PersistentVolume> =>
  stored({
    metadata: { name },
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], ...spec },
    status: { phase },
  });

const storageClass = (provisioner: string, volumeBindingMode: string): Stored<StorageClass> =>
  stored({ metadata: { name: 'c' }, provisioner, volumeBindingMode });

const observe = (parts: Partial<ClaimObservation> & Pick<ClaimObservation, 'claim'>): ClaimObservation => ({
  named: undefined,
  candidates: [],
  storageClass: undefined,
  defaultClassName: undefined,
  waitingPods: [],
  usedOn: undefined,
  ...parts,
});

const COMPLETED = { 'pv.kubernetes.io/bind-completed': 'yes' };

/** The plan in one line. */
function summary(parts: Partial<ClaimObservation> & Pick<ClaimObservation, 'claim'>): string {
  const plan = planClaim(observe(parts));
  if (plan.type === 'bind') return `bind ${plan.volume.metadata.name}`;
  if (plan.type === 'assignClass') return `class ${plan.className}`;
  return `${plan.type}${plan.event ? ` ${plan.event.reason}: ${plan.event.message}` : ''}`;
}

describe('planClaim', () => {
  const local = storageClass('stead.dev/local', 'WaitForFirstConsumer');
  const cases: [string, Parameters<typeof summary>[0], string][] = [
    [
      'the smallest that fits',
      {
        claim: claim(),
        candidates: [
          volume('b', { capacity: { storage: '2Gi' } }),
          volume('a', { capacity: { storage: '3Gi' } }),
        ],
      },
      'bind b',
    ],
    [
      'none too small',
      { claim: claim(), candidates: [volume('a', { capacity: { storage: '1Mi' } })] },
      'wait FailedBinding: no persistent volumes available for this claim and no storage class is set',
    ],
    [
      'none of another class',
      {
        claim: claim(),
        candidates: [volume('a', { storageClassName: 'fast' })],
        defaultClassName: undefined,
      },
      'wait FailedBinding: no persistent volumes available for this claim and no storage class is set',
    ],
    [
      'none without the access mode',
      { claim: claim({ accessModes: ['ReadWriteMany'], storageClassName: '' }), candidates: [volume('a')] },
      'wait FailedBinding: no persistent volumes available for this claim and no storage class is set',
    ],
    [
      'none that is released',
      { claim: claim({ storageClassName: '' }), candidates: [volume('a', {}, 'Released')] },
      'wait FailedBinding: no persistent volumes available for this claim and no storage class is set',
    ],
    [
      'one reserved for it, even if larger',
      {
        claim: claim(),
        candidates: [
          volume('a'),
          volume('mine', { capacity: { storage: '9Gi' }, claimRef: { namespace: 'default', name: 'www' } }),
        ],
      },
      'bind mine',
    ],
    [
      'by label',
      {
        claim: claim({ selector: { matchLabels: { tier: 'x' } } }),
        candidates: [
          volume('a'),
          { ...volume('b'), metadata: { ...volume('b').metadata, labels: { tier: 'x' } } },
        ],
      },
      'bind b',
    ],
    ['by name', { claim: claim({ volumeName: 'a' }), named: volume('a') }, 'bind a'],
    ['by a name that is not there', { claim: claim({ volumeName: 'a' }) }, 'wait'],
    [
      'by name, but too small',
      { claim: claim({ volumeName: 'a' }), named: volume('a', { capacity: { storage: '1Mi' } }) },
      'wait VolumeMismatch: Cannot bind to requested volume "a": requested PV is too small',
    ],
    ['the default class', { claim: claim(), defaultClassName: 'storage-local' }, 'class storage-local'],
    [
      'no class, on purpose',
      { claim: claim({ storageClassName: '' }), defaultClassName: 'storage-local' },
      'wait FailedBinding: no persistent volumes available for this claim and no storage class is set',
    ],
    [
      'a class that is not there',
      { claim: claim({ storageClassName: 'c' }) },
      'wait ProvisioningFailed: storageclass.storage.k8s.io "c" not found',
    ],
    [
      'no consumer yet',
      { claim: claim({ storageClassName: 'c' }), storageClass: local },
      'wait WaitForFirstConsumer: waiting for first consumer to be created before binding',
    ],
    [
      'a consumer without a node',
      { claim: claim({ storageClassName: 'c' }), storageClass: local, waitingPods: ['web-0'] },
      'wait WaitForPodScheduled: waiting for pod web-0 to be scheduled',
    ],
    [
      "the choice is the scheduler's",
      {
        claim: claim({ storageClassName: 'c' }),
        storageClass: local,
        candidates: [volume('a', { storageClassName: 'c' })],
      },
      'wait WaitForFirstConsumer: waiting for first consumer to be created before binding',
    ],
    [
      'bound, and the volume is gone',
      { claim: claim({ volumeName: 'a' }, COMPLETED) },
      'lose ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!',
    ],
    [
      "bound, and the volume is another's",
      {
        claim: claim({ volumeName: 'a' }, COMPLETED),
        named: volume('a', { claimRef: { namespace: 'default', name: 'www', uid: 'other' } }),
      },
      'lose ClaimMisbound: Two claims are bound to the same volume, this one is bound incorrectly',
    ],
    [
      'bound, and the volume forgot it',
      { claim: claim({ volumeName: 'a' }, COMPLETED), named: volume('a') },
      'bind a',
    ],
  ];
  for (const [name, parts, expected] of cases) it(name, () => assert.equal(summary(parts), expected));

  it('selects the node of a pod that is on one already', () => {
    const plan = planClaim(
      observe({
        claim: claim({ storageClassName: 'c' }),
        storageClass: local,
        waitingPods: ['web-1'],
        usedOn: 'one',
      }),
    );
    assert.deepEqual(plan, { type: 'wait', annotations: { 'volume.kubernetes.io/selected-node': 'one' } });
  });

  it('names the provisioner once a node is selected', () => {
    const selected = claim({ storageClassName: 'c' }, { 'volume.kubernetes.io/selected-node': 'one' });
    const plan = planClaim(observe({ claim: selected, storageClass: local }));
    assert.equal(plan.type, 'wait');
    assert.equal(
      plan.type === 'wait' && plan.annotations?.['volume.kubernetes.io/storage-provisioner'],
      'stead.dev/local',
    );
  });

  it('binding twice changes nothing', () => {
    const free = volume('a');
    const wanted = claim();
    const bound = boundVolume(free, wanted);
    assert.ok(bound);
    assert.equal(bound.metadata.annotations?.['pv.kubernetes.io/bound-by-controller'], 'yes');
    assert.equal(boundVolume(bound, wanted), undefined);
    const done = boundClaim(wanted, bound);
    assert.ok(done);
    assert.equal(boundClaim(done, bound), undefined);
    const phase = claimWithPhase(done, 'Bound', bound);
    assert.deepEqual(phase?.status, {
      phase: 'Bound',
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
    });
    assert.equal(phase && claimWithPhase(phase, 'Bound', bound), undefined);
  });
});

describe('planVolume', () => {
  const reference = { namespace: 'default', name: 'www', uid: 'uid-of-www' };
  it('tells its phase from its claim', () => {
    assert.deepEqual(planVolume(volume('a'), undefined), { type: 'phase', phase: 'Available' });
    assert.deepEqual(planVolume(volume('a', { claimRef: reference }), undefined), { type: 'release' });
    const later = { ...claim(), metadata: { ...claim().metadata, uid: 'later' } };
    assert.deepEqual(planVolume(volume('a', { claimRef: reference }), later), { type: 'release' });
    assert.deepEqual(planVolume(volume('a', { claimRef: reference }), claim()), { type: 'claim' });
    const bound = claim({ volumeName: 'a' }, COMPLETED);
    assert.deepEqual(planVolume(volume('a', { claimRef: reference }), bound), {
      type: 'phase',
      phase: 'Bound',
    });
    const elsewhere = claim({ volumeName: 'b' }, COMPLETED);
    assert.deepEqual(planVolume(volume('a', { claimRef: reference }), elsewhere), { type: 'unbind' });
  });

  it('is kept, deleted by its provisioner, or fails', () => {
    assert.equal(releasedPhase(volume('a', { persistentVolumeReclaimPolicy: 'Retain' })).phase, 'Released');
    assert.equal(releasedPhase(volume('a', { persistentVolumeReclaimPolicy: 'Delete' })).phase, 'Failed');
    const made = volume('a', { persistentVolumeReclaimPolicy: 'Delete' });
    const annotations = { 'pv.kubernetes.io/provisioned-by': 'stead.dev/local' };
    assert.equal(releasedPhase({ ...made, metadata: { ...made.metadata, annotations } }).phase, 'Released');
  });

  it('goes back to the user who reserved it', () => {
    const unbound = unboundVolume(volume('a', { claimRef: reference }));
    assert.equal(unbound.spec.claimRef?.name, 'www');
    assert.equal(unbound.spec.claimRef?.uid, undefined);
  });
});
