// What goes beyond upstream, on a whole API in virtual time. What is decided in which situation, the scenarios hold;
// here it is about the way from the annotation to the pods and claims, through as many passes as that takes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StatusError } from '../../api/errors.ts';
import type { PersistentVolumeClaim } from '../../api/generated/types.ts';
import { isTerminating, type Stored } from '../../api/objects.ts';
import { persistentVolumeClaims } from '../../api/resources/persistent-volume-claims/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { storageClasses } from '../../api/resources/storage-classes/definition.ts';
import { type Cluster, NAMESPACE, withCluster } from './test-cluster.ts';

const terminating = async (cluster: Cluster): Promise<string[]> => {
  const { items } = await cluster.client.list(pods, { namespace: NAMESPACE });
  return items.filter(isTerminating).map((pod) => pod.metadata.name);
};
const imageOf = async (cluster: Cluster, name: string): Promise<string | undefined> =>
  (await cluster.pod(name)).spec.containers[0]?.image;

test('kubernetes#67250: bad template, stuck pod, template rolled back: it recovers without a hand', () =>
  withCluster(async (cluster) => {
    await cluster.createSet({ image: 'nginx:1', spec: { replicas: 2 } });
    await cluster.behave();
    await cluster.setImage('nginx:broken');
    await cluster.finish('web-1');
    const stuck = await cluster.pod('web-1');
    await cluster.report('web-1', 'CrashLoop');
    await cluster.clock.advance(3600_000);
    assert.equal((await cluster.pod('web-1')).metadata.uid, stuck.metadata.uid);
    await cluster.setImage('nginx:1');
    assert.deepEqual(await terminating(cluster), ['web-1']);
    await cluster.finish('web-1');
    assert.equal(await imageOf(cluster, 'web-1'), 'nginx:1');
    await cluster.behave();
    const { status } = await cluster.set();
    assert.equal(status?.readyReplicas, 2);
    assert.equal(status?.currentRevision, status?.updateRevision);
    const told = (await cluster.told()).filter((line) => line.includes('RolloutRecovery'));
    assert.equal(told.length, 1);
    assert.match(
      told[0] ?? '',
      /replace Pod web-1 in StatefulSet web: it never became Ready at revision web-/,
    );
  }));

test('with rollout-recovery manual it stays stuck, until the annotation goes', () =>
  withCluster(async (cluster) => {
    await cluster.createSet({ image: 'nginx:broken', spec: { replicas: 2 } });
    await cluster.annotate('rollout-recovery', 'manual');
    await cluster.report('web-0', 'CrashLoop');
    await cluster.setImage('nginx:1');
    assert.deepEqual(await terminating(cluster), []);
    await cluster.annotate('rollout-recovery', null);
    assert.deepEqual(await terminating(cluster), ['web-0']);
    await cluster.finish('web-0');
    await cluster.behave();
    assert.equal((await cluster.set()).status?.readyReplicas, 2);
  }));

test('a pod that has been Ready is not replaced for the rollout that waits for it', () =>
  withCluster(async (cluster) => {
    await cluster.createSet({ image: 'nginx:1', spec: { replicas: 2 } });
    await cluster.behave();
    await cluster.clock.advance(60_000);
    await cluster.report('web-0', 'CrashLoop');
    await cluster.setImage('nginx:2');
    assert.deepEqual(await terminating(cluster), []);
    await cluster.report('web-0', 'Ready');
    assert.deepEqual(await terminating(cluster), ['web-1']);
  }));

test('a reserved ordinal is freed when its replacement runs, and filled again when it is free', () =>
  withCluster(async (cluster) => {
    await cluster.createSet();
    await cluster.behave();
    await cluster.annotate('reserve-ordinals', '1');
    assert.deepEqual(await cluster.podNames(), ['web-0', 'web-1', 'web-2', 'web-3']);
    assert.deepEqual(await terminating(cluster), []);
    await cluster.report('web-3', 'Ready');
    assert.deepEqual(await terminating(cluster), ['web-1']);
    await cluster.finish('web-1');
    await cluster.behave();
    assert.deepEqual(await cluster.podNames(), ['web-0', 'web-2', 'web-3']);
    assert.match(await cluster.condition('Progressing'), /^True Complete: all 3 pods are Ready$/);
    await cluster.annotate('reserve-ordinals', null);
    await cluster.behave();
    assert.deepEqual(await cluster.podNames(), ['web-0', 'web-1', 'web-2']);
  }));

test('the leader is updated last, wherever the lead has gone meanwhile', () =>
  withCluster(async (cluster) => {
    const lead = async (name: string, role: string | null): Promise<void> => {
      const body = { metadata: { labels: { role } } };
      await cluster.client.patch(pods, { namespace: NAMESPACE, name }, { type: 'merge', body });
      await cluster.settle();
    };
    await cluster.createSet({ image: 'nginx:1' });
    await cluster.annotate('update-last', 'role=primary');
    await cluster.behave();
    await lead('web-2', 'primary');
    await cluster.setImage('nginx:2');
    const order: string[] = [];
    for (let round = 0; round < 3; round++) {
      const [name = ''] = await terminating(cluster);
      order.push(name);
      if (round === 0) {
        // While web-1 is away, web-0 is elected.
        await lead('web-2', null);
        await lead('web-0', 'primary');
      }
      await cluster.finish(name);
      await cluster.report(name, 'Ready');
    }
    assert.deepEqual(order, ['web-1', 'web-2', 'web-0']);
    const { status } = await cluster.set();
    assert.equal(status?.currentRevision, status?.updateRevision);
  }));

test('a paused rollout touches no pod, says so, and goes on afterwards', () =>
  withCluster(async (cluster) => {
    await cluster.createSet({ image: 'nginx:1' });
    await cluster.behave();
    await cluster.annotate('paused', 'true');
    await cluster.setImage('nginx:2');
    assert.deepEqual(await terminating(cluster), []);
    assert.match(
      await cluster.condition('Progressing'),
      /^Unknown Paused: the rollout to web-\w+ is paused \(stead.dev\/paused\); 3 of 3 pods are not at it$/,
    );
    await cluster.patchSet({ replicas: 4 });
    assert.equal(await imageOf(cluster, 'web-3'), 'nginx:1');
    await cluster.behave();
    await cluster.annotate('paused', 'false');
    assert.deepEqual(await terminating(cluster), ['web-3']);
    await cluster.behave();
    assert.equal((await cluster.set()).status?.updatedReplicas, 4);
  }));

test('in place: the pod stays, counts as updated only with the new container, then the next one is updated', () =>
  withCluster(async (cluster) => {
    await cluster.createSet({ image: 'nginx:1' });
    await cluster.annotate('pod-update', 'in-place-if-possible');
    await cluster.behave();
    const before = await cluster.pod('web-2');
    await cluster.setImage('nginx:2');
    const changed = await cluster.pod('web-2');
    assert.equal(changed.metadata.uid, before.metadata.uid);
    assert.equal(changed.spec.containers[0]?.image, 'nginx:2');
    assert.deepEqual(await terminating(cluster), []);
    let { status } = await cluster.set();
    assert.equal(changed.metadata.labels?.['controller-revision-hash'], status?.updateRevision);
    // Its status is still that of the old container, and says Ready.
    assert.equal(status?.updatedReplicas ?? 0, 0);
    assert.equal(await imageOf(cluster, 'web-1'), 'nginx:1');
    assert.match(
      await cluster.condition('Progressing'),
      /^True InPlaceUpdate: update of web-1 waits for web-2 /,
    );
    await cluster.report('web-2', 'Running', 'containerd://2');
    assert.equal(await imageOf(cluster, 'web-1'), 'nginx:1');
    await cluster.report('web-2', 'Ready', 'containerd://2');
    const done = await cluster.pod('web-2');
    assert.equal(done.metadata.annotations?.['stead.dev/in-place-update'], undefined);
    assert.equal(await imageOf(cluster, 'web-1'), 'nginx:2');
    for (const name of ['web-1', 'web-0']) await cluster.report(name, 'Ready', 'containerd://2');
    ({ status } = await cluster.set());
    assert.equal(status?.updatedReplicas, 3);
    assert.equal(status?.currentRevision, status?.updateRevision);
    assert.ok(
      (await cluster.told()).some((line) =>
        /^Normal InPlaceUpdate: update Pod web-2 in StatefulSet web in place to revision web-\w+, restarting nginx$/.test(
          line,
        ),
      ),
    );
  }));

test('in place and back before the first is done: each is waited for, and the note goes', () =>
  withCluster(async (cluster) => {
    await cluster.createSet({ image: 'nginx:1', spec: { replicas: 1 } });
    await cluster.annotate('pod-update', 'in-place-if-possible');
    await cluster.behave();
    await cluster.setImage('nginx:2');
    await cluster.setImage('nginx:1');
    await cluster.report('web-0', 'Ready', 'containerd://1');
    assert.equal(await imageOf(cluster, 'web-0'), 'nginx:2');
    await cluster.report('web-0', 'Ready', 'containerd://2');
    assert.equal(await imageOf(cluster, 'web-0'), 'nginx:1');
    await cluster.report('web-0', 'Ready', 'containerd://3');
    assert.equal((await cluster.pod('web-0')).metadata.annotations?.['stead.dev/in-place-update'], undefined);
    assert.match(await cluster.condition('Progressing'), /^True Complete/);
  }));

test('a stuck image that was updated in place is recovered in place', () =>
  withCluster(async (cluster) => {
    await cluster.createSet({ image: 'nginx:1', spec: { replicas: 2 } });
    await cluster.annotate('pod-update', 'in-place-if-possible');
    await cluster.behave();
    const { metadata } = await cluster.pod('web-1');
    await cluster.clock.advance(60_000);
    await cluster.setImage('nginx:broken');
    await cluster.report('web-1', 'CrashLoop', 'containerd://2');
    await cluster.setImage('nginx:1');
    assert.equal(await imageOf(cluster, 'web-1'), 'nginx:1');
    await cluster.report('web-1', 'Ready', 'containerd://3');
    const pod = await cluster.pod('web-1');
    assert.equal(pod.metadata.uid, metadata.uid);
    assert.equal(pod.metadata.annotations?.['stead.dev/in-place-update'], undefined);
    assert.match(await cluster.condition('Progressing'), /^True Complete/);
  }));

test('new labels restart nothing with in-place updates, and make the pods again without', () =>
  withCluster(async (cluster) => {
    await cluster.createSet();
    await cluster.annotate('pod-update', 'in-place-if-possible');
    await cluster.behave();
    const uids = async (): Promise<string[]> =>
      (await cluster.client.list(pods, { namespace: NAMESPACE })).items.map((pod) => pod.metadata.uid);
    const before = await uids();
    await cluster.patchSet({ template: { metadata: { labels: { tier: 'web' } } } });
    assert.deepEqual(await uids(), before);
    for (const pod of (await cluster.client.list(pods, { namespace: NAMESPACE })).items) {
      assert.equal(pod.metadata.labels?.tier, 'web');
    }
    const { status } = await cluster.set();
    assert.equal(status?.updatedReplicas, 3);
    assert.equal(status?.currentRevision, status?.updateRevision);
    await cluster.annotate('pod-update', null);
    await cluster.patchSet({ template: { metadata: { labels: { tier: 'db' } } } });
    assert.deepEqual(await terminating(cluster), ['web-2']);
  }));

const STORAGE_CLASS = 'storage-local';

async function withClaims(cluster: Cluster): Promise<void> {
  await cluster.client.create(storageClasses, {
    metadata: { name: STORAGE_CLASS },
    provisioner: 'stead.dev/local',
    allowVolumeExpansion: true,
  });
  const { spec } = { spec: { accessModes: ['ReadWriteOnce'], storageClassName: STORAGE_CLASS } };
  const resources = { requests: { storage: '200Mi' } };
  await cluster.createSet({
    image: 'nginx:1',
    spec: { volumeClaimTemplates: [{ metadata: { name: 'www' }, spec: { ...spec, resources } }] },
  });
  await cluster.behave();
  for (let ordinal = 0; ordinal < 3; ordinal++) await report(cluster, `www-web-${ordinal}`, '200Mi');
}

const claim = (cluster: Cluster, name: string): Promise<Stored<PersistentVolumeClaim>> =>
  cluster.client.get(persistentVolumeClaims, { namespace: NAMESPACE, name });

/** The claim's volume has this size, as the storage side says it. */
async function report(cluster: Cluster, name: string, storage: string): Promise<void> {
  const status = { phase: 'Bound', capacity: { storage } };
  const body = structuredClone({ ...(await claim(cluster, name)), status });
  await cluster.client.update(persistentVolumeClaims, body, { subresource: 'status' });
  await cluster.settle();
}

async function resize(cluster: Cluster, storage: string): Promise<void> {
  const [template] = structuredClone((await cluster.set()).spec.volumeClaimTemplates ?? []);
  assert.ok(template);
  template.spec.resources = { requests: { storage } };
  await cluster.patchSet({ volumeClaimTemplates: [template] });
}

const requested = async (cluster: Cluster): Promise<(string | undefined)[]> =>
  Promise.all(
    [0, 1, 2].map(
      async (ordinal) => (await claim(cluster, `www-web-${ordinal}`)).spec.resources?.requests?.storage,
    ),
  );

test('claims grow one after the other, then the pods are updated; the size of new claims is the new one', () =>
  withCluster(async (cluster) => {
    await withClaims(cluster);
    await resize(cluster, '1Gi');
    await cluster.setImage('nginx:2');
    assert.deepEqual(await requested(cluster), ['1Gi', '200Mi', '200Mi']);
    assert.match(
      await cluster.condition('ClaimsExpanding'),
      /^True ClaimExpanding: 0 of 3 claims have the size of their template$/,
    );
    await report(cluster, 'www-web-0', '1Gi');
    assert.deepEqual(await requested(cluster), ['1Gi', '1Gi', '200Mi']);
    await report(cluster, 'www-web-1', '1Gi');
    assert.deepEqual(await terminating(cluster), []);
    await report(cluster, 'www-web-2', '1Gi');
    assert.match(await cluster.condition('ClaimsExpanding'), /^False ClaimsExpanded: 3 of 3 claims/);
    assert.deepEqual(await terminating(cluster), ['web-2']);
    await cluster.behave();
    await cluster.patchSet({ replicas: 4 });
    assert.equal((await claim(cluster, 'www-web-3')).spec.resources?.requests?.storage, '1Gi');
    const told = (await cluster.told()).filter((line) => line.includes('it is to grow'));
    assert.deepEqual(told, [
      'Normal SuccessfulUpdate: update Claim www-web-0 Pod web-0 in StatefulSet web success: it is to grow to 1Gi',
      'Normal SuccessfulUpdate: update Claim www-web-1 Pod web-1 in StatefulSet web success: it is to grow to 1Gi',
      'Normal SuccessfulUpdate: update Claim www-web-2 Pod web-2 in StatefulSet web success: it is to grow to 1Gi',
    ]);
  }));

test('a smaller claim template is refused with its reason', () =>
  withCluster(async (cluster) => {
    await withClaims(cluster);
    await assert.rejects(resize(cluster, '100Mi'), (error) => {
      assert.ok(error instanceof StatusError);
      assert.match(error.message, /may only grow: volumes cannot shrink/);
      return true;
    });
  }));
