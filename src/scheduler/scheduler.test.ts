import assert from 'node:assert/strict';
import { after, beforeEach, describe, it } from 'node:test';
import { conditionOf } from '../api/conditions.ts';
import type { PersistentVolumeClaim, Pod } from '../api/generated/types.ts';
import { persistentVolumeClaims } from '../api/resources/persistent-volume-claims/definition.ts';
import { persistentVolumes } from '../api/resources/persistent-volumes/definition.ts';
import { pods } from '../api/resources/pods/definition.ts';
import { storageClasses } from '../api/resources/storage-classes/definition.ts';
import { runClaimsController } from '../controllers/claims/controller.ts';
import { defaultStorageClass } from '../storage/default-class.ts';
import { runLocalProvisioner } from '../storage/provisioner.ts';
import { startTestControlPlane, type TestControlPlane } from '../testing/test-control-plane.ts';
import { runScheduler } from './controller.ts';

const key = (name: string) => ({ namespace: 'default', name });

function pod(name: string, spec: Partial<Pod['spec']> = {}, requests: Record<string, string> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'default', name },
    spec: { containers: [{ name: 'main', image: 'nginx', resources: { requests } }], ...spec },
  };
}

function claim(name: string, spec: Partial<PersistentVolumeClaim['spec']> = {}): PersistentVolumeClaim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { namespace: 'default', name },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'storage-local',
      resources: { requests: { storage: '200Mi' } },
      ...spec,
    },
  };
}

const withClaim = (claimName: string): Partial<Pod['spec']> => ({
  volumes: [{ name: 'www', persistentVolumeClaim: { claimName } }],
});

describe('scheduler, claim binder and provisioner against the API server', () => {
  let cluster: TestControlPlane;
  const nodeOf = async (name: string): Promise<string | undefined> =>
    (await cluster.client.get(pods, key(name))).spec.nodeName;
  const whyNot = async (name: string): Promise<string | undefined> =>
    (await cluster.client.get(pods, key(name))).status?.conditions?.find((c) => c.type === 'PodScheduled')
      ?.message;

  beforeEach(async () => {
    await cluster?.stop();
    cluster = await startTestControlPlane();
    cluster.run(runScheduler(cluster.contextOf('scheduler')));
    cluster.run(runClaimsController(cluster.contextOf('claims')));
    cluster.run(runLocalProvisioner(cluster.contextOf('provisioner')));
  });
  after(() => cluster.stop());

  it('binds a pod to a node and says so', async () => {
    await cluster.addNode('one');
    await cluster.client.create(pods, pod('web-0'));
    await cluster.until(async () => (await nodeOf('web-0')) === 'one', 'web-0 is bound');
    const scheduled = (await cluster.client.get(pods, key('web-0'))).status?.conditions?.find(
      (c) => c.type === 'PodScheduled',
    );
    assert.equal(scheduled?.status, 'True');
    await cluster.clock.advance(100);
    assert.deepEqual(await cluster.eventsOf('web-0'), [
      'Scheduled: Successfully assigned default/web-0 to one',
    ]);
    assert.deepEqual(cluster.complaints, []);
  });

  it('says why no node takes a pod, and places it when one does', async () => {
    await cluster.client.create(pods, pod('big', {}, { cpu: '6' }));
    await cluster.until(
      async () => (await whyNot('big')) === 'no nodes available to schedule pods',
      'no nodes',
    );
    await cluster.addNode('small');
    await cluster.until(
      async () => (await whyNot('big')) === '0/1 nodes are available: 1 Insufficient cpu.',
      'insufficient cpu',
    );
    const big = await cluster.client.get(pods, key('big'));
    assert.equal(conditionOf(big, 'PodScheduled')?.observedGeneration, big.metadata.generation);
    assert.ok(
      (await cluster.eventsOf('big')).includes(
        'FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu.',
      ),
    );
    await cluster.addNode('large', { allocatable: { cpu: '16', memory: '8Gi', pods: '110' } });
    await cluster.until(async () => (await nodeOf('big')) === 'large', 'big is bound');
  });

  it('gives freed room to a pod that waits', async () => {
    await cluster.addNode('one');
    await cluster.client.create(pods, pod('first', {}, { cpu: '3' }));
    await cluster.until(async () => (await nodeOf('first')) === 'one', 'first is bound');
    await cluster.client.create(pods, pod('second', {}, { cpu: '3' }));
    await cluster.until(
      async () => (await whyNot('second'))?.includes('Insufficient cpu') ?? false,
      'second waits',
    );
    await cluster.client.delete(pods, key('first'), { gracePeriodSeconds: 0 });
    await cluster.until(async () => (await nodeOf('second')) === 'one', 'second is bound');
  });

  it('never gives away more than there is, with many pods at once', async () => {
    await cluster.addNode('one', { allocatable: { cpu: '4', memory: '8Gi', pods: '10' } });
    await cluster.addNode('two', { allocatable: { cpu: '4', memory: '8Gi', pods: '10' } });
    await Promise.all(Array.from({ length: 30 }, (_, i) => cluster.client.create(pods, pod(`p-${i}`))));
    const counts = async (): Promise<Record<string, number>> => {
      const result: Record<string, number> = {};
      for (const { spec } of (await cluster.client.list(pods)).items) {
        const name = spec.nodeName ?? 'none';
        result[name] = (result[name] ?? 0) + 1;
      }
      return result;
    };
    await cluster.until(async () => (await counts()).none === 10, 'twenty are bound');
    assert.deepEqual(await counts(), { one: 10, two: 10, none: 10 });
  });

  it('provisions a claim that waits for its first consumer, on the node of the pod', async () => {
    await cluster.client.create(storageClasses, defaultStorageClass());
    await cluster.addNode('one');
    await cluster.client.create(persistentVolumeClaims, claim('www-web-0'));
    await cluster.until(
      async () => (await cluster.eventsOf('www-web-0')).some((e) => e.startsWith('WaitForFirstConsumer')),
      'the claim waits for a consumer',
    );
    await cluster.client.create(pods, pod('web-0', withClaim('www-web-0')));
    await cluster.until(async () => (await nodeOf('web-0')) === 'one', 'web-0 is bound');

    const bound = await cluster.client.get(persistentVolumeClaims, key('www-web-0'));
    assert.equal(bound.status?.phase, 'Bound');
    assert.deepEqual(bound.status?.capacity, { storage: '200Mi' });
    assert.equal(bound.metadata.annotations?.['volume.kubernetes.io/selected-node'], 'one');
    const name = `pvc-${bound.metadata.uid}`;
    assert.equal(bound.spec.volumeName, name);
    const volume = await cluster.client.get(persistentVolumes, { name });
    assert.equal(volume.status?.phase, 'Bound');
    assert.equal(volume.spec.local?.path, `/var/lib/stead/volumes/${name}`);
    assert.equal(volume.spec.claimRef?.uid, bound.metadata.uid);
    assert.equal(volume.spec.persistentVolumeReclaimPolicy, 'Delete');
    assert.ok(volume.metadata.finalizers?.includes('stead.dev/local-volume'));
    const told = await cluster.eventsOf('www-web-0');
    assert.ok(
      told.includes(`ProvisioningSucceeded: Successfully provisioned volume ${name}`),
      told.join('\n'),
    );
    assert.deepEqual(cluster.complaints, []);

    // The claim goes, the volume is released and deleted, and stays until the node has removed the bytes.
    await cluster.client.delete(pods, key('web-0'), { gracePeriodSeconds: 0 });
    const protectedClaim = await cluster.client.get(persistentVolumeClaims, key('www-web-0'));
    await cluster.client.delete(persistentVolumeClaims, key('www-web-0'));
    if (protectedClaim.metadata.finalizers?.length) {
      const going = await cluster.client.get(persistentVolumeClaims, key('www-web-0'));
      await cluster.client.update(persistentVolumeClaims, {
        ...going,
        metadata: { ...going.metadata, finalizers: [] },
      });
    }
    await cluster.until(async () => {
      const released = await cluster.client.get(persistentVolumes, { name });
      return released.status?.phase === 'Released' && released.metadata.deletionTimestamp !== undefined;
    }, 'the volume is released and being deleted');
  });

  it('waits for a claim that is not there, and for one whose class is not there', async () => {
    await cluster.addNode('one');
    await cluster.client.create(pods, pod('web-0', withClaim('www')));
    const missing = '0/1 nodes are available: persistentvolumeclaim "www" not found.';
    await cluster.until(async () => (await whyNot('web-0')) === missing, 'not found');
    await cluster.client.create(persistentVolumeClaims, claim('www', { storageClassName: 'fast' }));
    const unbound = '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.';
    await cluster.until(async () => (await whyNot('web-0')) === unbound, 'unbound');
    const failed = 'ProvisioningFailed: storageclass.storage.k8s.io "fast" not found';
    await cluster.until(async () => (await cluster.eventsOf('www')).includes(failed), 'the claim says why');
    const { metadata: _, ...rest } = defaultStorageClass();
    await cluster.client.create(storageClasses, {
      ...rest,
      metadata: { name: 'fast' },
      volumeBindingMode: 'Immediate',
    });
    await cluster.until(async () => (await nodeOf('web-0')) === 'one', 'web-0 is bound');
  });

  it('binds the smallest volume made by hand that fits, on a node that reaches it', async () => {
    await cluster.addNode('one');
    await cluster.addNode('two');
    await cluster.client.create(storageClasses, {
      metadata: { name: 'manual' },
      provisioner: 'kubernetes.io/no-provisioner',
      volumeBindingMode: 'WaitForFirstConsumer',
    });
    for (const [name, storage, node] of [
      ['large', '10Gi', 'two'],
      ['fitting', '1Gi', 'two'],
      ['small', '1Mi', 'one'],
    ] as const) {
      await cluster.client.create(persistentVolumes, {
        metadata: { name },
        spec: {
          capacity: { storage },
          accessModes: ['ReadWriteOnce'],
          storageClassName: 'manual',
          persistentVolumeReclaimPolicy: 'Retain',
          local: { path: `/mnt/${name}` },
          nodeAffinity: {
            required: {
              nodeSelectorTerms: [
                { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] },
              ],
            },
          },
        },
      });
    }
    await cluster.client.create(persistentVolumeClaims, claim('data', { storageClassName: 'manual' }));
    await cluster.client.create(pods, pod('db-0', withClaim('data')));
    await cluster.until(
      async () => (await nodeOf('db-0')) === 'two',
      'db-0 is bound to the node of the volume',
    );
    assert.equal((await cluster.client.get(persistentVolumeClaims, key('data'))).spec.volumeName, 'fitting');
    assert.equal((await cluster.client.get(persistentVolumes, { name: 'large' })).status?.phase, 'Available');
  });

  it('keeps pods with anti-affinity apart', async () => {
    for (const name of ['one', 'two', 'three']) await cluster.addNode(name);
    const labels = { app: 'db' };
    const apart: Partial<Pod['spec']> = {
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { labelSelector: { matchLabels: labels }, topologyKey: 'kubernetes.io/hostname' },
          ],
        },
      },
    };
    for (let i = 0; i < 4; i++) {
      const member = pod(`db-${i}`, apart);
      await cluster.client.create(pods, { ...member, metadata: { ...member.metadata, labels } });
    }
    const waiting = async (): Promise<string[]> =>
      (await cluster.client.list(pods)).items.filter((p) => !p.spec.nodeName).map((p) => p.metadata.name);
    await cluster.until(async () => (await waiting()).length === 1, 'three are bound');
    const [last = ''] = await waiting();
    await cluster.until(async () => {
      const message = "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules.";
      return (await whyNot(last)) === message;
    }, 'the fourth says why');
    const used = (await cluster.client.list(pods)).items.flatMap((p) => p.spec.nodeName ?? []);
    assert.equal(new Set(used).size, 3);
  });
});
