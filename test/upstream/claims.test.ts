// Upstream's end-to-end tests of what becomes of a set's claims (kubernetes/kubernetes test/e2e/apps/statefulset.go),
// on simulated nodes. Each test names upstream's.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { V1OwnerReference } from '@kubernetes/client-node';
import { startSimulated } from '../kit/simulated-stead.ts';
import type { TestStead } from '../kit/stead.ts';
import { TestNamespace } from './namespace.ts';
import { createSet, orphanUntilAdopted, podNames, scale, untilReady } from './sets.ts';

const claims = ['datadir'];

/** Waits until these ordinals have claims, and no others. */
const untilClaims = (space: TestNamespace, ...ordinals: number[]): Promise<true> => {
  const names = ordinals.map((ordinal) => `datadir-ss-${ordinal}`).join();
  return space.until(`the claims are ${names}`, () => [...space.claims.keys()].sort().join() === names);
};

const owners = (space: TestNamespace, ordinal: number): V1OwnerReference[] =>
  space.claims.get(`datadir-ss-${ordinal}`)?.metadata?.ownerReferences ?? [];

const untilOwners = (space: TestNamespace, ordinal: number, expected: V1OwnerReference[]): Promise<true> =>
  space.until(`claim ${ordinal} is owned by ${JSON.stringify(expected)}`, () => {
    const sorted = (references: V1OwnerReference[]) =>
      JSON.stringify(
        references.map(({ apiVersion, kind, name, uid, controller = false }) => [
          apiVersion,
          kind,
          name,
          uid,
          controller,
        ]),
      );
    return sorted(owners(space, ordinal)) === sorted(expected);
  });

/** A ConfigMap, as an owner that is no controller of ours. */
async function stranger(space: TestNamespace): Promise<V1OwnerReference> {
  const body = { metadata: { generateName: 'stranger-' } };
  const { metadata } = await space.core.createNamespacedConfigMap({ namespace: space.name, body });
  return { apiVersion: 'v1', kind: 'ConfigMap', name: metadata?.name ?? '', uid: metadata?.uid ?? '' };
}

describe('what becomes of claims, as upstream tests it', () => {
  let stead: TestStead;
  before(async () => {
    stead = await startSimulated();
  });
  after(() => stead?.purge());

  /** @param adopt whether ss-2 is orphaned and adopted before the set is deleted. */
  const whenDeleted = (name: string, adopt: boolean): Promise<void> =>
    TestNamespace.use(stead, name, async (space) => {
      const persistentVolumeClaimRetentionPolicy = { whenDeleted: 'Delete' };
      const set = await createSet(space, { claims, persistentVolumeClaimRetentionPolicy });
      await untilReady(space, set);
      await untilClaims(space, 0, 1, 2);
      const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'ss', uid: set.metadata?.uid ?? '' };
      for (const ordinal of [0, 1, 2]) await untilOwners(space, ordinal, [{ ...owner, controller: true }]);
      if (adopt) await orphanUntilAdopted(space, 'ss-2');
      await space.apps.deleteNamespacedStatefulSet({ name: 'ss', namespace: space.name });
      await untilClaims(space);
    });

  const whenScaled = (name: string, adopt: boolean): Promise<void> =>
    TestNamespace.use(stead, name, async (space) => {
      const persistentVolumeClaimRetentionPolicy = { whenScaled: 'Delete' };
      await untilReady(space, await createSet(space, { claims, persistentVolumeClaimRetentionPolicy }));
      await untilClaims(space, 0, 1, 2);
      if (adopt) await orphanUntilAdopted(space, 'ss-2');
      await untilReady(space, await scale(space, 'ss', 1));
      await untilClaims(space, 0);
    });

  // upstream: "should delete PVCs with a WhenDeleted policy"
  it('whenDeleted Delete: the claims belong to the set, and go with it', () =>
    whenDeleted('when-deleted', false));
  // upstream: "should delete PVCs with a OnScaledown policy"
  it('whenScaled Delete: the claims of the ordinals that are scaled away go', () =>
    whenScaled('when-scaled', false));
  // upstream: "should delete PVCs after adopting pod (WhenDeleted)"
  it('whenDeleted Delete: so does the claim of a pod that was adopted', () =>
    whenDeleted('when-deleted-adopted', true));
  // upstream: "should delete PVCs after adopting pod (WhenScaled)"
  it('whenScaled Delete: so does the claim of a pod that was adopted', () =>
    whenScaled('when-scaled-adopted', true));

  // upstream: "should not delete PVC with OnScaledown policy if another controller owns the PVC"
  it('whenScaled Delete: a claim that somebody else controls stays, until nobody else does', () =>
    TestNamespace.use(stead, 'foreign-controller', async (space) => {
      await untilReady(space, await createSet(space, { claims }));
      await untilClaims(space, 0, 1, 2);
      const controller = { ...(await stranger(space)), controller: true };
      await space.patchClaim('datadir-ss-1', { metadata: { ownerReferences: [controller] } });
      await space.patchSet('ss', {
        spec: { persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete' } },
      });
      await scale(space, 'ss', 0);
      await space.until('no pod is left', () => space.pods.size === 0);
      await untilClaims(space, 1);
      await untilOwners(space, 1, [controller]);

      await space.patchClaim('datadir-ss-1', { metadata: { ownerReferences: null } });
      await untilReady(space, await scale(space, 'ss', 2));
      await untilClaims(space, 0, 1);
      await untilReady(space, await scale(space, 'ss', 1));
      await untilClaims(space, 0);
    }));

  // upstream: "should not delete PVCs when there is another controller"
  it('whenDeleted Delete: the set owns claims beside a mere owner, and not those of another controller', () =>
    TestNamespace.use(stead, 'foreign-owners', async (space) => {
      const set = await createSet(space, { replicas: 4, claims });
      await untilReady(space, set);
      await untilClaims(space, 0, 1, 2, 3);
      const own = {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        name: 'ss',
        uid: set.metadata?.uid ?? '',
        controller: true,
      };
      const outsider = await stranger(space);
      const stale = { ...own, name: 'unknown', uid: '9d86d6ae-4e06-4ff1-bc55-f77f52e272e9' };
      await space.patchClaim('datadir-ss-1', { metadata: { ownerReferences: [outsider] } });
      // Its owner is nowhere: the garbage collector takes it, and the finalizer keeps it.
      const finalizers = [
        'keep-with/stale-ref',
        ...(space.claims.get('datadir-ss-3')?.metadata?.finalizers ?? []),
      ];
      await space.patchClaim('datadir-ss-3', { metadata: { ownerReferences: [stale], finalizers } });
      try {
        await untilOwners(space, 1, [outsider]);
        await untilOwners(space, 3, [stale]);

        const policy = (whenDeleted: string, whenScaled: string) =>
          space.patchSet('ss', {
            spec: { persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled } },
          });
        await policy('Delete', 'Retain');
        for (const ordinal of [0, 2]) await untilOwners(space, ordinal, [own]);
        await untilOwners(space, 1, [outsider, own]);
        await untilOwners(space, 3, [stale]);

        const meek = { ...own, controller: false };
        await space.patchClaim('datadir-ss-0', { metadata: { ownerReferences: [meek] } });
        await policy('Delete', 'Delete');
        await untilOwners(space, 0, [own]);

        await space.apps.deleteNamespacedStatefulSet({ name: 'ss', namespace: space.name });
        await untilClaims(space, 1, 3);
      } finally {
        await space.patchClaim('datadir-ss-3', { metadata: { finalizers: null } });
      }
    }));

  // upstream: "PVC should be recreated when pod is pending due to missing PVC"
  it('makes the claim of a Pending pod again if it has been deleted', () =>
    TestNamespace.use(stead, 'lost-claim', async (space) => {
      const { core, name: namespace } = space;
      const set = await createSet(space, { replicas: 1, claims });
      await untilReady(space, set);
      const pod = space.pods.get('ss-0');
      const node = pod?.spec?.nodeName ?? '';
      const claim = () => space.claims.get('datadir-ss-0')?.metadata?.uid;
      const first = claim();

      await stead.kubectl('cordon', node);
      try {
        await space.deletePod('ss-0');
        await space.until('the pod is made again, and Pending', () => {
          const again = space.pods.get('ss-0');
          return again?.metadata?.uid !== pod?.metadata?.uid && again?.status?.phase === 'Pending';
        });
        await core.deleteNamespacedPersistentVolumeClaim({ name: 'datadir-ss-0', namespace });
        await space.until('the claim is made again', () => claim() !== undefined && claim() !== first);
      } finally {
        await stead.kubectl('uncordon', node);
      }
      await untilReady(space, set);
      assert.deepEqual(podNames(space), ['ss-0']);
      assert.equal(space.pods.get('ss-0')?.spec?.nodeName, node);
    }));
});
